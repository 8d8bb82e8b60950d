-- Message $2 to channel $1 has arrived. Returns nothing when another daemon took over meanwhile.
UPDATE crm_health_sync.deliveries d
SET state = 'delivered', delivered_at = clock_timestamp(), reason = NULL
WHERE d.channel = $1 AND d.batch = $2 AND d.state IN ('waiting', 'expired')
