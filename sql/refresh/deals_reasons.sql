-- The reasons of the targets' scores. $1–$4 as in deal_signals.sql, $5 the configuration.
WITH {signals}
SELECT g.ordinal,
       crm_health.deal_reasons(
         $5, $4, g.stage, g.stage_since, g.recent, g.older, g.meetings, g.activity_count, g.last_activity{owner})
FROM signals g
WHERE $3::uuid[] IS NOT NULL
