-- A row for each channel.
INSERT INTO crm_health_sync.channels (name)
SELECT c.name FROM unnest($1::text[]) AS c(name)
WHERE NOT EXISTS (SELECT FROM crm_health_sync.channels k WHERE k.name = c.name)
ON CONFLICT DO NOTHING
