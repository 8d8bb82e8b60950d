//! Reads what a round of users is scored by, and scores them.

use std::collections::HashSet;

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::{IntoDatum, pg_sys};

use super::together::Together;
use super::{Round, Values};
use crate::error::Error;
use crate::gather::batch;
use crate::gather::lacking::Lack;
use crate::gather::packed::Unpacked;
use crate::gather::score::{Gathered, Sources, Terms};
use crate::gather::streams::Keeping;
use crate::gather::targets::TargetRow;
use crate::ghost::streams::fingerprint;
use crate::raw::value;

impl Round<'_> {
    /// Reads and scores what is due of the users. Their events are in `together`, or read with the rest.
    pub(super) fn read(
        &self,
        users: &[Uuid],
        mut together: Option<&mut Together>,
    ) -> Vec<batch::Scored> {
        let values = [
            users.to_vec().into_datum(),
            Some(pg_sys::Datum::from(self.oldest_fresh)),
            None,
            Some(pg_sys::Datum::from(self.as_of)),
            Some(pg_sys::Datum::from(self.window)),
        ];
        let gather = together.as_deref().and_then(Together::gather);
        let mut all = Vec::new();
        // SAFETY: the values and the columns are those of user_gather.sql.
        unsafe {
            let rows = gather.unwrap_or(&self.statements.gather).read(&values);
            rows.each(|row| self.read_user(row, together.as_deref_mut(), &mut all));
        }
        all
    }

    /// # Safety
    /// The row must be one of user_gather.sql.
    unsafe fn read_user(
        &self,
        row: Values<8>,
        together: Option<&mut Together>,
        all: &mut Vec<batch::Scored>,
    ) {
        pgrx::check_for_interrupts!();
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
        let id = unsafe { value::<Uuid>(user) }.map_or([0; 16], |user| *user.as_bytes());
        let are_whole = together.is_some();
        let mut apart = together.map(|together| together.take(id));
        // SAFETY: as above.
        let (sources, automated) = unsafe {
            let sources = Sources {
                user: id,
                targets: value(targets),
                events: match &mut apart {
                    Some(events) => events.all().unpacked(),
                    None => Unpacked::new(value(events)),
                },
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
            cites: self.statements.cites && !are_whole,
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
        let column = |get: fn(&Lack, &[TargetRow]) -> Option<Uuid>| {
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
