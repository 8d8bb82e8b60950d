-- Mailboxes a sync would take but for a backfill that holds them, or another one of their user: it lets go between
-- shifts, and takes them again. Each shift begins with live mail: one that began after $1 did what the sync would do (its
-- time is a whole second, and may be rounded up). $2 users wanted (NULL: whoever logged in within the window), $3 window
-- in seconds.
SELECT count(*) AS busy
FROM crm_health_sync.mailboxes m
JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id AND g.is_active
LEFT JOIN {crm}.profiles p ON p.id = m.user_id
WHERE coalesce(m.last_finished_at, '-infinity') < $1
  AND CASE WHEN $2::uuid[] IS NULL THEN p.last_login_at >= now() - make_interval(secs => $3)
           ELSE m.user_id = ANY ($2) END
  AND CASE WHEN m.lease_until > clock_timestamp()
               THEN m.lease_purpose = 'backfill' AND coalesce(m.last_good_at, '-infinity') < $1 + interval '1 second'
           ELSE coalesce(m.next_attempt_at, '-infinity') <= clock_timestamp()
               AND EXISTS (SELECT 1 FROM crm_health_sync.mailboxes o
                           WHERE o.user_id = m.user_id AND o.integration_id <> m.integration_id
                             AND o.lease_purpose = 'backfill' AND o.lease_until > clock_timestamp()) END
