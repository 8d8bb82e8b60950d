//! One run at a time: who asks while a run is on joins it and gets its report.

use std::sync::{Arc, RwLock};

use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::run::{Engine, HealthReport, Report, RunRequest, refresh_health};

type Joinable<T> = Mutex<Option<watch::Receiver<Option<Arc<T>>>>>;

/// Starts runs on the current engine.
pub struct Runner {
    engine: RwLock<Arc<Engine>>,
    sync: Joinable<Report>,
    health: Joinable<HealthReport>,
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

    /// Syncs, or joins the run that is on. `None` only when the process is going down.
    pub async fn sync(self: &Arc<Self>, request: RunRequest) -> Option<Arc<Report>> {
        let (engine, stop) = (self.engine(), self.stop.clone());
        join(&self.sync, async move {
            engine.run(&request, &stop, Arc::new(|_| {})).await
        })
        .await
    }

    /// Refreshes scores, or joins the refresh that is on.
    pub async fn health(self: &Arc<Self>, triggered_by: String) -> Option<Arc<HealthReport>> {
        let (engine, stop) = (self.engine(), self.stop.clone());
        join(&self.health, async move {
            refresh_health(&engine, &triggered_by, &stop).await
        })
        .await
    }

    /// Waits until nothing runs any more.
    pub async fn idle(&self) {
        wait_for(&self.sync).await;
        wait_for(&self.health).await;
    }
}

async fn is_on<T>(slot: &Joinable<T>) -> bool {
    slot.lock()
        .await
        .as_ref()
        .is_some_and(|r| r.borrow().is_none() && r.has_changed().is_ok())
}

async fn wait_for<T>(slot: &Joinable<T>) {
    let receiver = slot.lock().await.clone();
    if let Some(mut receiver) = receiver {
        // An error means that the run is over in another way.
        let _ = receiver.wait_for(Option::is_some).await;
    }
}

/// The run goes on in its own task, even if whoever asked hangs up.
async fn join<T: Send + Sync + 'static>(
    slot: &Joinable<T>,
    run: impl Future<Output = T> + Send + 'static,
) -> Option<Arc<T>> {
    let mut receiver = {
        let mut current = slot.lock().await;
        match current.as_ref() {
            Some(on) if on.borrow().is_none() && on.has_changed().is_ok() => on.clone(),
            _ => {
                let (sender, receiver) = watch::channel(None);
                tokio::spawn(async move {
                    let report = run.await;
                    sender.send_replace(Some(Arc::new(report)));
                });
                current.insert(receiver).clone()
            }
        }
    };
    let report = receiver.wait_for(Option::is_some).await.ok()?;
    report.clone()
}
