-- A CRM of one year, the same on every run: every value is a hash of its row's number.
-- $1 users, $2 contacts a user, $3 deals a user, as the settings bench.users, bench.contacts, bench.deals.
-- The scores are as of 2026-06-01; events go on for ten days after it, for runs of a later day.
SELECT set_config('synchronous_commit', 'off', false);

CREATE SCHEMA bench;

-- A number from 0 to 1 that depends on what it is for and on the row.
CREATE FUNCTION bench.chance(p_what text, p_row bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (hashint8extended(p_row, hashtext(p_what)) & 1073741823) / 1073741824.0::float8 $$;

CREATE FUNCTION bench.id(p_what text, p_row bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT md5(p_what || p_row)::uuid $$;

CREATE FUNCTION bench.as_of() RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT timestamptz '2026-06-01 07:00+00' $$;

-- Each contact: whose it is, and how many days it has been silent for. Three in ten went silent.
CREATE TABLE bench.contact AS
SELECT c AS n, bench.id('contact', c) AS id, bench.id('user', c / current_setting('bench.contacts')::int) AS user_id,
       c / current_setting('bench.contacts')::int AS user_n,
       CASE WHEN bench.chance('silent', c) < 0.3 THEN 1 + 300 * bench.chance('silence', c) ELSE -10 END AS silent_days
FROM generate_series(0, current_setting('bench.users')::int * current_setting('bench.contacts')::int - 1) AS c;

INSERT INTO public.profiles (id, email, last_login_at)
SELECT bench.id('user', u), 'user' || u || '@example.com', bench.as_of()
FROM generate_series(0, current_setting('bench.users')::int - 1) AS u;

INSERT INTO public.contacts (id, owner_id, email, full_name)
SELECT c.id, c.user_id, 'contact' || c.n || '@example.com', 'Contact ' || c.n
FROM bench.contact c;

INSERT INTO public.deals (id, owner_id, name, value, status, stage_id, created_at, stage_changed_at, primary_contact_id)
SELECT bench.id('deal', d), bench.id('user', u), 'Deal ' || d, round((1000 + 90000 * bench.chance('value', d))::numeric, 2), 'active',
       (SELECT s.id FROM public.deal_stages s WHERE s.is_final IS NOT TRUE
        ORDER BY hashtextextended(s.name, d) LIMIT 1),
       bench.as_of() - interval '300 days', bench.as_of() - 60 * bench.chance('stage', d) * interval '1 day',
       bench.id('contact', u * current_setting('bench.contacts')::int + i)
FROM generate_series(0, current_setting('bench.users')::int - 1) AS u,
     generate_series(0, current_setting('bench.deals')::int - 1) AS i,
     LATERAL (SELECT u * current_setting('bench.deals')::bigint + i AS d) AS n;

INSERT INTO public.meetings (id, title, meeting_start, owner_user_id, primary_contact_id, sentiment_score)
SELECT bench.id('meeting', m), 'Meeting ' || m, bench.as_of() + (20 - 385 * bench.chance('meeting at', m)) * interval '1 day',
       c.user_id, c.id, CASE WHEN bench.chance('meeting told', m) < 0.5 THEN round((2 * bench.chance('mood', m) - 1)::numeric, 2) END
FROM bench.contact c, generate_series(0, 1) AS j, LATERAL (SELECT 2 * c.n + j AS m) AS n;

INSERT INTO public.activities (id, user_id, type, deal_id, created_at)
SELECT bench.id('activity', a), d.owner_id, 'task', d.id, bench.as_of() - 365 * bench.chance('activity at', a) * interval '1 day'
FROM (SELECT d.id, d.owner_id, row_number() OVER (ORDER BY d.id) AS n FROM public.deals d) d,
     generate_series(0, 11) AS j, LATERAL (SELECT 12 * d.n + j AS a) AS n;
