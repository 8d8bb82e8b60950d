//! One run at a time: who asks while a run is on that does what is asked joins it and gets its report; otherwise a run
//! of its own follows.

use std::sync::{Arc, RwLock};

use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::run::{Engine, HealthReport, Report, RunKind, RunRequest, refresh_health};

/// A run that was started, and what was asked for.
struct Started<A, T> {
    asked: A,
    report: watch::Receiver<Option<Arc<T>>>,
}

type Joinable<A, T> = Mutex<Option<Started<A, T>>>;

/// Starts runs on the current engine.
pub struct Runner {
    engine: RwLock<Arc<Engine>>,
    sync: Joinable<RunRequest, Report>,
    health: Joinable<(), HealthReport>,
    replaced: Notify,
    stop: CancellationToken,
}

impl Runner {
    /// A runner; `stop` ends runs early, their batches in flight are finished.
    #[must_use]
    pub fn new(engine: Arc<Engine>, stop: CancellationToken) -> Self {
        Self {
            engine: RwLock::new(engine),
            sync: Mutex::default(),
            health: Mutex::default(),
            replaced: Notify::new(),
            stop,
        }
    }

    /// The engine of the current configuration.
    #[must_use]
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(
            &self
                .engine
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// From the next run on, another configuration.
    pub fn replace_engine(&self, engine: Arc<Engine>) {
        *self
            .engine
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = engine;
        self.replaced.notify_waiters();
    }

    /// Waits until the configuration is replaced.
    pub async fn replaced(&self) {
        self.replaced.notified().await;
    }

    /// Whether a run is on.
    pub async fn is_busy(&self) -> bool {
        is_on(&self.sync).await || is_on(&self.health).await
    }

    /// Syncs, or joins a run that is on and takes all mailboxes that are asked for. `None` only when the process is
    /// going down, or the run broke off.
    pub async fn sync(self: &Arc<Self>, request: RunRequest) -> Option<Arc<Report>> {
        let (runner, asked) = (Arc::clone(self), request.clone());
        let run = async move {
            let engine = runner.engine();
            engine.run(&asked, &runner.stop, Arc::new(|_| {})).await
        };
        join(&self.sync, request, does_what_is_asked, run).await
    }

    /// Refreshes scores, or joins the refresh that is on.
    pub async fn health(self: &Arc<Self>, triggered_by: String) -> Option<Arc<HealthReport>> {
        let (engine, stop) = (self.engine(), self.stop.clone());
        let run = async move { refresh_health(&engine, &triggered_by, &stop).await };
        join(&self.health, (), |(), ()| true, run).await
    }

    /// Waits until nothing runs any more.
    pub async fn idle(&self) {
        wait_for(&self.sync).await;
        wait_for(&self.health).await;
    }
}

/// Whether the run that is on (the first) leaves out no mailbox that the other one would take.
fn does_what_is_asked(on: &RunRequest, asked: &RunRequest) -> bool {
    let takes_all = on.users.is_none() && matches!(on.kind, RunKind::Now | RunKind::Since(_));
    takes_all && asked.since.is_none() && asked.kind != RunKind::Backfill
}

impl<A, T> Started<A, T> {
    fn is_on(&self) -> bool {
        self.report.borrow().is_none() && self.report.has_changed().is_ok()
    }
}

async fn is_on<A, T>(slot: &Joinable<A, T>) -> bool {
    slot.lock().await.as_ref().is_some_and(Started::is_on)
}

async fn wait_for<A, T>(slot: &Joinable<A, T>) {
    let report = slot.lock().await.as_ref().map(|run| run.report.clone());
    if let Some(mut report) = report {
        // An error means that the run is over in another way.
        let _ = report.wait_for(Option::is_some).await;
    }
}

/// The run goes on in its own task, even if whoever asked hangs up.
async fn join<A, T: Send + Sync + 'static>(
    slot: &Joinable<A, T>,
    asked: A,
    is_enough: fn(&A, &A) -> bool,
    run: impl Future<Output = T> + Send + 'static,
) -> Option<Arc<T>> {
    let mut report = loop {
        let mut current = slot.lock().await;
        match current.as_ref().filter(|run| run.is_on()) {
            Some(on) if is_enough(&on.asked, &asked) => break on.report.clone(),
            Some(_) => {
                drop(current);
                wait_for(slot).await;
            }
            None => {
                let (sender, report) = watch::channel(None);
                tokio::spawn(async move {
                    let report = run.await;
                    sender.send_replace(Some(Arc::new(report)));
                });
                break current.insert(Started { asked, report }).report.clone();
            }
        }
    };
    let report = report.wait_for(Option::is_some).await.ok()?;
    report.clone()
}
