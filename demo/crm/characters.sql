-- How each contact behaves, and how that changes over the year.

-- By the mood of the company and the place of the contact there.
CREATE TEMPORARY TABLE demo_character ON COMMIT DROP AS
SELECT c.n, c.id, c.company_id, c.user_id,
       CASE c.mood
           WHEN 'good' THEN (ARRAY['champion', 'champion', 'steady', pg_temp.demo_pick('quirk ' || c.n, ARRAY['steady', 'new', 'faded']), 'champion'])[c.place]
           WHEN 'mixed' THEN (ARRAY['slowing', pg_temp.demo_pick('quirk ' || c.n, ARRAY['rescheduler', 'slowing']), 'steady', 'cooling', 'quiet'])[c.place]
           WHEN 'bad' THEN (ARRAY['unhappy', 'cooling', 'faded', 'ghost', 'unhappy'])[c.place]
           ELSE (ARRAY['faded', 'ghost', 'ghost', 'quiet', 'faded'])[c.place]
       END AS name,
       floor(pg_temp.demo_chance('stop ' || c.n) * 25) AS stop_days, -- not all go silent on one day
       -- A few have been known for the whole year, most for four to six months.
       110 + floor(pg_temp.demo_chance('since ' || c.n) ^ 4 * 250) AS since_days
FROM demo_contact c;

-- A mail thread every period_days, from from_days to until_days ago (until_days of a contact who goes silent: plus the
-- contact's own stop_days). The contact answers with that chance, within about these hours.
CREATE TEMPORARY TABLE demo_phase ON COMMIT DROP AS
SELECT * FROM (VALUES
    ('champion',    1, 360, 0,  false, 6,  0.85, 5,  0.90, 0.55),
    ('steady',      1, 360, 0,  false, 10, 0.85, 16, 0.70, 0.25),
    ('slowing',     1, 360, 30, false, 6,  0.75, 14, 0.70, 0.20),
    ('slowing',     2, 30,  0,  false, 12, 1.00, 23, 0.60, 0.00),
    ('cooling',     1, 360, 30, false, 5,  0.85, 6,  0.80, 0.30), -- answers in a quarter of a day …
    ('cooling',     2, 30,  0,  false, 14, 1.00, 64, 0.50, -0.10), -- … then in two or three days
    ('unhappy',     1, 360, 30, false, 4,  0.75, 14, 0.60, 0.10),
    ('unhappy',     2, 30,  0,  false, 15, 1.00, 60, 0.50, -0.55),
    ('ghost',       1, 360, 36, true,  6,  0.85, 8,  0.85, 0.30),
    ('ghost',       2, 36,  14, false, 8,  0.00, 0,  0.00, 0.00), -- writing into the void
    ('faded',       1, 360, 34, true,  5,  0.80, 10, 0.80, -0.20),
    ('rescheduler', 1, 360, 0,  false, 9,  0.75, 20, 0.65, 0.15),
    ('new',         1, 14,  0,  false, 4,  1.00, 5,  0.95, 0.40),
    ('quiet',       1, 70,  20, false, 20, 0.00, 0,  0.20, 0.00))
    AS p(name, phase, from_days, until_days, stops, period_days, reply_chance, reply_hours, open_chance, sentiment);

-- The same for meetings; the newest one went as last_sentiment says. Below zero days: one is booked.
CREATE TEMPORARY TABLE demo_rhythm ON COMMIT DROP AS
SELECT * FROM (VALUES
    ('champion',    360, -6, 11, 0.55,  0.65),
    ('steady',      360, 0,  22, 0.30,  0.35),
    ('slowing',     360, 15, 25, 0.15,  0.10),
    ('cooling',     360, 20, 21, 0.20,  0.05),
    ('unhappy',     360, 17, 14, 0.15, -0.60),
    ('ghost',       360, 50, 24, 0.20, -0.15),
    ('faded',       360, 55, 26, -0.20, -0.55),
    ('rescheduler', 360, 40, 21, 0.25,  0.20),
    ('new',         8,   0,  8,  0.40,  0.40))
    AS r(name, from_days, until_days, period_days, sentiment, last_sentiment);
