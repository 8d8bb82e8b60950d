-- Numbers the mails of each thread that has new ones: position by time, the same for one mail to several contacts;
-- the previous event is the one before with the same contact.
WITH touched AS (
    SELECT DISTINCT e.thread_id
    FROM {crm}.communication_events e
    WHERE e.user_id = $1 AND e.external_source = 'gmail'
      AND e.thread_id IS NOT NULL AND e.thread_position IS NULL
), placed AS (
    SELECT e.id,
           dense_rank() OVER (PARTITION BY e.thread_id ORDER BY e.event_timestamp, e.external_id) AS position,
           lag(e.id) OVER (PARTITION BY e.thread_id, e.contact_id
                           ORDER BY e.event_timestamp, e.external_id) AS previous
    FROM {crm}.communication_events e
    JOIN touched t ON t.thread_id = e.thread_id
    WHERE e.user_id = $1 AND e.external_source = 'gmail'
)
UPDATE {crm}.communication_events e
SET thread_position = p.position, previous_event_id = p.previous, is_thread_start = (p.position = 1)
FROM placed p
WHERE e.user_id = $1 AND e.id = p.id
  AND (e.thread_position, e.previous_event_id) IS DISTINCT FROM (p.position, p.previous)
