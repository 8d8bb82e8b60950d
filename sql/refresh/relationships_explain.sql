-- Each signal of the targets in words. $1–$4 as in relationship_signals.sql, $5 the configuration.
WITH {signals}
SELECT x.signal, x.value, x.score, x.weight, x.contribution, x.reason
FROM signals g
CROSS JOIN LATERAL crm_health.relationship_explanation(
  $5, $4, g.recent, g.older, g.meetings, g.opens_tracked,
  g.total_deal_value::float8, g.at_risk_deal_value::float8,
    g.sealed_streams, g.past_days, g.recent_days) x
