-- Mailboxes that are known while no integration at all is visible.
SELECT count(*) FROM crm_health_sync.mailboxes WHERE NOT EXISTS (SELECT 1 FROM {crm}.google_integrations)
