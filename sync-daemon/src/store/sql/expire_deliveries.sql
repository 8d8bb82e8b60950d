-- What waited for longer than $1 seconds is of no use any more; what was dealt with a month ago is forgotten, as far as
-- the outbox cannot bring it back. Returns the channel of each that expired.
WITH forgotten AS (
    DELETE FROM crm_health_sync.deliveries d
    WHERE d.taken_at < now() - interval '30 days' AND d.state <> 'waiting'
      AND d.notification_id <= (SELECT o.settled_id FROM crm_health_sync.outbox o)
)
UPDATE crm_health_sync.deliveries d
SET state = 'expired', reason = 'waited for longer than notify.max_age_hours'
WHERE d.state = 'waiting' AND d.notification_at <= clock_timestamp() - make_interval(secs => $1)
RETURNING d.channel
