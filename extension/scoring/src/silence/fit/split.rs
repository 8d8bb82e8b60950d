//! Who is learned from, and who is only judged on.

use super::HeldOutBy;
use crate::silence::history::mix;
use crate::silence::{History, RowKey};

/// One user in this many is held out.
const HELD_OUT_ONE_IN: u64 = 4;

/// Fewer held-out rows than this judge nothing.
const MIN_HELD_OUT_ROWS: usize = 25;

/// Rows to learn from and rows to judge on; no user, or no pair, in both.
pub(super) struct Split {
    pub(super) learned: Vec<RowKey>,
    pub(super) held_out: Vec<RowKey>,
    pub(super) by: HeldOutBy,
}

impl Split {
    /// Splits by user, or by contact where too few users would leave one side empty.
    ///
    /// The choice hangs on the ids alone, so a user held out once is held out in every later fit,
    /// and the constants in use have never seen them either.
    pub(super) fn of(history: &History, rows: &[RowKey]) -> Option<Self> {
        let user = |row: RowKey| mix(history.user(row));
        let pair = |row: RowKey| mix(mix(history.user(row)) ^ history.contact(row));
        Self::by(rows, HeldOutBy::User, user).or_else(|| Self::by(rows, HeldOutBy::Contact, pair))
    }

    fn by(rows: &[RowKey], by: HeldOutBy, key: impl Fn(RowKey) -> u64) -> Option<Self> {
        let is_held_out = |row: &RowKey| key(*row).is_multiple_of(HELD_OUT_ONE_IN);
        let (held_out, learned): (Vec<_>, Vec<_>) = rows.iter().partition(|row| is_held_out(row));
        let enough = held_out.len() >= MIN_HELD_OUT_ROWS && learned.len() >= 2 * MIN_HELD_OUT_ROWS;
        enough.then_some(Self {
            learned,
            held_out,
            by,
        })
    }
}
