-- Looks up what the events of the window do not tell of contacts and companies of a user.
-- $1 the user; $2 contacts, $3 companies (one of the two is NULL), $6 bits of what each lacks, $7 from when on its days are wanted;
-- $5 the first moment of the window. {older_contact_events}, {older_company_events}: one look-up for each bit.
-- IS TRUE keeps a bound from the indexes: with no statistics yet, one on user and time would be taken for as good as one on
-- user, contact and time, and all of the user's events be read for each contact.
WITH lacking AS MATERIALIZED (
  SELECT $1::uuid AS user_id, l.*
  FROM unnest($2::uuid[], $3::uuid[], $6::int4[], $7::timestamptz[]) AS l (contact_id, company_id, lack, past_from)
)
SELECT (
    SELECT crm_health.collect_user_events(
      CASE WHEN l.contact_id IS NOT NULL THEN e.of_id END, CASE WHEN l.contact_id IS NULL THEN e.of_id END,
      e.event_timestamp, e.id, e.event_type, e.direction, e.external_source, e.external_id, NULL, NULL,
      e.was_replied, NULL, NULL, NULL, e.subject, NULL, NULL)
    FROM lacking l
    CROSS JOIN LATERAL (
      SELECT e.* FROM (
        {older_contact_events}
      ) e
      WHERE l.contact_id IS NOT NULL
      UNION ALL
      SELECT e.* FROM (
        {older_company_events}
      ) e
      WHERE l.contact_id IS NULL
    ) e
    WHERE l.lack > 0
  ) AS older, (
    SELECT crm_health.collect_past(l.contact_id, l.company_id, CASE WHEN l.contact_id IS NOT NULL THEN (
        SELECT {days}
        FROM {communication_events} e
        WHERE e.user_id = l.user_id AND e.contact_id = l.contact_id
          AND e.event_timestamp >= l.past_from AND (e.event_timestamp < $5) IS TRUE
      ) ELSE (
        SELECT {days}
        FROM {communication_events} e
        WHERE e.user_id = l.user_id AND e.company_id = l.company_id
          AND e.event_timestamp >= l.past_from AND (e.event_timestamp < $5) IS TRUE
      ) END)
    FROM lacking l
    WHERE l.past_from IS NOT NULL
  ) AS past
