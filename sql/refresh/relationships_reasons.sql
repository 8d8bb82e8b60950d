-- The reasons of the targets' scores. $1–$4 as in relationship_signals.sql, $5 the configuration.
WITH {signals}
SELECT g.ordinal,
       crm_health.relationship_reasons(
         $5, $4, g.recent, g.older, g.meetings, g.opens_tracked,
         g.total_deal_value::float8, g.at_risk_deal_value::float8,
    g.sealed_streams, g.past_days, g.recent_days)
FROM signals g
