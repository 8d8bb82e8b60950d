//! The refresh of scores: who is due, under which lock, in which statement.

mod after;
mod alert_facts;
pub(crate) mod alert_rules;
mod alert_statements;
mod alerts;
mod deals;
mod events;
mod ghost_rows;
mod past;
mod plan;
mod relationships;
mod signals;
mod silence;
mod statements;
mod template;
mod transitions;
mod whole;
mod writes;

use std::collections::{BTreeSet, HashMap};

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::owner::AsOwner;
use crate::settings::Settings;
use crate::{caller, crm};

pub(crate) use past::{Past, answers, past};
pub(crate) use plan::{lock, target};
pub(crate) use transitions::worsens;

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
    /// When the score that a deal has had was made, or as of when, if that is later.
    pub(crate) scored_at: Option<pg_sys::TimestampTz>,
    /// Why, where that is known already.
    pub(crate) reasons: Option<Vec<String>>,
}

/// Hands the scores of a user on where all of them are fresh, each as id, score and status, and returns
/// whether they are: where not, what was handed on is void, and [`refresh`] is to be called.
pub(crate) fn fresh(
    kind: Kind,
    user: Option<Uuid>,
    max_age_hours: Option<i32>,
    as_of: TimestampWithTimeZone,
    push: impl FnMut([Option<pg_sys::Datum>; 3]),
) -> Result<bool> {
    let oldest_fresh = oldest_fresh(max_age_hours, as_of)?;
    let (Some(user), true) = (user, max_age_hours > Some(0)) else {
        return Ok(false);
    };
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    if crm.is_spread() {
        return Ok(false);
    }
    let owner = crm.score_owner()?;
    caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
    let _owner = AsOwner::enter(owner);
    let found = plan::fresh(kind, &crm, user, oldest_fresh, push)?;
    // Who has none may have alerts to leave.
    Ok(found.is_some_and(|count| count > 0))
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
    if crm.is_spread() {
        let age = max_age_hours.unwrap_or_default();
        return crate::citus::refresh(kind, &users, age, as_of, &settings);
    }
    // Where all is to be computed there is nothing to look for before the lock.
    let mut whole_users = kind == Kind::Relationships && plan::can_compute_users()?;
    if max_age_hours != Some(0) {
        let _owner = AsOwner::enter(owner);
        let scored = plan::due(kind, &crm, &users, oldest_fresh)?;
        let stale = scored.iter().filter(|target| !target.fresh).count();
        if stale == 0 {
            after::leave(kind, &crm, &users, &scored, as_of)?;
            return Ok(scored);
        }
        // A few are looked up one by one; for many, all that a user has is read at once.
        whole_users &= stale * WHOLE_FROM >= scored.len();
    }
    // SAFETY: reads a flag.
    if unsafe { pg_sys::RecoveryInProgress() } {
        return Err(Error::Standby);
    }
    let config = crate::pipeline::added_to(crate::settings::scoring_config()?, kind, Some(&users))?;
    let (scored, told) = {
        let _owner = AsOwner::enter(owner);
        plan::lock(&users)?;
        let refresh = after::Refresh::new(kind, &crm, &users, as_of, &config);
        if whole_users && max_age_hours == Some(0) {
            all_of(&refresh)?
        } else {
            stale_of(
                &refresh,
                oldest_fresh,
                whole_users,
                settings.alert_quiet_days,
            )?
        }
    };
    crate::outbox::post(&told)?;
    Ok(scored)
}

/// Where one target of so many is stale, or more, its user is read as a whole.
const WHOLE_FROM: usize = 8;

type Followed = (Vec<Scored>, Vec<crate::outbox::Notification>);

/// Scores all relationships of users, whatever scores they have.
fn all_of(refresh: &after::Refresh<'_>) -> Result<Followed> {
    let computed = whole::compute(refresh, i64::MAX)?;
    let statuses = computed.iter().map(|one| one.previous_status.as_deref());
    let statuses = transitions::Statuses::of(refresh.kind, statuses);
    let looking_back = computed.iter().filter(|one| one.looks_back);
    let looking_back = looking_back
        .map(|one| after::subject(&one.scored))
        .collect();
    let scored: Vec<Scored> = computed.into_iter().map(|one| one.scored).collect();
    let told = after::Before::new(statuses, looking_back).follow(refresh, &scored, 0)?;
    Ok((scored, told))
}

/// Scores what is stale; `whole_users` where that is much.
fn stale_of(
    refresh: &after::Refresh<'_>,
    oldest_fresh: TimestampWithTimeZone,
    whole_users: bool,
    quiet_days: i32,
) -> Result<Followed> {
    // Whoever held the lock may have done the work: look again.
    let mut scored = plan::due(refresh.kind, refresh.crm, refresh.users, oldest_fresh)?;
    after::leave(
        refresh.kind,
        refresh.crm,
        refresh.users,
        &scored,
        refresh.as_of,
    )?;
    if scored.iter().all(|target| target.fresh) {
        return Ok((scored, Vec::new()));
    }
    let before = after::Before::note(refresh, &scored)?;
    if whole_users {
        let computed = whole::compute(refresh, oldest_fresh.into())?;
        let key = |target: &Scored| (target.user, target.id, target.company);
        let places: HashMap<_, _> = scored.iter().map(key).zip(0..).collect();
        for one in computed {
            // What came since the look is scored, and told of by the next call.
            if let Some(place) = places.get(&key(&one.scored)) {
                let target: &mut Scored = &mut scored[*place];
                (target.score, target.status) = (one.scored.score, one.scored.status);
                target.reasons = one.scored.reasons;
            }
        }
    } else {
        plan::compute(
            refresh.kind,
            refresh.crm,
            &mut scored,
            refresh.as_of,
            refresh.config,
        )?;
    }
    let told = before.follow(refresh, &scored, quiet_days)?;
    Ok((scored, told))
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
