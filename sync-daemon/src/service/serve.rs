//! The life of the service: bind, schedule, reload, stop.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::due::keep_schedule;
use super::listen::listen;
use super::{AppState, Runner, router, watchdog};
use crate::config::{Config, ConfigError};
use crate::failure::Failure;
use crate::notify::keep_notifying;
use crate::run::Engine;

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
    let server = tokio::spawn(listen(listener, app, stop.clone()));
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
        if config.log_format != current.config.log_format {
            tracing::warn!("the format of the log changes with a restart only");
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
