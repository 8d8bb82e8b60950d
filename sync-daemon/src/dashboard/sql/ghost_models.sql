-- The fits of the silence model: the one in use and the newest, each horizon a row.
SELECT r.name, r.is_active, r.fitted_at, r.decision, r.held_out_by, r.held_out_rows, r.horizon_days, r.auc, r.brier,
       r.calibration_error, r.compared_with, r.compared_auc, r.compared_calibration_error, r.reliability
FROM crm_health.ghost_model_report() r
ORDER BY r.is_active DESC, r.fitted_at DESC, r.horizon_days
LIMIT 30
