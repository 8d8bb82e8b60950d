-- The fits of the deals' pipeline: the one in use and the newest.
SELECT r.name, r.is_active, r.fitted_at, r.decision, r.judged_deals, r.auc, r.brier, r.calibration_error, r.reliability
FROM crm_health.deal_model_report() r
ORDER BY r.is_active DESC, r.fitted_at DESC
LIMIT 10
