-- Channels that were set up wrongly are tried at once: somebody changed something.
UPDATE crm_health_sync.channels c SET next_attempt_at = NULL
WHERE c.name = ANY ($1::text[]) AND c.state = 'misconfigured'
