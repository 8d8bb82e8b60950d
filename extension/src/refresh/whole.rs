//! A refresh of relationships, user by user as a whole: each source of a user is read once, the core scores
//! all contacts and companies ([`read`]), and a few statements write what came of it ([`write`]).

mod read;
mod together;
mod write;

use std::cell::RefCell;
use std::rc::Rc;

use crm_health_scoring::config::Config;
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;
use pgrx::prelude::*;

use super::Scored;
use super::after::Refresh;
use super::statements::{self, Statements};
use crate::error::{Error, Result};
use crate::gather::batch::{self, Batch, UnderWay};
use crate::owner::Options;
use crate::statement::{Kept, Snapshot, kept};
use together::Together;

/// How many users one round scores: enough to be worth its statements, and few enough for their rows to
/// stay in memory.
const USERS_AT_ONCE: usize = 20;

/// The days that a score is made of, in microseconds.
const WINDOW: i64 = 90 * 86_400_000_000;

/// A relationship that has just been scored.
pub(super) struct Computed {
    pub(super) scored: Scored,
    pub(super) previous_status: Option<String>,
    /// Whether the score it had was as of a later instant.
    pub(super) looks_back: bool,
}

thread_local! {
    /// By ghost model and part of the CRM.
    static STATEMENTS: Kept<(bool, i64), Statements> = RefCell::default();
    static TOGETHER: Kept<(bool, i64), statements::Together> = RefCell::default();
}

/// Computes and writes the scores of the users' relationships that are older than `oldest_fresh`,
/// and returns those.
pub(super) fn compute(refresh: &Refresh<'_>, oldest_fresh: i64) -> Result<Vec<Computed>> {
    let _plans = Options::generic_plans();
    let instant = |at| TimestampWithTimeZone::try_from(at).map_err(|_| Error::AsOfOutOfRange);
    let as_of: pg_sys::TimestampTz = refresh.as_of.into();
    instant(oldest_fresh)?;
    instant(as_of - WINDOW)?;
    let config = crate::settings::parse_config(refresh.config)?;
    let mut computed = Vec::new();
    let mut left = refresh.users;
    while !left.is_empty() {
        // What is read is read as of one moment, and stays where it is until it is written.
        let _snapshot = Snapshot::newest();
        let mut together = if left.len() > 1 {
            Some(Spi::connect(|_| Together::read(refresh, left, as_of))?)
        } else {
            None
        };
        let group = together.as_ref().map_or(USERS_AT_ONCE, Together::users);
        let (group, rest) = left.split_at(group.min(left.len()));
        left = rest;
        for users in group.chunks(USERS_AT_ONCE) {
            Spi::connect_mut(|_| {
                let round = Round {
                    statements: statements(refresh)?,
                    config: &config,
                    oldest_fresh,
                    as_of,
                    window: as_of - WINDOW,
                };
                let scored = round.read(users, together.as_mut());
                let signals = round.statements.signals.as_ref();
                let open = signals
                    .map(|signals| signals.open(users))
                    .unwrap_or_default();
                let batch = UnderWay::begin(Batch::new(config.clone(), scored));
                round.write(batch.batch(), &open);
                computed.extend(batch.batch().scored.iter().map(Computed::of));
                Ok::<_, Error>(())
            })?;
        }
    }
    Ok(computed)
}

fn statements(refresh: &Refresh<'_>) -> Result<Rc<Statements>> {
    let (crm, calibrated) = (refresh.crm, super::is_calibrated(refresh.config));
    let make = || Statements::new(crm, calibrated);
    kept(&STATEMENTS, (calibrated, crm.part), crm.generation, make)
}

impl Computed {
    fn of(scored: &batch::Scored) -> Self {
        Self {
            scored: Scored {
                user: Uuid::from_bytes(scored.user),
                id: scored.contact.map(Uuid::from_bytes),
                company: scored.company.map(Uuid::from_bytes),
                score_id: None,
                score: Some(scored.score.overall_health_score),
                status: Some(scored.score.health_status.as_str().to_owned()),
                ghost_risk: None,
                fresh: false,
                scored_at: None,
                reasons: scored.reasons.clone(),
            },
            previous_status: scored.previous.status.clone(),
            looks_back: scored.looks_back,
        }
    }
}

type Values<const N: usize> = [Option<pg_sys::Datum>; N];

/// Some users, scored together.
struct Round<'a> {
    statements: Rc<Statements>,
    config: &'a Config,
    oldest_fresh: pg_sys::TimestampTz,
    as_of: pg_sys::TimestampTz,
    window: pg_sys::TimestampTz,
}
