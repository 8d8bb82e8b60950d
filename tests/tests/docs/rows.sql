-- Each row of the configuration that ships, as a table of docs/reference.md starts its line, and the
-- range that a constraint allows.
SELECT 'settings', format('| `%s` | `%s` |', s.name, s.value),
       coalesce((
         SELECT regexp_replace(c.conname, '^.*_is_(\d+)_to_(\d+)$', '| \1 to \2 |')
         FROM pg_constraint c
         WHERE c.conrelid = 'crm_health.settings'::regclass
           AND c.conname ~ ('^settings_' || s.name || '_is_\d+_to_\d+$')), '')
FROM crm_health.settings s
UNION ALL
SELECT 'stage_thresholds', format('| `%s` | %s | %s | %s |', t.stage, t.optimal_days, t.warning_days, t.critical_days), ''
FROM crm_health.stage_thresholds t
UNION ALL
SELECT 'signal_weights', format('| `%s` | `%s` | %s |', w.model, w.signal, round(w.weight, 2)), ''
FROM crm_health.signal_weights w
UNION ALL
SELECT 'status_cutoffs', format('| `%s` | `%s` | %s |', c.model, c.status, c.min_score), ''
FROM crm_health.status_cutoffs c
