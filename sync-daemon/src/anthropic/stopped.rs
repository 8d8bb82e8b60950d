//! Why no more mail is read for now, and for how long.

use std::time::Duration;

use super::retry::Fault;
use crate::failure::Failure;

/// Why reading stopped. The mail that is left is read by a later run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Stopped {
    /// The day's cost limit.
    #[error("today's cost limit (anthropic.daily_cap_usd) does not cover the next request")]
    Cap,
    /// It passes.
    #[error("the API does not answer properly: {0}")]
    Busy(String),
    /// Somebody must mend the set-up.
    #[error(
        "the API refuses the request ({0}): check CRM_HEALTH_ANTHROPIC_API_KEY, anthropic.model and anthropic.version"
    )]
    Refused(String),
    /// The organisation's limit at Anthropic.
    #[error("the organisation's spend limit at Anthropic is reached")]
    SpendLimit,
    /// Answers that are none, again and again.
    #[error("its answers cannot be used: {0}")]
    Unusable(&'static str),
    /// The usage table cannot be read or written: no cost can be counted, so none may arise.
    #[error("the cost cannot be counted: {0}")]
    Database(String),
    /// The mailbox's time for this is over.
    #[error("the time for one mailbox is over")]
    TimeUp,
    /// Shutdown.
    #[error("the daemon was asked to stop")]
    Interrupted,
}

impl Stopped {
    /// The name in metrics and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cap => "over_cap",
            Self::Busy(_) => "busy",
            Self::Refused(_) => "refused",
            Self::SpendLimit => "spend_limit",
            Self::Unusable(_) => "unusable",
            Self::Database(_) => "database",
            Self::TimeUp => "time_up",
            Self::Interrupted => "interrupted",
        }
    }

    /// How long nobody is to ask again; none if only this mailbox's turn is over.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        let minutes = match self {
            // Until midnight would be longer; another daemon's reservation may come back sooner.
            Self::Cap | Self::Refused(_) | Self::SpendLimit => 60,
            Self::Busy(_) | Self::Unusable(_) | Self::Database(_) => 10,
            Self::TimeUp | Self::Interrupted => return None,
        };
        Some(Duration::from_secs(minutes * 60))
    }

    /// Whether it is the model that fails, so that the lexicon may stand in.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        self.pause().is_some()
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Passing { reason, .. } => Self::Busy(reason),
            Fault::Lost(reason) => Self::Busy(reason.to_owned()),
            Fault::Refused(reason) => Self::Refused(reason),
            Fault::SpendLimit => Self::SpendLimit,
        }
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Database(failure.to_string())
    }
}
