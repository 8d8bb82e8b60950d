-- One fetched batch, in one statement: its events are written, its ids leave the ledger, its failures are noted, the
-- lease is renewed. $1 user, $2 integration, $3 lease token, $4 lease seconds, $5 quota units left, $6 counters
-- [seen, unmatched, skipped, gone, poison, units], $7 ids dealt with, $8/$9/$10/$11 ids that failed with their
-- attempts, state and reason, $12–$23 the candidate events, column by column ($15 is epoch milliseconds). {mood_columns}
-- and {mood_values} stand for what a model found, or for nothing where the table has no place for it; the names of columns
-- in braces for casts to their types.
WITH fence AS (
    UPDATE crm_health_sync.mailboxes m
    SET lease_until = clock_timestamp() + make_interval(secs => $4),
        quota_units = $5, quota_at = now(),
        messages_seen = messages_seen + ($6::bigint[])[1],
        messages_unmatched = messages_unmatched + ($6::bigint[])[2],
        messages_skipped = messages_skipped + ($6::bigint[])[3],
        messages_gone = messages_gone + ($6::bigint[])[4],
        messages_poison = messages_poison + ($6::bigint[])[5],
        units_spent = units_spent + ($6::bigint[])[6],
        refresh_due = m.refresh_due OR cardinality($12::text[]) > 0
    WHERE m.user_id = $1 AND m.integration_id = $2 AND m.lease_token = $3
      AND EXISTS (SELECT 1 FROM {crm}.google_integrations g
                  WHERE g.id = $2 AND g.user_id = $1 AND g.is_active)
    RETURNING 1
), done AS (
    DELETE FROM crm_health_sync.pending p
    WHERE p.user_id = $1 AND p.integration_id = $2 AND p.message_id = ANY ($7::text[])
      AND EXISTS (SELECT 1 FROM fence)
), failed AS (
    UPDATE crm_health_sync.pending p
    SET attempts = f.attempts, state = f.state, reason = f.reason
    FROM unnest($8::text[], $9::smallint[], $10::text[], $11::text[]) AS f(id, attempts, state, reason)
    -- Mostly there are none, and then nothing is to be looked for.
    WHERE cardinality($8::text[]) > 0 AND p.user_id = $1 AND p.integration_id = $2 AND p.message_id = f.id
      AND EXISTS (SELECT 1 FROM fence)
), candidate AS (
    SELECT u.*, to_timestamp(u.at_ms / 1000.0) AS at, c.company_id
    FROM unnest($12::text[], $13::uuid[], $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[],
                $19::text[], $20::text[], $21::double precision[], $22::text[], $23::text[])
         AS u(message_id, contact_id, event_type, at_ms, direction, subject, thread_id, rfc822_id, metadata,
              sentiment_score, sentiment_label, ai_model)
    JOIN {crm}.contacts c ON c.id = u.contact_id AND c.owner_id = $1
    WHERE EXISTS (SELECT 1 FROM fence)
), only_deal AS (
    SELECT d.primary_contact_id AS contact_id, (array_agg(d.id))[1] AS deal_id
    FROM {crm}.deals d
    WHERE d.owner_id = $1 AND d.status = 'active'
      AND d.primary_contact_id = ANY ($13::uuid[])
    GROUP BY d.primary_contact_id
    HAVING count(*) = 1
), known AS MATERIALIZED (
    -- Mails of the batch that are there already under another id. In the mailbox itself a copy is in the same thread. The
    -- source is not asked for: before statistics are there, the planner would read all mail of the user by it.
    SELECT e.contact_id, e.metadata ->> 'rfc822_message_id' AS rfc822_id
    FROM {crm}.communication_events e
    WHERE e.user_id = $1 AND e.thread_id = ANY ($18::text[])
      AND e.metadata ->> 'rfc822_message_id' = ANY ($19::text[])
    UNION ALL
    -- Through another mailbox of the user it is somewhere in the days around the batch, which are read once, and only
    -- where there is another mailbox: where all mail is with a few contacts, these days hold much.
    SELECT e.contact_id, e.metadata ->> 'rfc822_message_id'
    FROM {crm}.communication_events e
    WHERE EXISTS (SELECT 1 FROM crm_health_sync.mailboxes o WHERE o.user_id = $1 AND o.integration_id <> $2)
      AND e.user_id = $1 AND e.contact_id = ANY ($13::uuid[])
      AND e.event_timestamp BETWEEN (SELECT min(k.at) - interval '2 days' FROM candidate k)
                                AND (SELECT max(k.at) + interval '2 days' FROM candidate k)
      AND e.external_source = 'gmail' AND e.metadata ->> 'rfc822_message_id' = ANY ($19::text[])
), written AS (
    INSERT INTO {crm}.communication_events
        (user_id, contact_id, company_id, deal_id, event_type, direction, subject, thread_id,
         external_id, external_source, sync_source, metadata, event_timestamp, communication_date {mood_columns})
    -- Copies may come in one batch, too.
    SELECT DISTINCT ON (k.contact_id, coalesce(k.rfc822_id, k.message_id))
           $1, k.contact_id, k.company_id, o.deal_id, k.event_type{event_type}, k.direction{direction}, k.subject{subject},
           k.thread_id, k.message_id, 'gmail'{external_source}, 'gmail'{sync_source}, k.metadata::jsonb, k.at, k.at
           {mood_values}
    FROM candidate k
    LEFT JOIN only_deal o ON o.contact_id = k.contact_id
    WHERE NOT EXISTS (
        SELECT 1 FROM known n WHERE n.contact_id = k.contact_id AND n.rfc822_id = k.rfc822_id)
    ORDER BY k.contact_id, coalesce(k.rfc822_id, k.message_id), k.at, k.message_id
    ON CONFLICT DO NOTHING
    RETURNING external_id, contact_id
)
SELECT (SELECT count(*) FROM fence) AS fenced,
       count(*) AS events,
       count(DISTINCT w.external_id) AS messages,
       coalesce(array_agg(DISTINCT w.contact_id) FILTER (WHERE w.contact_id IS NOT NULL), '{}') AS contacts
FROM written w
