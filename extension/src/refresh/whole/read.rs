//! Reads what a round of users is scored by, and scores them.

use std::cell::OnceCell;
use std::collections::HashSet;

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::{IntoDatum, pg_sys};

use super::together::Together;
use super::{Round, Values};
use crate::error::Error;
use crate::gather::batch;
use crate::gather::events::{Events, SubjectRow};
use crate::gather::lacking::Lack;
use crate::gather::packed::Unpacked;
use crate::gather::score::{Cited, Gathered, Rows, Sources, Terms};
use crate::gather::streams::Keeping;
use crate::gather::targets::TargetRow;
use crate::gather::user::{ByEvent, EventId};
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
        let gather = together.as_deref().map(Together::gather);
        let mut read = Vec::with_capacity(users.len());
        // SAFETY: the values and the columns are those of user_gather.sql; the rows live until SPI is disconnected,
        // which is after this.
        unsafe {
            let rows = gather.unwrap_or(&self.statements.gather).read(&values);
            rows.each(|row: Values<8>| {
                let id = value::<Uuid>(row[0]).map_or([0; 16], |user| *user.as_bytes());
                let mut events = together.as_deref_mut().map(|together| together.take(id));
                events.as_mut().map(Events::finish);
                read.push(Read { id, row, events });
            });
        }
        let looked_up = OnceCell::new();
        // SAFETY: as above.
        let gathered: Vec<Gathered<'_>> = read
            .iter()
            .map(|user| unsafe { self.gathered(user, &looked_up) })
            .collect();
        let rows: Vec<Rows<'_>> = gathered.iter().map(Gathered::rows).collect();
        let targets = gathered.iter().zip(&rows);
        let targets: Vec<_> = targets
            .map(|(user, rows)| (user, user.targets(rows)))
            .collect();
        let mut cited = Cited::default();
        for (user, targets) in &targets {
            user.cite(targets, &mut cited);
        }
        // Nobody has set it yet.
        let _ = looked_up.set(self.subjects(cited));
        let mut all = Vec::new();
        for (user, targets) in &targets {
            all.extend(targets.iter().map(|target| {
                pgrx::check_for_interrupts!();
                user.scored(target)
            }));
        }
        all
    }

    /// # Safety
    /// The row must be one of user_gather.sql, and SPI be connected as long as what comes of it is in use.
    unsafe fn gathered<'a>(
        &self,
        read: &'a Read,
        looked_up: &'a OnceCell<ByEvent<Option<String>>>,
    ) -> Gathered<'a>
    where
        Self: 'a,
    {
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
        ] = read.row;
        // SAFETY: the columns are of these types.
        let (sources, automated) = unsafe {
            let sources = Sources {
                user: read.id,
                targets: value(targets),
                events: match &read.events {
                    Some(events) => events.unpacked(),
                    None => Unpacked::new(value(events)),
                },
                streams: value(streams),
                meetings: value(meetings),
                deals: value(deals),
                opens_tracked: value(opens_tracked).unwrap_or(false),
                looked_up,
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
        let lacks = gathered.lacks();
        if !lacks.is_empty() {
            let user = user.map(|_| Uuid::from_bytes(read.id));
            // SAFETY: the values and the columns are those of user_lookups.sql.
            unsafe {
                let values = self.lookups(user, &gathered, &lacks);
                let [older, past] = self.statements.lookups.read(&values).one();
                gathered.add_older(value(older), value(past));
            }
        }
        gathered
    }

    /// The subjects of events.
    fn subjects(&self, cited: Cited) -> ByEvent<Option<String>> {
        let Cited {
            mut wanted,
            told: mut subjects,
        } = cited;
        if wanted.is_empty() {
            return subjects;
        }
        // Those of one time lie together.
        wanted.sort_unstable_by_key(|(user, at, id)| (*at, *user, *id));
        wanted.dedup();
        let users = wanted.iter().map(|(user, _, _)| Uuid::from_bytes(*user));
        let times = wanted.iter().map(|(_, at, _)| time(*at));
        let ids = wanted
            .iter()
            .map(|(_, _, id)| Uuid::from_bytes(id.to_be_bytes()));
        let values = [
            users.collect::<Vec<_>>().into_datum(),
            times.collect::<Vec<_>>().into_datum(),
            ids.collect::<Vec<_>>().into_datum(),
        ];
        // SAFETY: the values and the column are those of user_subjects.sql, whose result lives as long as SPI is
        // connected.
        let found: Unpacked<'_, SubjectRow> = unsafe {
            let [found] = self.statements.subjects.read(&values).one();
            Unpacked::new(value(found))
        };
        subjects.extend(found.iter().map(|row| {
            let id = EventId(u128::from_be_bytes(row.event));
            (id, found.text(row.subject).map(str::to_owned))
        }));
        subjects
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

/// What was read of a user, as it was found.
struct Read {
    id: [u8; 16],
    row: Values<8>,
    /// The events, where they were read before.
    events: Option<Events>,
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
