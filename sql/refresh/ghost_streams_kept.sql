-- {streams}: the table contact_streams. A state holds every day up to sealed_day. It serves as long as
-- it was made with these constants, of these contacts (a company's may change), and of days before
-- today. One that is missing, or 58 to 89 days old, is made anew up to 30 days ago, when little arrives
-- late; spread by the id, so that not all are made anew on one day.
SELECT k.ordinal, k.user_id, k.contact_id, k.company_id, k.changes, k.members, k.fingerprint,
       CASE WHEN k.is_valid AND k.sealed_day < k.today THEN k.state END AS state,
       CASE WHEN k.is_valid AND k.sealed_day < k.today
            THEN to_timestamp((k.sealed_day + 1) * 86400.0) ELSE '-infinity' END AS sealed_until,
       CASE WHEN (NOT k.is_valid OR k.sealed_day < k.today - 58 - k.spread) AND $4 <= now() + interval '1 day'
            THEN k.today - 30 END AS seal_day
FROM (
  SELECT t.ordinal, t.user_id, t.contact_id, t.company_id, coalesce(s.changes, 0) AS changes, t.members,
         s.sealed_day, s.state, c.today, c.fingerprint,
         uuid_hash(coalesce(t.contact_id, t.company_id)) & 31 AS spread,
         coalesce(s.fingerprint = c.fingerprint AND s.members = t.members
                  AND s.state IS NOT NULL, false) AS is_valid
  FROM (
    SELECT t.*, CASE WHEN t.company_id IS NULL THEN 0 ELSE coalesce((
      SELECT hashtextextended(string_agg(c.id::text, ',' ORDER BY c.id), 0)
      FROM {contacts} c
      WHERE c.owner_id = t.user_id AND c.company_id = t.company_id), 0) END AS members
    FROM target t
  ) t
  CROSS JOIN constants c
  LEFT JOIN LATERAL (
    SELECT s.*
    FROM {streams} s
    WHERE s.user_id = t.user_id AND s.target_id = coalesce(t.contact_id, t.company_id)
    LIMIT 1
  ) s ON true
) k
