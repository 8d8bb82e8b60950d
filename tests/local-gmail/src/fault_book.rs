//! The rules that wait, and which of them strikes.

use std::sync::Mutex;

use serde::Serialize;

use crate::error::AdminError;
use crate::faults::{Endpoint, Fault, FaultRule, Place};
use crate::lock::locked;

/// A rule and how often it has struck.
#[derive(Clone, Debug, Serialize)]
pub struct FaultReport {
    /// The rule; `times` and `skip` say what is left of them.
    pub rule: FaultRule,
    /// How many requests it has hit.
    pub hits: u32,
}

/// What a request is, as far as rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// Where it goes.
    pub(crate) endpoint: Endpoint,
    /// Alone or in a batch.
    pub(crate) place: Place,
    /// Whose it is, if known.
    pub(crate) mailbox: Option<&'a str>,
    /// The message it asks for.
    pub(crate) message: Option<&'a str>,
}

/// The rules of a server.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    rules: Mutex<Vec<FaultReport>>,
}

impl FaultBook {
    /// Adds a rule behind the others, unless it could never strike: a test must not pass because
    /// its fault was none.
    pub(crate) fn add(&self, mut rule: FaultRule) -> Result<(), AdminError> {
        if let Some(reason) = rule.never_strikes() {
            return Err(AdminError::BadFault(reason));
        }
        rule.mailbox = rule.mailbox.map(|address| address.to_lowercase());
        locked(&self.rules).push(FaultReport { rule, hits: 0 });
        Ok(())
    }

    /// Drops all rules.
    pub(crate) fn clear(&self) {
        locked(&self.rules).clear();
    }

    /// All rules, used up ones too.
    pub(crate) fn reports(&self) -> Vec<FaultReport> {
        locked(&self.rules).clone()
    }

    /// The fault for this request: that of the first rule that fits and is not used up.
    pub(crate) fn take(&self, target: &Target<'_>) -> Option<Fault> {
        let mut rules = locked(&self.rules);
        let fitting = rules
            .iter_mut()
            .filter(|r| r.rule.times != Some(0) && r.rule.fits(target));
        for report in fitting {
            if report.rule.skip > 0 {
                report.rule.skip -= 1;
                continue;
            }
            report.hits += 1;
            report.rule.times = report.rule.times.map(|left| left - 1);
            return Some(report.rule.fault.clone());
        }
        None
    }
}

impl FaultRule {
    fn fits(&self, target: &Target<'_>) -> bool {
        let fits_mailbox = self
            .mailbox
            .as_deref()
            .is_none_or(|own| target.mailbox == Some(own));
        let fits_message = self
            .message
            .as_deref()
            .is_none_or(|own| target.message == Some(own));
        self.endpoint == target.endpoint
            && self.fits_place(target.place)
            && fits_mailbox
            && fits_message
    }

    fn fits_place(&self, place: Place) -> bool {
        // Only a part can be missing; an answer of its own would be a reset connection.
        let missing_part =
            matches!(self.fault, Fault::Missing { .. }) && self.endpoint != Endpoint::Batch;
        let place_only = if missing_part {
            Place::Part
        } else {
            self.place
        };
        place_only == Place::Any || place_only == place
    }

    /// Why the rule could never strike.
    fn never_strikes(&self) -> Option<&'static str> {
        let oauth = matches!(self.endpoint, Endpoint::Token | Endpoint::Consent);
        let call = !oauth && self.endpoint != Endpoint::Batch;
        if self.place == Place::Part && !call {
            return Some("this endpoint is no part of a batch");
        }
        if self.message.is_some() && self.endpoint != Endpoint::Get {
            return Some("only the endpoint get is asked for a message");
        }
        match &self.fault {
            Fault::Oauth { .. } if !oauth => Some("this answer is the OAuth endpoints' own"),
            Fault::Duplicated | Fault::Reversed if self.endpoint != Endpoint::Batch => {
                Some("only a batch has parts")
            }
            Fault::Missing { .. } if oauth => Some("only a batch has parts"),
            Fault::Missing { .. } if self.place == Place::Single && call => {
                Some("a request of its own is no part")
            }
            Fault::EmptyPage if !matches!(self.endpoint, Endpoint::List | Endpoint::History) => {
                Some("only list and history have pages")
            }
            fault if self.endpoint == Endpoint::Consent && fault.needs_a_body() => {
                Some("the consent page has no body to spoil")
            }
            _ => None,
        }
    }
}
