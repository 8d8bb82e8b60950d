-- Events of some users over some years, in the order in which they would come in.
-- Settings: bench.first_user, bench.last_user, bench.from_days, bench.to_days (days before the instant of the scores),
-- bench.per_contact (how many), bench.tag (makes the ids differ from those of another call).
INSERT INTO public.communication_events (
  id, user_id, contact_id, deal_id, event_type, direction, subject, snippet, was_opened, was_replied,
  response_time_hours, sentiment_score, thread_id, thread_position, external_id, external_source, sync_source, event_timestamp)
SELECT bench.id('event' || current_setting('bench.tag'), k.row), k.user_id, k.contact_id, d.id, k.event_type,
       CASE WHEN k.event_type IN ('email_received', 'call_received') THEN 'inbound'
            WHEN k.event_type = 'email_opened' THEN 'system' ELSE 'outbound' END,
       'Re: our talk on the rollout, part ' || k.row % 1000,
       'Thank you for the notes. We went through them with the team and have two more questions, see below.',
       k.event_type = 'email_sent' AND k.luck < 0.5, k.event_type LIKE 'email%' AND k.luck < 0.45,
       CASE WHEN k.event_type = 'email_received' AND k.luck < 0.6 THEN round((60 * k.luck)::numeric, 2) END,
       CASE WHEN k.event_type IN ('email_sent', 'email_received') AND k.luck < 0.4 THEN round((5 * k.luck - 1)::numeric, 2) END,
       'thread-' || current_setting('bench.tag') || k.row / 3, k.row % 3 + 1,
       CASE WHEN k.event_type IN ('email_sent', 'email_received') THEN md5(k.row::text || current_setting('bench.tag')) END,
       CASE WHEN k.event_type IN ('email_sent', 'email_received') THEN 'gmail' END,
       CASE WHEN k.event_type IN ('email_sent', 'email_received') THEN 'gmail' ELSE 'manual' END, k.event_timestamp
FROM (
  SELECT e.*,
         CASE WHEN kind < 0.45 THEN 'email_sent' WHEN kind < 0.85 THEN 'email_received' WHEN kind < 0.90 THEN 'email_opened'
              WHEN kind < 0.95 THEN 'call_made' WHEN kind < 0.98 THEN 'meeting_held' ELSE 'call_received' END AS event_type
  FROM (
    SELECT c.n * 1000 + j AS row, c.id AS contact_id, c.user_id,
           bench.as_of() - interval '1 day' * (
             c.silent + (current_setting('bench.from_days')::float8 - c.silent)
             * (current_setting('bench.per_contact')::int - j - 1 + bench.chance('at', c.n * 1000 + j)) / current_setting('bench.per_contact')::int
           ) AS event_timestamp,
           bench.chance('kind', c.n * 1000 + j) AS kind, bench.chance('luck', c.n * 1000 + j) AS luck
    FROM (SELECT b.*, greatest(b.silent_days, current_setting('bench.to_days')::float8) AS silent FROM bench.contact b
          WHERE b.user_n BETWEEN current_setting('bench.first_user')::int AND current_setting('bench.last_user')::int) c,
         generate_series(0, current_setting('bench.per_contact')::int - 1) AS j
  ) e
) k
LEFT JOIN public.deals d ON d.owner_id = k.user_id AND d.primary_contact_id = k.contact_id
ORDER BY k.event_timestamp;
