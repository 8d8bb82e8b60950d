//! The refresh of scores: who is due, under which lock, in which statement.

mod after;
mod alert_facts;
pub(crate) mod alert_rules;
mod alerts;
mod deals;
mod ghost_rows;
mod past;
mod plan;
mod relationships;
mod silence;
mod template;
mod transitions;
mod writes;

use std::collections::BTreeSet;

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::owner::AsOwner;
use crate::settings::Settings;
use crate::{caller, crm};

pub(crate) use past::{Past, answers, past};
pub(crate) use plan::{lock, target};

/// A hundred years.
pub(crate) const MAX_AGE_HOURS: i32 = 876_600;

/// What is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Deals,
    Relationships,
}

/// A deal, a contact or a company of a user, with its score.
#[derive(Debug)]
pub(crate) struct Scored {
    pub(crate) user: Uuid,
    /// The deal or the contact; `None` for a company.
    pub(crate) id: Option<Uuid>,
    pub(crate) company: Option<Uuid>,
    pub(crate) score_id: Option<Uuid>,
    pub(crate) score: Option<i32>,
    pub(crate) status: Option<String>,
    pub(crate) ghost_risk: Option<bool>,
    pub(crate) fresh: bool,
}

/// Brings the scores of the users up to date as of an instant and returns them all.
///
/// Scores older than `max_age_hours` at that instant are computed and written; 0 means all.
pub(crate) fn refresh(
    kind: Kind,
    users: Vec<Option<Uuid>>,
    max_age_hours: Option<i32>,
    as_of: TimestampWithTimeZone,
) -> Result<Vec<Scored>> {
    let oldest_fresh = oldest_fresh(max_age_hours, as_of)?;
    let users = distinct(users);
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    caller::authorize(&users, Some(owner), &settings.trusted_roles)?;
    if users.is_empty() {
        return Ok(Vec::new());
    }
    // Where all is to be computed there is nothing to look for before the lock.
    if max_age_hours != Some(0) {
        let _owner = AsOwner::enter(owner);
        let scored = plan::due(kind, &crm, &users, oldest_fresh)?;
        if scored.iter().all(|target| target.fresh) {
            after::leave(kind, &crm, &users, &scored, as_of)?;
            return Ok(scored);
        }
    }
    // SAFETY: reads a flag.
    if unsafe { pg_sys::RecoveryInProgress() } {
        return Err(Error::Standby);
    }
    let config = crate::pipeline::added_to(crate::settings::scoring_config()?, kind)?;
    let (scored, told) = {
        let _owner = AsOwner::enter(owner);
        plan::lock(&users)?;
        // Whoever held the lock may have done the work: look again.
        let mut scored = plan::due(kind, &crm, &users, oldest_fresh)?;
        after::leave(kind, &crm, &users, &scored, as_of)?;
        let mut told = Vec::new();
        if scored.iter().any(|target| !target.fresh) {
            let refresh = after::Refresh::new(kind, &crm, &users, as_of, &config);
            let before = after::Before::note(&refresh, &scored)?;
            plan::compute(kind, &crm, &mut scored, as_of, &config)?;
            told = before.follow(&refresh, &scored, settings.alert_quiet_days)?;
        }
        (scored, told)
    };
    crate::outbox::post(&told)?;
    Ok(scored)
}

fn distinct(users: Vec<Option<Uuid>>) -> Vec<Uuid> {
    let ids: BTreeSet<[u8; 16]> = users
        .into_iter()
        .flatten()
        .map(|user| *user.as_bytes())
        .collect();
    ids.into_iter().map(Uuid::from_bytes).collect()
}

/// An instant within the years 1 to 9999, as microseconds around 2000-01-01.
pub(crate) fn check_as_of(as_of: TimestampWithTimeZone) -> Result<pg_sys::TimestampTz> {
    const YEARS: std::ops::RangeInclusive<i64> = -63_082_281_600_000_000..=252_455_615_999_999_999;
    let at: pg_sys::TimestampTz = as_of.into();
    if YEARS.contains(&at) {
        Ok(at)
    } else {
        Err(Error::AsOfOutOfRange)
    }
}

/// The oldest `last_calculated_at` that still counts as fresh.
fn oldest_fresh(
    max_age_hours: Option<i32>,
    as_of: TimestampWithTimeZone,
) -> Result<TimestampWithTimeZone> {
    const HOUR: i64 = 3_600_000_000;
    let given = max_age_hours.ok_or(Error::MaxAgeNull)?;
    if !(0..=MAX_AGE_HOURS).contains(&given) {
        return Err(Error::MaxAgeOutOfRange { given });
    }
    let at = check_as_of(as_of)?;
    let oldest = if given == 0 {
        i64::MAX
    } else {
        at - i64::from(given) * HOUR
    };
    TimestampWithTimeZone::try_from(oldest).map_err(|_| Error::AsOfOutOfRange)
}

/// Whether a configuration asks for the calibrated ghost model.
pub(crate) fn is_calibrated(config: &serde_json::Value) -> bool {
    config["ghost_model"] == "calibrated"
}

/// The statement that explains targets: $1–$4 as in a refresh, $5 the configuration.
pub(crate) fn explain_statement(
    kind: Kind,
    crm: &crm::Crm,
    config: &serde_json::Value,
) -> Result<String> {
    match kind {
        Kind::Deals => deals::explain(crm),
        Kind::Relationships => relationships::explain(crm, is_calibrated(config)),
    }
}

/// The statement that finds the worst scores: $1 users (NULL: all), $2 how many at most.
pub(crate) fn worst_statement(kind: Kind, crm: &crm::Crm) -> Result<String> {
    match kind {
        Kind::Deals => deals::worst(crm),
        Kind::Relationships => relationships::worst(crm),
    }
}

/// The statement that gives targets their reasons: $1–$4 as in a refresh, $5 the configuration.
pub(crate) fn reasons_statement(
    kind: Kind,
    crm: &crm::Crm,
    config: &serde_json::Value,
) -> Result<String> {
    match kind {
        Kind::Deals => deals::reasons(crm),
        Kind::Relationships => relationships::reasons(crm, is_calibrated(config)),
    }
}

/// The statement that links a user's replies: $1 the user.
pub(crate) fn link_replies_statement(crm: &crm::Crm) -> Result<String> {
    let events = crm.writable(
        "communication_events",
        &["was_replied", "response_time_hours"],
    )?;
    template::Template::default()
        .with("events", events.qualified())
        .fill(include_str!("../../sql/refresh/link_replies.sql"), crm)
}
