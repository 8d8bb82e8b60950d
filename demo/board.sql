-- The board: what a sales lead reads in the morning. Plain text; scripts/demo.sh adds the colours.
\pset format unaligned
\pset tuples_only on
\pset pager off

SELECT format(E'\n%s active reps · %s open deals · %s contacts · %s companies, scored in %s ms\n',
              r.users_total, (SELECT count(*) FROM deal_health_scores),
              (SELECT count(*) FROM relationship_health_scores WHERE relationship_type = 'contact'),
              (SELECT count(*) FROM relationship_health_scores WHERE relationship_type = 'company'),
              round(extract(epoch FROM r.duration) * 1000))
FROM crm_health.last_run r;

WITH deal AS (
  SELECT row_number() OVER (ORDER BY k.place) AS line, k.status, count(s.id) AS found
  FROM (VALUES (1, 'stalled'), (2, 'critical'), (3, 'warning'), (4, 'healthy')) k (place, status)
  LEFT JOIN deal_health_scores s ON s.health_status = k.status
  GROUP BY k.place, k.status
), contact AS (
  SELECT row_number() OVER (ORDER BY k.place) AS line, k.status, count(s.id) AS found
  FROM (VALUES (1, 'ghost'), (2, 'critical'), (3, 'at_risk'), (4, 'healthy')) k (place, status)
  LEFT JOIN relationship_health_scores s ON s.health_status = k.status AND s.relationship_type = 'contact'
  GROUP BY k.place, k.status
)
SELECT 'DEALS                 CONTACTS'
UNION ALL
(SELECT format('%s %s       %s %s', rpad('[' || d.status || ']', 11), lpad(d.found::text, 4),
               rpad('[' || c.status || ']', 11), lpad(c.found::text, 4))
 FROM deal d JOIN contact c USING (line) ORDER BY line);

SELECT format(E'\n%s alerts raised on deals, %s of them critical · %s ghost signals · %s notifications (a first scoring is no news)',
              count(*), count(*) FILTER (WHERE a.severity = 'critical'),
              (SELECT count(*) FROM ghost_detection_signals g WHERE g.resolved_at IS NULL),
              (SELECT count(*) FROM crm_health.notifications))
FROM deal_health_alerts a WHERE a.status = 'active';

SELECT E'\nHEARD FROM AGAIN, by the mail synced just now';

SELECT format('      %s, %s: score %s -> %s, %s -> %s', coalesce(c.full_name, c.email), p.first_name || ' ' || p.last_name,
              h.overall_health_score - (h.changes_from_previous ->> 'overall_health_score_delta')::integer, h.overall_health_score,
              h.changes_from_previous ->> 'previous_status', h.changes_from_previous ->> 'new_status')
FROM relationship_health_history h
JOIN relationship_health_scores s ON s.id = h.relationship_health_id
JOIN contacts c ON c.id = s.contact_id
JOIN profiles p ON p.id = h.user_id
WHERE h.snapshot_reason = 'recovery'
ORDER BY s.total_deal_value DESC NULLS LAST, c.id
LIMIT 5;

SELECT E'\nNEEDS ATTENTION FIRST';

SELECT format(E'%s. [%s] %s  %s %s%s · %s\n%s',
              lpad((row_number() OVER ())::text, 2), a.health_status, a.health_score, a.kind, a.name,
              coalesce(' · ' || to_char(a.deal_value, 'FM999,999,990'), ''),
              coalesce(nullif(concat_ws(' ', p.first_name, p.last_name), ''), p.email),
              (SELECT string_agg('      - ' || r.reason, E'\n' ORDER BY r.place)
               FROM unnest(a.reasons) WITH ORDINALITY r (reason, place)))
FROM crm_health.needs_attention(p_limit => 10) a
LEFT JOIN profiles p ON p.id = a.user_id;
