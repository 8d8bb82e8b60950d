//! The refresh of all active users' scores: the extension's own job, which commits as it goes, keeps one user's failure
//! to itself, and has a log.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::{Engine, HealthReport, RunError};
use crate::failure::Failure;
use crate::store::{JobError, JobResult};

/// How often a run is looked at while it is on.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Refreshes each active user's stale scores, or waits for the run that is on, whoever started it.
pub async fn refresh_health(
    engine: &Engine,
    triggered_by: &str,
    stop: &CancellationToken,
) -> HealthReport {
    let (result, failure) = match refresh(engine, triggered_by, stop).await {
        Ok(result) => (Some(result), None),
        Err(failure) => (None, Some(failure)),
    };
    let mut errors: Vec<RunError> = result
        .iter()
        .flat_map(|r| r.errors.iter().map(run_error))
        .collect();
    errors.extend(failure.map(|f| RunError::new(None, &f)));
    let counts = result.as_ref();
    HealthReport {
        success: errors.is_empty(),
        users_processed: counts.map_or(0, |r| r.users_processed),
        deals_refreshed: counts.map_or(0, |r| r.deals_refreshed),
        relationships_refreshed: counts.map_or(0, |r| r.relationships_refreshed),
        errors,
        triggered_by: counts.map_or(triggered_by, |r| &r.triggered_by).to_owned(),
        timestamp: Utc::now(),
    }
}

fn run_error(error: &JobError) -> RunError {
    let failure = if error.sql_state == "57014" {
        Failure::Interrupted
    } else {
        Failure::Database(format!("{} (SQLSTATE {})", error.reason, error.sql_state))
    };
    RunError::new(error.user_id, &failure)
}

async fn refresh(
    engine: &Engine,
    triggered_by: &str,
    stop: &CancellationToken,
) -> Result<JobResult, Failure> {
    if !engine.store.has_refresh_job().await? {
        let reason = "the extension crm_health is not installed (CREATE EXTENSION crm_health)";
        return Err(Failure::Database(reason.to_owned()));
    }
    loop {
        let asked_at = engine.store.now().await?;
        let result = call(engine, triggered_by, stop).await?;
        if !result.is_taken() {
            return Ok(result);
        }
        if let Some(result) = join(engine, asked_at, stop).await? {
            return Ok(result);
        }
    }
}

/// Calls the job, watching how it gets on, and cancels it when the daemon stops.
async fn call(
    engine: &Engine,
    triggered_by: &str,
    stop: &CancellationToken,
) -> Result<JobResult, Failure> {
    let (mut session, number) = engine.store.job_session().await?;
    let mut job = std::pin::pin!(
        engine
            .store
            .refresh_active_users(&mut session, triggered_by)
    );
    let mut seen = None;
    let mut stopping = false;
    loop {
        tokio::select! {
            result = &mut job => return result,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                // Should that fail, the run goes on in the database, and is told of in its log.
                if let Err(error) = engine.store.cancel(number).await {
                    tracing::warn!(%error, "the refresh could not be cancelled");
                    return Err(Failure::Interrupted);
                }
            }
            () = tokio::time::sleep(LOOK_EVERY) => beat_on_progress(engine, &mut seen).await,
        }
    }
}

/// Users done are progress. Who may not see the log has no way to tell, and is believed.
async fn beat_on_progress(engine: &Engine, seen: &mut Option<i32>) {
    let done = engine.store.last_job().await;
    let done = done.ok().flatten().map(|run| run.users_done);
    if done.is_none() || done != *seen {
        *seen = done;
        engine.pulse.beat();
    }
}

/// Waits for the run that another session has on; `None` when it ended without a word, so that ours may begin.
async fn join(
    engine: &Engine,
    asked_at: DateTime<Utc>,
    stop: &CancellationToken,
) -> Result<Option<JobResult>, Failure> {
    /// Between the lock and the row of the log there is a moment.
    const LOOKS_WITHOUT_A_RUN: u32 = 3;
    let mut without = 0;
    while without < LOOKS_WITHOUT_A_RUN {
        match engine.store.last_job().await? {
            Some(run) if run.finished_at.is_some_and(|at| at >= asked_at) => {
                return Ok(Some(run.result));
            }
            Some(run) if run.is_on => without = 0,
            _ => without += 1,
        }
        if !engine.pulse.wait(LOOK_EVERY, stop).await {
            return Err(Failure::Interrupted);
        }
    }
    Ok(None)
}
