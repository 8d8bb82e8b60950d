//! Writes the scores of a round, and what is kept beside them.

use std::collections::HashSet;

use pgrx::datum::Uuid;
use pgrx::{IntoDatum, pg_sys};

use super::{Round, Values};
use crate::datums;
use crate::gather::batch::{self, Batch, Part};
use crate::gather::streams::Sealed;
use crate::ghost::streams::fingerprint;
use crate::raw::value;
use crate::refresh::signals::OpenRows;
use crate::statement::Rows;

impl Round<'_> {
    /// Writes the scores, and what is kept beside them.
    pub(super) fn write(&self, batch: &Batch, open: &OpenRows) {
        let at = [Some(pg_sys::Datum::from(self.as_of))];
        let mut gone = self.renew(batch, at[0]);
        gone.extend(self.add(batch, at));
        let has_changed = |one: &batch::Scored| one.has_changed() && !gone.contains(&one.score_id);
        if let Some(snapshots) = &self.statements.snapshots {
            let changed = batch.choose(Part::Changed, has_changed);
            if changed > 0 {
                let ids = datums::ids_in_order(changed).into_datum();
                // SAFETY: the values are those of user_snapshots.sql.
                unsafe { snapshots.write(&[at[0], ids]) };
            }
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
        let number = |get: fn(&Sealed) -> i64| -> Option<pg_sys::Datum> {
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
