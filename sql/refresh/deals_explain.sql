-- Each signal of the targets in words. $1–$4 as in deal_signals.sql, $5 the configuration.
WITH {signals}
SELECT x.signal, x.value, x.score, x.weight, x.contribution, x.reason
FROM signals g
CROSS JOIN LATERAL crm_health.deal_explanation(
  $5, $4, g.stage, g.stage_since, g.recent, g.older, g.meetings, g.activity_count, g.last_activity{owner}) x
WHERE $3::uuid[] IS NOT NULL
