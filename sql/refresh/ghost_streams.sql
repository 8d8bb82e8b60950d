-- What is known of each target's streams beside the last 90 days: a sealed state, and what it lacks.
-- $4 the instant, {config} the configuration, {kept_streams} ghost_streams_kept.sql or _absent.sql.
-- IS TRUE: see user_lookups.sql.
constants AS MATERIALIZED (
  SELECT crm_health.streams_fingerprint({config}) AS fingerprint,
         floor(extract(epoch FROM $4) / 86400)::int4 AS today
),
kept AS MATERIALIZED (
  {kept_streams}
),
-- Days before the window that no state covers: all of them where there is none, else none as a rule.
past AS MATERIALIZED (
  SELECT k.ordinal, (
    SELECT {days}
    FROM {communication_events} e
    WHERE e.user_id = k.user_id AND e.contact_id = k.contact_id
      AND e.event_timestamp >= k.sealed_until AND (e.event_timestamp < {90_days_ago}) IS TRUE
  ) AS days
  FROM kept k
  WHERE k.contact_id IS NOT NULL AND k.sealed_until < {90_days_ago}
  UNION ALL
  SELECT k.ordinal, (
    SELECT {days}
    FROM (
      SELECT e.event_timestamp, e.direction, e.metadata
      FROM {contacts} c
      JOIN {communication_events} e ON e.user_id = c.owner_id AND e.contact_id = c.id
      WHERE c.owner_id = k.user_id AND c.company_id = k.company_id
        AND e.event_timestamp >= k.sealed_until AND (e.event_timestamp < {90_days_ago}) IS TRUE
      UNION ALL
      SELECT e.event_timestamp, e.direction, e.metadata
      FROM {communication_events} e
      WHERE e.user_id = k.user_id AND e.company_id = k.company_id
        AND e.event_timestamp >= k.sealed_until AND (e.event_timestamp < {90_days_ago}) IS TRUE
    ) e
  )
  FROM kept k
  WHERE k.company_id IS NOT NULL AND k.sealed_until < {90_days_ago}
),
