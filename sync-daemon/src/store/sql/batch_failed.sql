-- Message $2 to channel $1 has not arrived, for reason $3. $4 it may have arrived: it is repeated as it is.
UPDATE crm_health_sync.deliveries d
SET reason = $3, batch = CASE WHEN $4 THEN d.batch END
WHERE d.channel = $1 AND d.batch = $2 AND d.state = 'waiting'
