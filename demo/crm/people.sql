-- The reps, the companies they look after, and the people there.

CREATE TEMPORARY TABLE demo_rep ON COMMIT DROP AS
SELECT n, md5('demo rep ' || n)::uuid AS id, first_name, last_name, idle_days
FROM (VALUES
    (1, 'Amara', 'Okafor', 0), (2, 'Jonas', 'Lindqvist', 1), (3, 'Mei', 'Tanaka', 0),
    (4, 'Rafael', 'Moreno', 2), (5, 'Priya', 'Raman', 1),
    (6, 'Tom', 'Ashworth', 30)) -- away for a month: the scheduled refresh leaves him out
    AS r(n, first_name, last_name, idle_days);

-- Ten companies a rep, of every mood.
CREATE TEMPORARY TABLE demo_company ON COMMIT DROP AS
SELECT n, md5('demo company ' || n)::uuid AS id, (n - 1) / 10 + 1 AS rep,
       CASE WHEN n % 10 < 4 THEN 'good' WHEN n % 10 < 7 THEN 'mixed' WHEN n % 10 < 9 THEN 'bad' ELSE 'dead' END AS mood,
       part1 || ' ' || part2 AS name,
       lower(part1) || '-' || lower(part2) || (ARRAY['.test', '.example.com', '.example.org'])[n % 3 + 1] AS domain
FROM generate_series(1, 60) AS n
CROSS JOIN LATERAL (SELECT
    (ARRAY['Alder', 'Beacon', 'Cobalt', 'Dovetail', 'Ember', 'Fjord', 'Granite', 'Harbor', 'Indigo', 'Juniper',
           'Keystone', 'Lantern', 'Meridian', 'Nimbus', 'Orchard', 'Pinnacle', 'Quarry', 'Riverbend', 'Saffron', 'Timber',
           'Umbra', 'Verdant', 'Willow', 'Xenia', 'Yarrow', 'Zephyr', 'Basalt', 'Clover', 'Driftwood', 'Estuary'])[n % 30 + 1] AS part1,
    (ARRAY['Logistics', 'Foods', 'Analytics', 'Robotics', 'Insurance', 'Textiles', 'Energy', 'Clinics', 'Media', 'Freight',
           'Optics', 'Software', 'Brewing', 'Packaging', 'Hotels', 'Ceramics', 'Payments', 'Farms', 'Marine', 'Learning'])[n * 7 % 20 + 1] AS part2
) AS words;

-- The first contact of a company leads its first deal, the second its second.
CREATE TEMPORARY TABLE demo_contact ON COMMIT DROP AS
SELECT p.n, md5('demo contact ' || p.n)::uuid AS id, c.n AS company, c.id AS company_id, c.mood, c.domain, r.id AS user_id,
       (p.n - 1) / 60 + 1 AS place,
       (ARRAY['Adaeze', 'Bjorn', 'Carmen', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hiroshi', 'Ingrid', 'Jamal',
              'Katarina', 'Liam', 'Mariam', 'Nikhil', 'Olivia', 'Pedro', 'Qiang', 'Rosa', 'Samuel', 'Thandiwe',
              'Ulrike', 'Vikram', 'Wanjiru', 'Xiomara', 'Yusuf', 'Zofia', 'Aisha', 'Benedikt', 'Chidi', 'Dana',
              'Emeka', 'Freya', 'Gustavo', 'Hana', 'Ivan', 'Jia', 'Kofi', 'Leila', 'Mateo', 'Noor',
              'Oscar', 'Paloma', 'Rahul', 'Sofia', 'Tariq', 'Una', 'Viktor', 'Winona', 'Yara', 'Zane'])[(p.n - 1) % 50 + 1] AS first_name,
       (ARRAY['Abara', 'Bergman', 'Castillo', 'Dubois', 'Eriksen', 'Fontaine', 'Gupta', 'Haddad', 'Ito', 'Jensen',
              'Kowalski', 'Lopez', 'Mbeki', 'Novak', 'Oyelaran', 'Park', 'Quinn', 'Rossi', 'Silva', 'Takahashi',
              'Usman', 'Vargas', 'Weber', 'Xu', 'Yilmaz', 'Zhang', 'Adeyemi', 'Banerjee', 'Chen', 'Diaz',
              'Farouk', 'Greene', 'Hussein', 'Ivanova', 'Kim', 'Larsen', 'Mensah', 'Nguyen', 'Osei', 'Petrov',
              'Ramos', 'Sato', 'Tran', 'Walker', 'Yamamoto', 'Zulu', 'Moretti'])[p.n * 13 % 47 + 1] AS last_name
FROM generate_series(1, 250) AS p(n)
JOIN demo_company c ON c.n = (p.n - 1) % 60 + 1
JOIN demo_rep r ON r.n = c.rep;

-- The rows of an earlier run go, and their scores with them.
DELETE FROM :"crm_schema".communication_events WHERE user_id IN (SELECT id FROM demo_rep);
DELETE FROM :"crm_schema".activities WHERE user_id IN (SELECT id FROM demo_rep);
DELETE FROM :"crm_schema".deals WHERE owner_id IN (SELECT id FROM demo_rep);
DELETE FROM :"crm_schema".meetings WHERE owner_user_id IN (SELECT id FROM demo_rep);
DELETE FROM :"crm_schema".contacts WHERE owner_id IN (SELECT id FROM demo_rep);
DELETE FROM :"crm_schema".companies WHERE owner_id IN (SELECT id FROM demo_rep);
DELETE FROM :"crm_schema".profiles WHERE id IN (SELECT id FROM demo_rep);

INSERT INTO :"crm_schema".profiles (id, email, first_name, last_name, last_login_at, is_admin, created_at, updated_at)
SELECT r.id, lower(r.first_name) || '@sales.example.com', r.first_name, r.last_name,
       t.as_of - make_interval(days => r.idle_days, mins => 40 + 7 * r.n), r.n = 1, t.as_of - interval '400 days', t.as_of
FROM demo_rep r CROSS JOIN demo_now t;

INSERT INTO :"crm_schema".companies (id, name, domain, owner_id, created_at, updated_at)
SELECT c.id, c.name, c.domain, r.id, t.as_of - interval '380 days', t.as_of - interval '380 days'
FROM demo_company c JOIN demo_rep r ON r.n = c.rep CROSS JOIN demo_now t;

INSERT INTO :"crm_schema".contacts (id, email, first_name, last_name, full_name, company_id, owner_id, created_at, updated_at)
SELECT c.id, lower(c.first_name || '.' || c.last_name) || '@' || c.domain, c.first_name, c.last_name,
       c.first_name || ' ' || c.last_name, c.company_id, c.user_id,
       t.as_of - interval '370 days', t.as_of - interval '370 days'
FROM demo_contact c CROSS JOIN demo_now t;
