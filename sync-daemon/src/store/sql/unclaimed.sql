-- Of the users asked for by name, those with no mailbox finished since $2, and why. A backfill's shift that began
-- since then looked for live mail first. A mailbox that was given up is no reason.
SELECT w.user_id,
       CASE WHEN NOT EXISTS (SELECT 1 FROM {crm}.google_integrations g WHERE g.user_id = w.user_id)
                THEN 'not_connected'
            WHEN NOT EXISTS (SELECT 1 FROM {crm}.google_integrations g
                             WHERE g.user_id = w.user_id AND g.is_active) THEN 'reconnect_required'
            WHEN m.lease_until > now() THEN 'busy'
            ELSE coalesce(m.reason, 'paused') END AS reason,
       coalesce(m.lease_until, m.next_attempt_at) AS until
FROM unnest($1::uuid[]) AS w(user_id)
LEFT JOIN (crm_health_sync.mailboxes m
           JOIN {crm}.google_integrations g ON g.id = m.integration_id AND g.user_id = m.user_id AND g.is_active)
       ON m.user_id = w.user_id
WHERE m.user_id IS NULL
   OR (coalesce(m.last_finished_at, '-infinity') < $2
       AND NOT coalesce(m.lease_purpose = 'backfill' AND m.last_good_at >= $2 + interval '1 second', false))
