//! Which rows may be learned from, or judged on.

use super::{History, Pair, RowKey, mix};
use crate::silence::stream::Day;

/// Cut-offs lie this many days apart.
pub const CUTOFF_STEP_DAYS: Day = 30;
/// How many cut-offs a fit looks at.
pub const CUTOFFS: Day = 12;
/// The longest horizon that is learned, in days; rows need this much future.
pub const LONGEST_HORIZON_DAYS: Day = 60;
/// A row needs this many events before its cut-off.
pub const EVENTS_BEFORE: u32 = 3;

/// The cut-offs of a fit as of `today`: twelve, a month apart, the last one 60 days ago; ascending.
#[must_use]
pub fn monthly_cutoffs(today: Day) -> Vec<Day> {
    let back = |step| LONGEST_HORIZON_DAYS + CUTOFF_STEP_DAYS * step;
    (0..CUTOFFS)
        .rev()
        .map(|step| today.saturating_sub(back(step)))
        .collect()
}

impl History {
    /// The rows of a fit as of `today`: those of [`History::rows_at`] its [`monthly_cutoffs`].
    #[must_use]
    pub fn monthly_rows(&self, today: Day, limit: usize) -> Vec<RowKey> {
        self.rows_at(&monthly_cutoffs(today), LONGEST_HORIZON_DAYS, limit)
    }

    /// The rows at these cut-offs that may be learned from, or judged on, over a horizon; ascending.
    ///
    /// A row needs three events before its cut-off, and a user who still writes `horizon_days` after
    /// it: where nobody is left to be answered, silence says nothing. Of more than `limit` rows an
    /// even share is drawn by a hash of ids and day. `cutoffs` ascend.
    #[must_use]
    pub fn rows_at(&self, cutoffs: &[Day], horizon_days: Day, limit: usize) -> Vec<RowKey> {
        let mut eligible = 0_usize;
        self.each_eligible(cutoffs, horizon_days, |_, _| eligible += 1);
        let share = limit as f64 / eligible.max(1) as f64;
        let threshold = (share * u64::MAX as f64) as u64;
        let mut rows = Vec::with_capacity(eligible.min(limit));
        self.each_eligible(cutoffs, horizon_days, |row, hash| {
            if hash <= threshold {
                rows.push(row);
            }
        });
        rows.truncate(limit);
        rows
    }

    /// Calls back with each eligible row and its hash, pair by pair, oldest first.
    fn each_eligible(&self, cutoffs: &[Day], horizon: Day, mut visit: impl FnMut(RowKey, u64)) {
        for (index, pair) in self.pairs.iter().enumerate() {
            let position = u32::try_from(index).unwrap_or(u32::MAX);
            let active_until = self.last_outbound.get(&pair.user).copied();
            let enough_on = self.enough_events_on(position);
            let Some((active_until, enough_on)) = active_until.zip(enough_on) else {
                continue;
            };
            for &cutoff in cutoffs {
                if enough_on < cutoff && cutoff.saturating_add(horizon) <= active_until {
                    visit(
                        RowKey {
                            pair: position,
                            cutoff,
                        },
                        row_hash(pair, cutoff),
                    );
                }
            }
        }
    }

    /// The day on which the pair's third event fell.
    fn enough_events_on(&self, pair: u32) -> Option<Day> {
        let mut events = 0;
        self.days_of(pair).iter().find_map(|day| {
            events += day.events();
            (events >= EVENTS_BEFORE).then(|| day.day())
        })
    }
}

fn row_hash(pair: &Pair, cutoff: Day) -> u64 {
    mix(mix(mix(pair.user) ^ pair.contact) ^ u64::from(cutoff.cast_unsigned()))
}
