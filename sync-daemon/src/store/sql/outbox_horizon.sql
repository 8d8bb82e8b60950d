-- From where the outbox is looked at, and whether everything up to the candidate has ended: what is visible to the next
-- statement is then all that will ever be there. One daemon at a time.
SELECT CASE WHEN o.relation = 'crm_health.notifications'::regclass::oid THEN o.settled_id ELSE 0 END AS settled_id,
       coalesce(o.relation = 'crm_health.notifications'::regclass::oid
                AND o.candidate_xid <= pg_snapshot_xmin(pg_current_snapshot()), false) AS candidate_ended
FROM crm_health_sync.outbox o
FOR UPDATE
