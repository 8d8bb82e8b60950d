//! What is to be done for a channel now, decided from its state alone.

use std::time::Duration;

use super::hours::Hours;
use crate::store::ChannelState;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Send what waits.
    Send {
        /// Only what is critical.
        critical_only: bool,
    },
    /// Nothing before so long.
    Wait(Duration),
    /// Nothing until something comes.
    Rest,
}

/// How a channel wants to be served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// How long notifications are gathered.
    pub(super) group: Duration,
    /// Quiet hours do not matter.
    pub(super) always_on: bool,
    /// Critical ones are sent in the quiet hours.
    pub(super) critical_breaks_quiet: bool,
}

/// The next step for a channel.
pub(super) fn next_step(state: &ChannelState, manner: Manner, hours: &Hours) -> Step {
    let quiet = !manner.always_on && hours.is_quiet(state.now);
    let (waiting, age) = match (quiet, manner.critical_breaks_quiet) {
        (false, _) => (state.waiting, state.age),
        (true, true) => (state.critical, state.critical_age),
        (true, false) => (0, 0.0),
    };
    if waiting == 0 {
        return Step::Rest;
    }
    // What was tried before has waited enough.
    let gathering = if state.begun {
        0.0
    } else {
        (manner.group.as_secs_f64() - age).max(0.0)
    };
    let wait = gathering.max(state.pause);
    if wait > 0.0 {
        Step::Wait(Duration::from_secs_f64(wait))
    } else if state.leased {
        // Its holder ends soon, or has died.
        Step::Wait(Duration::from_secs(5))
    } else {
        Step::Send {
            critical_only: quiet,
        }
    }
}
