-- The contacts with the worst scores. $1 users (NULL: all), $2 how many. {scores}: the score table.
SELECT s.user_id, c.id,
       coalesce(nullif(c.full_name, ''), nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.email),
       s.overall_health_score::int4, s.health_status::text,
       (SELECT sum(d.value) FROM {deals} d WHERE d.owner_id = s.user_id AND d.primary_contact_id = c.id)
FROM {scores} s
JOIN {contacts} c ON c.id = s.contact_id AND c.owner_id = s.user_id
WHERE ($1::uuid[] IS NULL OR s.user_id = ANY ($1)) AND s.health_status <> 'healthy'
ORDER BY s.overall_health_score, 6 DESC NULLS LAST, c.id
LIMIT $2
