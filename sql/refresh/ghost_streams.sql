-- What is known of each target's streams beside the last 90 days: a sealed state, and what it lacks.
-- $4 the instant, {config} the configuration, {kept_streams} ghost_streams_kept.sql or _absent.sql.
constants AS MATERIALIZED (
  SELECT crm_health.streams_fingerprint({config}) AS fingerprint,
         floor(extract(epoch FROM $4) / 86400)::int4 AS today
),
kept AS MATERIALIZED (
  {kept_streams}
),
-- Days before the window that no state covers: all of them where there is none, else none as a rule.
past AS (
  SELECT e.ordinal,
         crm_health.collect_days(e.event_timestamp, e.direction, e.metadata ->> 'automated' = 'true') AS days
  FROM (
    SELECT m.ordinal, e.event_timestamp, e.direction, e.metadata
    FROM member m
    JOIN kept k USING (ordinal)
    JOIN {communication_events} e ON e.user_id = m.user_id AND e.contact_id = m.contact_id
    WHERE k.sealed_until < $4 - interval '90 days'
      AND e.event_timestamp >= k.sealed_until AND e.event_timestamp < $4 - interval '90 days'
    UNION ALL
    SELECT t.ordinal, e.event_timestamp, e.direction, e.metadata
    FROM target t
    JOIN kept k USING (ordinal)
    JOIN {communication_events} e ON e.user_id = t.user_id AND e.company_id = t.company_id
    WHERE k.sealed_until < $4 - interval '90 days'
      AND e.event_timestamp >= k.sealed_until AND e.event_timestamp < $4 - interval '90 days'
  ) e
  GROUP BY e.ordinal
),
