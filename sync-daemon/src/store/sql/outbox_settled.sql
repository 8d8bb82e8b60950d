-- Moves the horizon. A candidate is an id given out ten minutes ago or more; when all transactions that were on at that
-- time have ended, every row up to it was taken over or will never be. $1 the candidate has ended.
UPDATE crm_health_sync.outbox o
SET relation = now_there.relation,
    settled_id = now_there.settled_id,
    candidate_id = coalesce(now_there.candidate_id, next.id),
    candidate_xid = CASE WHEN now_there.candidate_id IS NOT NULL THEN o.candidate_xid
                         WHEN next.id IS NOT NULL THEN pg_snapshot_xmax(pg_current_snapshot()) END
FROM (
    SELECT n.relation,
           CASE WHEN NOT n.same THEN 0 WHEN $1 THEN n.candidate ELSE n.settled END AS settled_id,
           CASE WHEN n.same AND NOT $1 THEN n.candidate END AS candidate_id
    FROM (SELECT 'crm_health.notifications'::regclass::oid AS relation, b.candidate_id AS candidate,
                 b.settled_id AS settled,
                 b.relation IS NOT DISTINCT FROM 'crm_health.notifications'::regclass::oid AS same
          FROM crm_health_sync.outbox b) n
) AS now_there
CROSS JOIN LATERAL (
    SELECT max(n.id) AS id FROM crm_health.notifications n
    WHERE n.id > now_there.settled_id AND n.created_at < clock_timestamp() - interval '10 minutes'
      AND now_there.candidate_id IS NULL
) AS next
