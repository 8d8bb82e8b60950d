//! A refresh of relationships, user by user as a whole: each source of a user is read once, the core scores
//! all contacts and companies, and a few statements write what came of it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crm_health_scoring::config::Config;
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};

use super::Scored;
use super::after::Refresh;
use super::signals::OpenRows;
use super::statements::Statements;
use crate::datums;
use crate::error::{Error, Result};
use crate::gather::batch::{self, Batch, Part, UnderWay};
use crate::gather::lacking::Lack;
use crate::gather::score::{Gathered, Sources, Terms};
use crate::gather::streams::Keeping;
use crate::ghost::streams::fingerprint;
use crate::owner::AlwaysGeneric;
use crate::raw::value;
use crate::statement::{Rows, Snapshot};

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

/// The statements by ghost model and part of the CRM, with the generation of the catalog they are of.
type Kept = HashMap<(bool, i64), (u64, Rc<Statements>)>;

thread_local! {
    static STATEMENTS: RefCell<Kept> = RefCell::new(HashMap::new());
}

/// Computes and writes the scores of the users' relationships that are older than `oldest_fresh`,
/// and returns those.
pub(super) fn compute(refresh: &Refresh<'_>, oldest_fresh: i64) -> Result<Vec<Computed>> {
    let _plan = AlwaysGeneric::enter();
    let instant = |at| TimestampWithTimeZone::try_from(at).map_err(|_| Error::AsOfOutOfRange);
    let as_of: pg_sys::TimestampTz = refresh.as_of.into();
    instant(oldest_fresh)?;
    instant(as_of - WINDOW)?;
    let config = crate::settings::parse_config(refresh.config)?;
    let mut computed = Vec::new();
    for users in refresh.users.chunks(USERS_AT_ONCE) {
        Spi::connect_mut(|_| {
            let round = Round {
                statements: statements(refresh)?,
                config: &config,
                oldest_fresh,
                as_of,
                window: as_of - WINDOW,
            };
            // What is read is read as of one moment, and stays where it is until it is written.
            let _snapshot = Snapshot::newest();
            let scored = round.read(users);
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
    Ok(computed)
}

fn statements(refresh: &Refresh<'_>) -> Result<Rc<Statements>> {
    let (crm, calibrated) = (refresh.crm, super::is_calibrated(refresh.config));
    let key = (calibrated, crm.part);
    let known = STATEMENTS.with_borrow(|kept| {
        let (generation, statements) = kept.get(&key)?;
        (*generation == crm.generation).then(|| Rc::clone(statements))
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let made = Rc::new(Statements::prepare(crm, calibrated)?);
    STATEMENTS.with_borrow_mut(|kept| kept.insert(key, (crm.generation, Rc::clone(&made))));
    Ok(made)
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

impl Round<'_> {
    /// Reads and scores what is due of the users.
    fn read(&self, users: &[Uuid]) -> Vec<batch::Scored> {
        let values = [
            users.to_vec().into_datum(),
            Some(pg_sys::Datum::from(self.oldest_fresh)),
            None,
            Some(pg_sys::Datum::from(self.as_of)),
            Some(pg_sys::Datum::from(self.window)),
        ];
        let mut all = Vec::new();
        // SAFETY: the values and the columns are those of user_gather.sql.
        unsafe {
            let rows = self.statements.gather.read(&values);
            rows.each(|row| self.read_user(row, &mut all));
        }
        all
    }

    /// # Safety
    /// The row must be one of user_gather.sql.
    unsafe fn read_user(&self, row: Values<8>, all: &mut Vec<batch::Scored>) {
        let [
            user,
            targets,
            events,
            streams,
            meetings,
            deals,
            opens_tracked,
            automated,
        ] = row;
        // SAFETY: the columns are of these types, and live as long as the connection of SPI.
        let (sources, automated) = unsafe {
            let sources = Sources {
                user: value::<Uuid>(user).map_or([0; 16], |user| *user.as_bytes()),
                targets: value(targets),
                events: value(events),
                streams: value(streams),
                meetings: value(meetings),
                deals: value(deals),
                opens_tracked: value(opens_tracked).unwrap_or(false),
            };
            (sources, ids(automated))
        };
        let terms = Terms {
            config: self.config,
            as_of: self.as_of,
            window: self.window,
            keeping: Keeping {
                streams: self.statements.seal.is_some(),
                newest: self.statements.keeps_newest,
                as_of: self.as_of,
                window: self.window,
                fingerprint: fingerprint(&self.config.silence),
            },
            looks_back: self.statements.looks_back,
            cites: self.statements.cites,
        };
        let mut gathered = Gathered::new(terms, &sources, automated);
        let user = user.map(|_| Uuid::from_bytes(sources.user));
        let lacks = gathered.lacks();
        if !lacks.is_empty() {
            // SAFETY: the values and the columns are those of user_lookups.sql.
            unsafe {
                let values = self.lookups(user, &gathered, &lacks);
                let [older, past] = self.statements.lookups.read(&values).one();
                gathered.add_older(value(older), value(past));
            }
        }
        let cited = gathered.cited();
        if !cited.is_empty() {
            let (at, ids): (Vec<_>, Vec<_>) = cited.into_iter().unzip();
            let at: Vec<_> = at.into_iter().map(time).collect();
            let ids: Vec<_> = ids
                .into_iter()
                .map(|id| Uuid::from_bytes(id.to_be_bytes()))
                .collect();
            // SAFETY: the values and the column are those of user_subjects.sql.
            unsafe {
                let values = [user.into_datum(), at.into_datum(), ids.into_datum()];
                let [subjects] = self.statements.subjects.read(&values).one();
                gathered.add_subjects(value(subjects));
            }
        }
        gathered.score(all);
    }

    fn lookups(&self, user: Option<Uuid>, gathered: &Gathered<'_>, lacks: &[Lack]) -> Values<7> {
        let targets = &gathered.user.targets;
        let column = |get: fn(&Lack, &[crate::gather::targets::TargetRow]) -> Option<Uuid>| {
            let ids: Vec<Option<Uuid>> = lacks.iter().map(|lack| get(lack, targets)).collect();
            ids.into_datum()
        };
        let bits: Vec<i32> = lacks.iter().map(|lack| i32::from(lack.bits)).collect();
        let from: Vec<_> = lacks.iter().map(|lack| lack.past_from.map(time)).collect();
        [
            user.into_datum(),
            column(|lack, targets| targets[lack.place].contact().map(Uuid::from_bytes)),
            column(|lack, targets| {
                let target = &targets[lack.place];
                let company = target
                    .contact()
                    .is_none()
                    .then(|| target.company())
                    .flatten();
                company.map(Uuid::from_bytes)
            }),
            Some(pg_sys::Datum::from(self.as_of)),
            Some(pg_sys::Datum::from(self.window)),
            bits.into_datum(),
            from.into_datum(),
        ]
    }

    /// Writes the scores, and what is kept beside them.
    fn write(&self, batch: &Batch, open: &OpenRows) {
        let at = [Some(pg_sys::Datum::from(self.as_of))];
        let mut gone = self.renew(batch, at[0]);
        gone.extend(self.add(batch, at));
        let has_changed = |one: &batch::Scored| one.has_changed() && !gone.contains(&one.score_id);
        if let Some(snapshots) = &self.statements.snapshots
            && batch.choose(Part::Changed, has_changed) > 0
        {
            // SAFETY: the one value is that of user_snapshots.sql.
            unsafe { snapshots.write(&at) };
        }
        if let Some(signals) = &self.statements.signals {
            signals.keep(&batch.scored, open, &gone, self.as_of);
        }
        self.seal(batch);
    }

    /// Writes scores in the place of others, and returns the ids of those that are there no more.
    fn renew(&self, batch: &Batch, at: Option<pg_sys::Datum>) -> HashSet<[u8; 16]> {
        let expected = batch.renewed().count() as u64;
        if expected == 0 {
            return HashSet::new();
        }
        if let Some(update) = &self.statements.update {
            let rows: Vec<_> = batch.renewed().filter_map(|one| one.row.as_ref()).collect();
            // SAFETY: the values are those of user_update.sql.
            if unsafe { update.write(&[at, datums::tids(&rows)]) } == expected {
                return HashSet::new();
            }
        }
        // Somebody moved a row or removed it since it was read: by their ids, all once more.
        let ids: Vec<_> = batch
            .renewed()
            .map(|one| Uuid::from_bytes(one.score_id))
            .collect();
        // SAFETY: as above; the statement returns ids.
        let written = unsafe {
            self.statements
                .update_by_id
                .write_returning(&[at, ids.into_datum()])
        };
        missing(batch, |one| !one.is_new, &written)
    }

    /// Writes scores where there were none, and returns the ids of those that somebody else has written.
    fn add(&self, batch: &Batch, at: Values<1>) -> HashSet<[u8; 16]> {
        if batch.choose(Part::New, |one| one.is_new) == 0 {
            return HashSet::new();
        }
        // SAFETY: the one value is that of user_insert.sql, which returns ids.
        let written = unsafe { self.statements.insert.write_returning(&at) };
        missing(batch, |one| one.is_new, &written)
    }

    /// Keeps the states that were made anew.
    fn seal(&self, batch: &Batch) {
        let Some(seal) = &self.statements.seal else {
            return;
        };
        let made: Vec<_> = batch
            .scored
            .iter()
            .filter_map(|one| Some((one, one.sealed.as_ref()?)))
            .collect();
        if made.is_empty() {
            return;
        }
        let fingerprint = fingerprint(&self.config.silence);
        let id = |get: fn(&batch::Scored) -> Option<[u8; 16]>| -> Option<pg_sys::Datum> {
            let ids = made.iter().map(|(one, _)| get(one).map(Uuid::from_bytes));
            ids.collect::<Vec<_>>().into_datum()
        };
        let number = |get: fn(&crate::gather::streams::Sealed) -> i64| -> Option<pg_sys::Datum> {
            let numbers = made.iter().map(|(_, sealed)| get(sealed));
            numbers.collect::<Vec<_>>().into_datum()
        };
        let days: Vec<i32> = made.iter().map(|(_, sealed)| sealed.day).collect();
        let states: Vec<&[u8]> = made.iter().map(|(_, sealed)| &*sealed.state).collect();
        let values = [
            id(|one| Some(one.user)),
            id(|one| one.contact),
            id(|one| one.company),
            Some(pg_sys::Datum::from(self.as_of)),
            Some(pg_sys::Datum::from(self.window)),
            number(|sealed| sealed.changes),
            number(|sealed| sealed.members),
            vec![fingerprint; made.len()].into_datum(),
            days.into_datum(),
            states.into_datum(),
        ];
        // SAFETY: the values are those of user_seal.sql.
        unsafe { seal.write(&values) };
    }
}

/// The ids of the scores that a statement did not write.
fn missing(
    batch: &Batch,
    was_in: impl Fn(&batch::Scored) -> bool,
    written: &Rows,
) -> HashSet<[u8; 16]> {
    let expected = batch.scored.iter().filter(|one| was_in(one));
    let mut missing: HashSet<[u8; 16]> = expected.map(|one| one.score_id).collect();
    // SAFETY: the statement returned ids, and SPI is still connected.
    unsafe {
        written.each(|[id]| {
            let id: Option<Uuid> = value(id);
            id.map(|id| missing.remove(id.as_bytes()));
        });
    }
    missing
}

/// An instant that a statement takes: finite, or the ends of time.
fn time(at: pg_sys::TimestampTz) -> TimestampWithTimeZone {
    TimestampWithTimeZone::try_from(at).unwrap_or_else(|_| Error::AsOfOutOfRange.raise())
}

/// # Safety
/// The datum must be a `uuid[]`.
unsafe fn ids(array: Option<pg_sys::Datum>) -> HashSet<u128> {
    let ids: Option<Vec<Option<Uuid>>> = unsafe { value(array) };
    let ids = ids.into_iter().flatten().flatten();
    ids.map(|id| u128::from_be_bytes(*id.as_bytes())).collect()
}
