//! Signs of progress, for systemd's watchdog: only work that goes on beats, never a timer of its own.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// When the daemon last got something done.
pub struct Pulse(Mutex<Instant>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Pulse {
    /// Something got done.
    pub fn beat(&self) {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }

    /// Time since the last progress.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .elapsed()
    }

    /// Waits as asked, beating: a wait that ends is progress. False when `stop` came first.
    pub async fn wait(&self, mut time: Duration, stop: &CancellationToken) -> bool {
        const SLICE: Duration = Duration::from_secs(2);
        loop {
            self.beat();
            let slice = time.min(SLICE);
            tokio::select! {
                () = tokio::time::sleep(slice) => {}
                () = stop.cancelled() => return false,
            }
            time -= slice;
            if time.is_zero() {
                return true;
            }
        }
    }
}
