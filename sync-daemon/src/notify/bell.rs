//! Hearing the bell, and rounds for as long as the service lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Notifier;
use crate::failure::Failure;
use crate::run::Engine;
use crate::service::Runner;
use crate::store::Store;

/// Bells come in showers: a round waits so long for the shower to end.
const SETTLE: Duration = Duration::from_millis(200);

/// After a failed round or a lost connection: first wait, and the longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_CAP: Duration = Duration::from_secs(30);

/// Delivers notifications until `stop`; what is being sent then is finished. A reloaded configuration holds from the
/// next round on.
pub async fn keep_notifying(runner: Arc<Runner>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let engine = runner.engine();
        match Notifier::new(Arc::clone(&engine)) {
            Ok(notifier) => with_engine(&runner, &engine, &notifier, &stop).await,
            Err(error) => {
                tracing::error!(%error, "notifications are not delivered");
                pause(RETRY_CAP, &stop).await;
            }
        }
    }
}

/// Rounds until the configuration is another one.
async fn with_engine(
    runner: &Runner,
    engine: &Arc<Engine>,
    notifier: &Notifier,
    stop: &CancellationToken,
) {
    let bell = Arc::new(Notify::new());
    let hearing = tokio::spawn(hear(engine.store.clone(), Arc::clone(&bell)));
    let mut retry = RETRY_FIRST;
    let mut begun = false;
    while !stop.is_cancelled() && Arc::ptr_eq(engine, &runner.engine()) {
        let wait = match round(notifier, &mut begun, stop).await {
            Ok(wait) => {
                retry = RETRY_FIRST;
                wait
            }
            Err(error) => {
                tracing::warn!(%error, "notifications wait");
                let wait = retry;
                retry = (retry * 2).min(RETRY_CAP);
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = bell.notified() => pause(SETTLE, stop).await,
            () = runner.replaced() => {}
            () = stop.cancelled() => {}
        }
    }
    hearing.abort();
}

async fn round(
    notifier: &Notifier,
    begun: &mut bool,
    stop: &CancellationToken,
) -> Result<Duration, Failure> {
    if !*begun {
        notifier.begin().await?;
        *begun = true;
    }
    notifier.round(stop).await
}

/// Passes the bell on. A connection that breaks is made anew, and that is a bell too: one may have been missed.
async fn hear(store: Store, bell: Arc<Notify>) {
    let mut retry = RETRY_FIRST;
    loop {
        match store.listen().await {
            Ok(mut listener) => {
                retry = RETRY_FIRST;
                bell.notify_one();
                while let Ok(Some(_)) = listener.try_recv().await {
                    bell.notify_one();
                }
                tracing::debug!("the connection that hears notifications broke; it is made anew");
            }
            Err(error) => tracing::debug!(%error, "notifications are not heard just now"),
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(RETRY_CAP);
    }
}

async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
