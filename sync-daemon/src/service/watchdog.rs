//! systemd: ready, stopping, and a watchdog that is fed while work goes on, and starves when it hangs.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::pulse::Pulse;

/// Tells systemd something; without systemd nothing happens.
pub(super) fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "systemd could not be told");
    }
}

/// Feeds the watchdog as long as the pulse is young enough.
pub(super) async fn feed(pulse: Arc<Pulse>, stop: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let period = (limit / 3).max(Duration::from_millis(100));
    while !stop.is_cancelled() {
        if pulse.age() < limit {
            tell(NotifyState::Watchdog);
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = stop.cancelled() => {}
        }
    }
}
