//! What becomes of an alert when its deal is scored again.

use super::AlertSeverity;
use crate::interaction::Instant;

/// Where an open alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenState {
    /// Nobody has dealt with it.
    Active,
    /// Somebody has seen it.
    Acknowledged,
    /// Somebody wants to hear no more of it, since an instant.
    Dismissed(Instant),
}

/// The alert of a deal and type whose cause has not ended, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// How grave it was when it was last raised or changed.
    pub severity: AlertSeverity,
    /// Where it stands.
    pub state: OpenState,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Rest,
    /// A new alert is raised, and told of.
    Raise,
    /// The dismissed alert is closed, and a new one raised and told of: it worsened, or was quiet
    /// for long enough.
    RaiseAgain,
    /// The alert turns graver, is active again, and is told of.
    Worsen,
    /// The alert says what holds now, and nobody is told.
    Restate,
    /// The cause is gone.
    Resolve,
}

/// What follows for the open alert of a deal and type, given how grave what holds now is (`None`:
/// nothing holds). A dismissed alert stays quiet for `quiet_days`, unless it worsens.
#[must_use]
pub fn step(
    open: Option<Open>,
    holds: Option<AlertSeverity>,
    as_of: Instant,
    quiet_days: i64,
) -> Step {
    let (open, holds) = match (open, holds) {
        (None, None) => return Step::Rest,
        (None, Some(_)) => return Step::Raise,
        (Some(_), None) => return Step::Resolve,
        (Some(open), Some(holds)) => (open, holds),
    };
    let worsened = holds > open.severity;
    match open.state {
        OpenState::Dismissed(since) => {
            if worsened || as_of.whole_days_since(since) >= quiet_days {
                Step::RaiseAgain
            } else {
                Step::Rest
            }
        }
        OpenState::Active | OpenState::Acknowledged if worsened => Step::Worsen,
        OpenState::Active | OpenState::Acknowledged => Step::Restate,
    }
}
