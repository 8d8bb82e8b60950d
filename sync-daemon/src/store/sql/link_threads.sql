-- Numbers the mails of threads that have new ones: position by time, the same for one mail to several contacts; the
-- previous event is the one before with the same contact. At most $2 new events at a time, which bounds the work also
-- where the planner knows nothing of the table yet. fresh: new events looked at; below $2, all are done.
WITH fresh AS MATERIALIZED (
    SELECT e.thread_id
    FROM {crm}.communication_events e
    WHERE e.user_id = $1 AND e.external_source = 'gmail'
      AND e.thread_id IS NOT NULL AND e.thread_position IS NULL
    LIMIT $2
), placed AS MATERIALIZED (
    SELECT e.id,
           dense_rank() OVER (PARTITION BY e.thread_id ORDER BY e.event_timestamp, e.external_id) AS position,
           lag(e.id) OVER (PARTITION BY e.thread_id, e.contact_id
                           ORDER BY e.event_timestamp, e.external_id) AS previous
    FROM {crm}.communication_events e
    WHERE e.user_id = $1 AND e.external_source = 'gmail'
      AND e.thread_id = ANY (ARRAY(SELECT DISTINCT f.thread_id FROM fresh f))
), numbered AS (
    UPDATE {crm}.communication_events e
    SET thread_position = p.position, previous_event_id = p.previous, is_thread_start = (p.position = 1)
    FROM placed p
    WHERE e.user_id = $1 AND e.id = p.id
      AND (e.thread_position, e.previous_event_id) IS DISTINCT FROM (p.position, p.previous)
)
SELECT count(*) AS fresh FROM fresh
