//! The refresh of all active users' scores, one user's failure kept to itself.

use tokio_util::sync::CancellationToken;

use super::{Engine, HealthReport, RunError};
use crate::failure::Failure;

/// Scores younger than this many hours are left alone.
const MAX_AGE_HOURS: i32 = 24;

/// Refreshes each active user's stale scores.
pub async fn refresh_health(
    engine: &Engine,
    triggered_by: &str,
    stop: &CancellationToken,
) -> HealthReport {
    let mut report = HealthReport {
        success: false,
        users_processed: 0,
        deals_refreshed: 0,
        relationships_refreshed: 0,
        errors: Vec::new(),
        triggered_by: triggered_by.to_owned(),
        timestamp: chrono::Utc::now(),
    };
    if let Err(failure) = refresh_each(engine, stop, &mut report).await {
        report.errors.push(RunError::new(None, &failure));
    }
    report.success = report.errors.is_empty();
    report.timestamp = chrono::Utc::now();
    report
}

async fn refresh_each(
    engine: &Engine,
    stop: &CancellationToken,
    report: &mut HealthReport,
) -> Result<(), Failure> {
    if !engine.store.has_extension().await? {
        let reason = "the extension crm_health is not installed (CREATE EXTENSION crm_health)";
        return Err(Failure::Database(reason.to_owned()));
    }
    for user in engine.store.active_users().await? {
        if stop.is_cancelled() {
            return Err(Failure::Interrupted);
        }
        match engine.store.refresh_scores(user, MAX_AGE_HOURS).await {
            Ok(counts) => {
                report.users_processed += 1;
                report.deals_refreshed += counts.deals;
                report.relationships_refreshed += counts.relationships;
            }
            Err(failure) => report.errors.push(RunError::new(Some(user), &failure)),
        }
        engine.pulse.beat();
    }
    Ok(())
}
