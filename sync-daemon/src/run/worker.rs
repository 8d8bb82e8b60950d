//! The work on one claimed mailbox, from its tokens to giving the lease back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::RunError;
use super::engine::{Abilities, Engine, OnStep};
use super::request::{RunKind, RunRequest};
use crate::failpoint;
use crate::failure::Failure;
use crate::gmail::Gmail;
use crate::mailbox::{FollowUp, MailboxSync, MoodPass, Progress};
use crate::oauth::TokenSource;
use crate::quota::{UserBucket, until_reset};
use crate::sentiment::LEXICON_MODEL;
use crate::store::{Claimed, Lease, Outcome, Purpose, RefreshCounts, Store};

/// What came of one mailbox.
pub(super) struct Worked {
    pub(super) user_id: Uuid,
    pub(super) progress: Progress,
    pub(super) errors: Vec<RunError>,
    pub(super) refreshed: RefreshCounts,
    pub(super) was_refreshed: bool,
    /// No other mailbox could do better, before this time is over.
    pub(super) stops_run: Option<Duration>,
}

/// `stop`: the daemon is to end, or another mailbox failed for all.
pub(super) async fn work(
    engine: &Arc<Engine>,
    claimed: Claimed,
    request: &RunRequest,
    abilities: Abilities,
    stop: CancellationToken,
    on_step: OnStep,
) -> Worked {
    let clock = Instant::now();
    let user_id = claimed.lease.key.user_id;
    let mut progress = Progress::default();
    let keeper = LeaseKeeper::start(engine, claimed.lease);
    let (result, quota_units) = sync(
        engine,
        &claimed,
        request,
        abilities,
        &stop,
        &on_step,
        &mut progress,
    )
    .await;
    let mut errors: Vec<RunError> = result
        .as_ref()
        .err()
        .map(|f| error_of(user_id, f))
        .into_iter()
        .collect();
    let lost = matches!(result, Err(Failure::LeaseLost));
    let read = if lost || !abilities.keeps_mood {
        0
    } else {
        read_mail(engine, &claimed.lease, &mut progress, &stop).await
    };
    let mut refresh_due = claimed.refresh_due || progress.events > 0 || read > 0;
    let (mut refreshed, mut was_refreshed) = (RefreshCounts::default(), false);
    if refresh_due && !lost && !stop.is_cancelled() {
        let refresh = engine.config.sync.refresh_scores;
        match (FollowUp {
            store: &engine.store,
            refresh,
            has_extension: abilities.has_extension,
        })
        .run(user_id)
        .await
        {
            Ok(counts) => {
                refresh_due = !abilities.has_extension;
                (refreshed, was_refreshed) = (counts, refresh && abilities.has_extension);
            }
            Err((code, failure)) => errors.push(RunError {
                user_id: Some(user_id),
                code: code.to_owned(),
                reason: failure.to_string(),
            }),
        }
        engine.pulse.beat();
    }
    drop(keeper);
    let outcome = outcome_of(&result, request.kind, quota_units, refresh_due, &progress);
    if !lost {
        give_back(engine, &claimed.lease, &outcome).await;
    }
    engine.metrics.count_mailbox(clock.elapsed().as_secs_f64());
    engine
        .metrics
        .count_readings(LEXICON_MODEL, &progress.readings);
    let stops_run = stop_others(engine, &result).await;
    Worked {
        user_id,
        progress,
        errors,
        refreshed,
        was_refreshed,
        stops_run,
    }
}

/// Reads with the language model, where there is one, what is unread. Returns the events that have a reading now.
async fn read_mail(
    engine: &Engine,
    lease: &Lease,
    progress: &mut Progress,
    stop: &CancellationToken,
) -> i64 {
    let Some(reader) = &engine.reader else {
        return 0;
    };
    let pass = MoodPass {
        store: &engine.store,
        reader,
        config: &engine.config,
        lease,
        stop,
        pulse: &engine.pulse,
    };
    let read = pass.run(std::mem::take(&mut progress.texts)).await;
    engine
        .metrics
        .count_readings(reader.model(), &read.by_model);
    progress.readings.merge(read.by_lexicon);
    read.events
}

async fn sync(
    engine: &Arc<Engine>,
    claimed: &Claimed,
    request: &RunRequest,
    abilities: Abilities,
    stop: &CancellationToken,
    on_step: &OnStep,
    progress: &mut Progress,
) -> (Result<(), Failure>, f64) {
    let user = UserBucket::new(&engine.config.quota, claimed.quota_units, claimed.quota_age);
    let tokens = TokenSource::new(
        engine.store.clone(),
        engine.client.http().clone(),
        Arc::clone(&engine.config),
        Arc::clone(&engine.cipher),
        claimed.lease.key,
        claimed.token.clone(),
    );
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(failure) => return (Err(failure), user.level()),
    };
    let backfill = request.kind == RunKind::Backfill;
    let gmail = Gmail {
        client: engine.client.clone(),
        config: Arc::clone(&engine.config),
        tokens,
        user,
        project: Arc::clone(&engine.project),
        pulse: Arc::clone(&engine.pulse),
        stop: stop.clone(),
        backfill,
    };
    let sync = MailboxSync {
        store: &engine.store,
        gmail: &gmail,
        config: &engine.config,
        claimed,
        purpose: if backfill {
            Purpose::Backfill
        } else {
            Purpose::Sync
        },
        since: request.since,
        keeps_mood: abilities.keeps_mood,
        on_batch: &**on_step,
    };
    let result = sync.run(progress).await;
    (result, gmail.user.level())
}

/// A failure of our own set-up concerns the run, not the user whose turn it happened to be.
fn error_of(user_id: Uuid, failure: &Failure) -> RunError {
    RunError::new(Some(user_id).filter(|_| !failure.stops_run()), failure)
}

fn outcome_of(
    result: &Result<(), Failure>,
    kind: RunKind,
    quota_units: f64,
    refresh_due: bool,
    progress: &Progress,
) -> Outcome {
    let failure = result.as_ref().err();
    let pause = match failure {
        Some(Failure::ProjectQuota) => Some(until_reset(chrono::Utc::now())),
        // The mailbox is not to blame: it is free as soon as somebody tries again.
        Some(Failure::Interrupted | Failure::Operator(_)) if kind != RunKind::Backfill => {
            Some(Duration::ZERO)
        }
        // A backfill is claimed as long as there is something to do: without a pause it would fail in a circle.
        Some(failure) if kind == RunKind::Backfill => {
            Some(failure.pause().unwrap_or(Duration::from_secs(900)))
        }
        Some(failure) => failure.pause(),
        None => None,
    };
    Outcome {
        state: failure.map_or("ok", Failure::mailbox_state),
        reason: failure.map(Failure::code),
        retry_seconds: pause.map(|p| p.as_secs_f64()),
        quota_units,
        refresh_due,
        finished: kind != RunKind::Backfill
            && !matches!(failure, Some(Failure::Interrupted | Failure::Operator(_))),
        events: progress.events,
    }
}

async fn give_back(engine: &Engine, lease: &Lease, outcome: &Outcome) {
    if let Err(error) = engine.store.release(lease, outcome).await {
        tracing::warn!(%error, "a lease could not be given back; it runs out by itself");
    }
    failpoint::pass("released");
}

/// How long the whole run must stop, if it must; the daily limit stops all daemons.
async fn stop_others(engine: &Engine, result: &Result<(), Failure>) -> Option<Duration> {
    let failure = result.as_ref().err().filter(|f| f.stops_run())?;
    match failure {
        Failure::ProjectQuota => {
            let pause = until_reset(chrono::Utc::now());
            if let Err(error) = engine.store.pause_project(pause, failure.code()).await {
                tracing::warn!(%error, "the pause of the project could not be noted");
            }
            Some(pause)
        }
        Failure::ProjectPaused { left } => Some(*left),
        _ => Some(engine.repeat_after()),
    }
}

/// Renews a lease while its mailbox is worked on, so that long waits do not lose it.
struct LeaseKeeper(JoinHandle<()>);

impl LeaseKeeper {
    fn start(engine: &Engine, lease: Lease) -> Self {
        let period = Duration::from_secs((engine.config.sync.lease_seconds / 3).max(1));
        Self(tokio::spawn(keep(engine.store.clone(), lease, period)))
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends when the lease is lost: the next write says so.
async fn keep(store: Store, lease: Lease, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        if matches!(
            store.renew_lease(&lease).await,
            Err(Failure::LeaseLost | Failure::Deactivated)
        ) {
            return;
        }
    }
}
