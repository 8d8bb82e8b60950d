//! The past of a deployment, kept compactly, and the rows that the model learns and is judged on.
//!
//! Contract: a row is a user, a contact and a cut-off day. It sees the days before the cut-off and
//! is labelled by the days from the cut-off on, which the model never sees. Which rows are drawn
//! depends on the ids and days only, not on the order in which pairs were added.
//!
//! An event costs at most 4 bytes: a day is one number that holds its date, whether the contact
//! wrote on it, and how many events it had (up to three, all that the rule for rows asks).

mod rows;

use std::collections::HashMap;

use super::stream::Day;
use super::{Constants, Streams};

pub use rows::{CUTOFF_STEP_DAYS, CUTOFFS, EVENTS_BEFORE, LONGEST_HORIZON_DAYS, monthly_cutoffs};

/// Days beyond this many from 1970 (700,000 years) are clocks gone wrong, and are left out.
const DAY_LIMIT: i32 = 1 << 28;

/// One day of a pair: date, inbound flag and capped count of events in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PackedDay(u32);

impl PackedDay {
    fn new(day: Day, inbound: bool, events: u32) -> Self {
        let date = day.wrapping_add(DAY_LIMIT) as u32;
        Self(date << 3 | u32::from(inbound) << 2 | events.min(EVENTS_BEFORE))
    }

    fn day(self) -> Day {
        (self.0 >> 3) as i32 - DAY_LIMIT
    }

    fn inbound(self) -> bool {
        self.0 & 4 != 0
    }

    fn events(self) -> u32 {
        self.0 & 3
    }
}

/// A user and a contact, and where their days end in the common list.
#[derive(Clone, Copy, Debug)]
struct Pair {
    user: u64,
    contact: u64,
    end: usize,
}

/// The days of many pairs of a user and a contact.
#[derive(Clone, Debug, Default)]
pub struct History {
    pairs: Vec<Pair>,
    days: Vec<PackedDay>,
    /// The last day on which each user wrote to anyone.
    last_outbound: HashMap<u64, Day>,
}

/// One row: a pair, by its position in the [`History`], and a cut-off day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The position that [`History::add`] returned.
    pub pair: u32,
    /// The day as of which the row is scored; its own events belong to the future.
    pub cutoff: Day,
}

/// A row with its pair's streams before the cut-off and its label.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The streams of the days before the cut-off.
    pub streams: Streams,
    /// Whole days from the cut-off to the contact's next day; `None` if there was none.
    pub wait_days: Option<u32>,
}

impl Row {
    /// Whether the contact sent nothing from the cut-off on for this many days.
    #[must_use]
    pub fn silent(&self, horizon_days: u32) -> bool {
        silent(self.wait_days, horizon_days)
    }
}

pub(crate) fn silent(wait_days: Option<u32>, horizon_days: u32) -> bool {
    wait_days.is_none_or(|wait| wait >= horizon_days)
}

impl History {
    /// Adds all events of one user and contact, as (day, inbound) in any order, and returns the
    /// pair's position. Give each pair once. Automated mail is left out by the caller.
    pub fn add(&mut self, user: u64, contact: u64, events: &[(Day, bool)]) -> u32 {
        let mut sorted: Vec<(Day, bool)> = events
            .iter()
            .copied()
            .filter(|(day, _)| (-DAY_LIMIT..DAY_LIMIT).contains(day))
            .collect();
        sorted.sort_unstable();
        for day in sorted.chunk_by(|left, right| left.0 == right.0) {
            let inbound = day.iter().any(|event| event.1);
            let events = u32::try_from(day.len()).unwrap_or(EVENTS_BEFORE);
            self.days.push(PackedDay::new(day[0].0, inbound, events));
        }
        if let Some(&(day, _)) = sorted.iter().rev().find(|event| !event.1) {
            let last = self.last_outbound.entry(user).or_insert(day);
            *last = day.max(*last);
        }
        self.pairs.push(Pair {
            user,
            contact,
            end: self.days.len(),
        });
        u32::try_from(self.pairs.len() - 1).unwrap_or(u32::MAX)
    }

    /// How many pairs were added.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The user of a row.
    #[must_use]
    pub fn user(&self, row: RowKey) -> u64 {
        self.pairs[row.pair as usize].user
    }

    /// The contact of a row.
    #[must_use]
    pub fn contact(&self, row: RowKey) -> u64 {
        self.pairs[row.pair as usize].contact
    }

    fn days_of(&self, pair: u32) -> &[PackedDay] {
        let index = pair as usize;
        let start = if index == 0 {
            0
        } else {
            self.pairs[index - 1].end
        };
        &self.days[start..self.pairs[index].end]
    }

    /// Calls back with each row, its streams and its label; one pass over the days of each pair.
    ///
    /// `rows` ascend. A row whose pair has no day before the cut-off comes with empty streams.
    pub fn each_row(
        &self,
        rows: &[RowKey],
        constants: &Constants,
        mut visit: impl FnMut(RowKey, &Row),
    ) {
        for of_pair in rows.chunk_by(|left, right| left.pair == right.pair) {
            let days = self.days_of(of_pair[0].pair);
            let mut streams = Streams::default();
            let mut seen = 0;
            for &row in of_pair {
                while days.get(seen).is_some_and(|day| day.day() < row.cutoff) {
                    let _ = streams.push(days[seen].day(), days[seen].inbound(), constants);
                    seen += 1;
                }
                visit(
                    row,
                    &Row {
                        streams,
                        wait_days: wait_days(&days[seen..], row.cutoff),
                    },
                );
            }
        }
    }

    /// The contact's own days before the cut-off, ascending.
    pub(crate) fn inbound_days_before(&self, row: RowKey) -> impl Iterator<Item = Day> + '_ {
        let before = self
            .days_of(row.pair)
            .iter()
            .take_while(move |day| day.day() < row.cutoff);
        before.filter(|day| day.inbound()).map(|day| day.day())
    }

    /// The first day before the cut-off on which anything passed.
    pub(crate) fn first_day_before(&self, row: RowKey) -> Option<Day> {
        self.days_of(row.pair)
            .first()
            .map(|day| day.day())
            .filter(|&day| day < row.cutoff)
    }

    /// The label of one row.
    pub(crate) fn wait_days_after(&self, row: RowKey) -> Option<u32> {
        let days = self.days_of(row.pair);
        wait_days(
            &days[days.partition_point(|day| day.day() < row.cutoff)..],
            row.cutoff,
        )
    }
}

/// Days from the cut-off to the first inbound day among `future`.
fn wait_days(future: &[PackedDay], cutoff: Day) -> Option<u32> {
    let next = future.iter().find(|day| day.inbound())?;
    u32::try_from(i64::from(next.day()) - i64::from(cutoff)).ok()
}

/// The finaliser of SplitMix64: spreads any id evenly over 64 bits.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
