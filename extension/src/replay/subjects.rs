//! The deals or the relationships of a user on their way through the instants of a replay.

use std::collections::HashMap;

use pgrx::datum::{DatumWithOid, JsonB, TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;
use serde_json::Value;

use super::statement::run;
use crate::crm::Crm;
use crate::error::Result;
use crate::raw::value;
use crate::refresh::{self, Kind, Past, Scored};

/// A score that would have been.
pub(super) struct Replayed {
    pub(super) subject_type: &'static str,
    pub(super) id: Uuid,
    pub(super) score: i32,
    pub(super) status: String,
    pub(super) risk_level: String,
    pub(super) ghost_risk: Option<bool>,
    pub(super) ghost_probability_percent: Option<i32>,
}

/// What was last scored of a subject, which the next instant is compared with.
struct Last {
    score: i32,
    status: String,
    ghost_risk: Option<bool>,
}

/// One kind of a user's subjects.
pub(super) struct Subjects {
    kind: Kind,
    past: Past,
    config: Value,
    /// By deal, or by row of scores.
    first_snapshots: HashMap<Uuid, pg_sys::TimestampTz>,
    /// By deal, contact or company.
    last: HashMap<Uuid, Last>,
    /// What was found at the instant, and whether a snapshot of it may be kept.
    found: Vec<(Scored, bool)>,
    /// Snapshots kept so far.
    pub(super) kept: i64,
}

impl Subjects {
    pub(super) fn new(kind: Kind, crm: &Crm, config: Value, keep: bool) -> Result<Self> {
        Ok(Self {
            kind,
            past: refresh::past(kind, crm, refresh::is_calibrated(&config), keep)?,
            config,
            first_snapshots: HashMap::new(),
            last: HashMap::new(),
            found: Vec::new(),
            kept: 0,
        })
    }

    fn keeps(&self) -> bool {
        self.past.first_snapshots.is_some()
    }

    /// Learns from when on each subject has snapshots, which are left as they are.
    pub(super) fn read_first_snapshots(&mut self, user: Uuid) -> Result<()> {
        let Some(text) = &self.past.first_snapshots else {
            return Ok(());
        };
        let first = &mut self.first_snapshots;
        run(text, &[user.into()], true, |[id, at]| {
            // SAFETY: the columns are an id and an instant.
            let (id, at) = unsafe { (value::<Uuid>(id), value::<TimestampWithTimeZone>(at)) };
            first.extend(id.zip(at.map(Into::into)));
        })
    }

    /// Finds who was there at an instant; whether a snapshot of any of them may be kept.
    pub(super) fn find(&mut self, user: Uuid, at: TimestampWithTimeZone) -> Result<bool> {
        // As in a refresh; no score counts as fresh.
        let arguments = [
            user.into(),
            at.into(),
            DatumWithOid::null::<Uuid>(),
            at.into(),
        ];
        let mut targets = Vec::new();
        run(&self.past.targets, &arguments, self.keeps(), |row| {
            // SAFETY: the columns are those of a refresh's targets.
            targets.push(unsafe { refresh::target(row) });
        })?;
        let with_place = |target: Scored| {
            let open = self.is_open(&target, at.into());
            (target, open)
        };
        self.found = targets.into_iter().map(with_place).collect();
        Ok(self.found.iter().any(|(_, open)| *open))
    }

    /// Whether a subject has a place for a snapshot, and none from before or of this instant.
    fn is_open(&self, target: &Scored, at: pg_sys::TimestampTz) -> bool {
        let key = match self.kind {
            Kind::Deals => target.id,
            Kind::Relationships => target.score_id,
        };
        let Some(key) = key.filter(|_| self.keeps()) else {
            return false;
        };
        self.first_snapshots
            .get(&key)
            .is_none_or(|first| at < *first)
    }

    /// Scores what was found; `deals` are those of the same instant, for relationships.
    pub(super) fn score(
        &mut self,
        at: TimestampWithTimeZone,
        waiting: &[Uuid],
        deals: &[Replayed],
    ) -> Result<Vec<Replayed>> {
        if self.found.is_empty() {
            return Ok(Vec::new());
        }
        let arguments = self.arguments(at, waiting, deals);
        let mut scored = Vec::with_capacity(self.found.len());
        let mut kept = 0;
        run(&self.past.scores, &arguments, self.keeps(), |row| {
            // SAFETY: the columns are those that both statements end with.
            let (ordinal, replayed, snapshots) = unsafe { self.replayed(row) };
            kept = snapshots;
            scored.push((ordinal, replayed));
        })?;
        self.kept += kept;
        for (ordinal, replayed) in &scored {
            self.last.insert(
                subject(&self.found[*ordinal].0),
                Last {
                    score: replayed.score,
                    status: replayed.status.clone(),
                    ghost_risk: replayed.ghost_risk,
                },
            );
        }
        Ok(scored.into_iter().map(|(_, replayed)| replayed).collect())
    }

    /// The parameters of a statement that scores.
    fn arguments(
        &self,
        at: TimestampWithTimeZone,
        waiting: &[Uuid],
        deals: &[Replayed],
    ) -> [DatumWithOid<'static>; 13] {
        fn column<T>(found: &[(Scored, bool)], get: impl Fn(&Scored) -> T) -> Vec<T> {
            found.iter().map(|(target, _)| get(target)).collect()
        }
        let found = &self.found;
        let last = |target: &Scored| self.last.get(&subject(target));
        [
            column(found, |target| Some(target.user)).into(),
            column(found, |target| target.id).into(),
            column(found, |target| target.company).into(),
            at.into(),
            column(found, |target| target.score_id).into(),
            column(found, |target| last(target).map(|last| last.score)).into(),
            column(found, |target| last(target).map(|last| last.status.clone())).into(),
            column(found, |target| {
                last(target).and_then(|last| last.ghost_risk)
            })
            .into(),
            JsonB(self.config.clone()).into(),
            waiting.to_vec().into(),
            found
                .iter()
                .map(|(_, open)| *open)
                .collect::<Vec<_>>()
                .into(),
            deals.iter().map(|deal| deal.id).collect::<Vec<_>>().into(),
            deals
                .iter()
                .map(|deal| deal.status.clone())
                .collect::<Vec<_>>()
                .into(),
        ]
    }

    /// A row of a statement that scores: the place of its target, the score, all snapshots kept.
    ///
    /// # Safety
    /// The columns must be: ordinal, score, status, risk level, ghost risk, its probability, snapshots.
    unsafe fn replayed(&self, row: [Option<pg_sys::Datum>; 7]) -> (usize, Replayed, i64) {
        let [
            ordinal,
            score,
            status,
            risk_level,
            ghost_risk,
            probability,
            snapshots,
        ] = row;
        let ordinal: i64 = unsafe { value(ordinal) }.expect("every score has its target");
        let ordinal = ordinal as usize - 1;
        let target = &self.found[ordinal].0;
        let subject_type = match (self.kind, target.company) {
            (Kind::Deals, _) => "deal",
            (Kind::Relationships, None) => "contact",
            (Kind::Relationships, Some(_)) => "company",
        };
        let replayed = unsafe {
            Replayed {
                subject_type,
                id: subject(target),
                score: value(score).unwrap_or_default(),
                status: value(status).unwrap_or_default(),
                risk_level: value(risk_level).unwrap_or_default(),
                ghost_risk: value(ghost_risk),
                ghost_probability_percent: value(probability),
            }
        };
        (ordinal, replayed, unsafe { value(snapshots) }.unwrap_or(0))
    }
}

/// The deal, contact or company.
fn subject(target: &Scored) -> Uuid {
    let id = target.id.or(target.company);
    id.expect("every target is a deal, a contact or a company")
}
