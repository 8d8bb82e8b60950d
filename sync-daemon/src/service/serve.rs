//! The life of the service: bind, schedule, reload, stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rand::Rng;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{AppState, Runner, Schedule, router, watchdog};
use crate::config::{Config, ConfigError};
use crate::failure::Failure;
use crate::notify::keep_notifying;
use crate::run::{Engine, RunKind, RunRequest};

/// How often mailboxes are looked for whose pause is over or whose daemon died.
const RETRY_EVERY: Duration = Duration::from_secs(30);

/// Batches in flight get so long after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(45);

/// Reads the configuration anew.
pub type Reload = Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// Serves until `stop`; `reload` fires with each SIGHUP.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(
    engine: Arc<Engine>,
    reload: Reload,
    mut hangups: tokio::sync::mpsc::Receiver<()>,
    stop: CancellationToken,
) -> Result<(), std::io::Error> {
    let listener = TcpListener::bind(engine.config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let pulse = Arc::clone(&engine.pulse);
    let runner = Arc::new(Runner::new(engine, stop.clone()));
    let app = router(AppState {
        runner: Arc::clone(&runner),
    });
    let ending = stop.clone();
    let server = tokio::spawn(async move {
        let served = axum::serve(listener, app).with_graceful_shutdown(ending.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the HTTP server ended");
        }
    });
    // It goes on through the shutdown: finishing a batch is progress too.
    let feeding = tokio::spawn(watchdog::feed(pulse, CancellationToken::new()));
    let clock = tokio::spawn(keep_schedule(Arc::clone(&runner), stop.clone()));
    let notifying = tokio::spawn(keep_notifying(Arc::clone(&runner), stop.clone()));
    watchdog::tell(NotifyState::Ready);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(()) = hangups.recv() => reload_config(&runner, &reload),
        }
    }
    watchdog::tell(NotifyState::Stopping);
    tracing::info!("stopping: finishing what is in flight");
    let at_work = async {
        runner.idle().await;
        // An error says that it is over too.
        let _ = notifying.await;
    };
    if tokio::time::timeout(STOP_WITHIN, at_work).await.is_err() {
        tracing::warn!("work in flight did not end in time; its leases run out by themselves");
    }
    // Callers that joined the run still get its report.
    let _ = tokio::time::timeout(Duration::from_secs(2), server).await;
    clock.abort();
    feeding.abort();
    Ok(())
}

fn reload_config(runner: &Runner, reload: &Reload) {
    let current = runner.engine();
    let next = reload().map_err(|e| e.to_string()).and_then(|config| {
        if config.listen != current.config.listen {
            tracing::warn!("the listen address changes with a restart only");
        }
        Engine::new(
            Arc::new(config),
            Arc::clone(&current.pulse),
            Arc::clone(&current.metrics),
        )
        .map_err(|e: Failure| e.to_string())
    });
    match next {
        Ok(engine) => {
            runner.replace_engine(Arc::new(engine));
            tracing::info!("configuration reloaded; it holds from the next run on");
        }
        Err(error) => tracing::error!(%error, "configuration not reloaded, the old one stays"),
    }
}

/// Starts scheduled runs, each once, and in between the retries.
async fn keep_schedule(runner: Arc<Runner>, stop: CancellationToken) {
    // What was missed while nothing ran is made up for: mailboxes synced since are not due.
    let mut done: Option<DateTime<Utc>> = None;
    let mut delay: Option<(DateTime<Utc>, Instant)> = None;
    let mut retried = Instant::now();
    while !stop.is_cancelled() {
        let busy = runner.is_busy().await;
        if !busy {
            runner.engine().pulse.beat();
        }
        let due = last_due(&runner.engine());
        if due.is_some() && due != done {
            let at = match delay {
                Some((tick, at)) if Some(tick) == due => at,
                _ => Instant::now() + jitter(&runner.engine()),
            };
            delay = due.map(|tick| (tick, at));
            // A run that is on may be another kind: joining it would not be enough.
            if Instant::now() >= at && !busy {
                done = due;
                start(
                    &runner,
                    "schedule",
                    due.map_or(RunKind::Now, RunKind::Since),
                );
            }
        } else if retried.elapsed() >= RETRY_EVERY && !busy {
            retried = Instant::now();
            start(&runner, "retry", RunKind::Retry);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn last_due(engine: &Engine) -> Option<DateTime<Utc>> {
    Schedule::parse(&engine.config.sync.schedule)
        .ok()?
        .last(Utc::now())
}

fn jitter(engine: &Engine) -> Duration {
    let longest = engine.config.sync.jitter_seconds as f64;
    Duration::from_secs_f64(longest * rand::rng().random::<f64>())
}

fn start(runner: &Arc<Runner>, triggered_by: &str, kind: RunKind) {
    let runner = Arc::clone(runner);
    let triggered_by = triggered_by.to_owned();
    tokio::spawn(async move {
        runner
            .sync(RunRequest {
                triggered_by,
                kind,
                users: None,
                since: None,
            })
            .await;
    });
}
