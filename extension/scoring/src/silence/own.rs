//! A contact's own silences, counted: what a sentence may state as a fact.

use super::Assessment;
use super::stream::Day;

/// The days at hand wherever a contact is scored: a sentence says the same everywhere.
const AT_HAND_DAYS: Day = 90;

/// The silences between the days on which a contact wrote in the last 90 days, two at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnSilences {
    /// How many.
    pub count: u32,
    /// Their median, in days.
    pub median_days: f64,
    /// How many of them were shorter than the present silence.
    pub shorter: u32,
}

impl OwnSilences {
    /// Those between ascending days, each with whether the contact wrote; `None` of fewer than two.
    fn of(days: &[(Day, bool)], today: Day) -> Option<Self> {
        let first = today.saturating_sub(AT_HAND_DAYS);
        let wrote = days
            .iter()
            .filter(|(day, inbound)| *inbound && *day > first);
        let mut own: Vec<Day> = wrote
            .map(|(day, _)| *day)
            .take_while(|day| *day <= today)
            .collect();
        own.dedup();
        let silent = today - own.last()?;
        let mut gaps: Vec<Day> = own.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if gaps.len() < 2 {
            return None;
        }
        gaps.sort_unstable();
        let (lower, upper) = (gaps[(gaps.len() - 1) / 2], gaps[gaps.len() / 2]);
        Some(Self {
            count: gaps.len() as u32,
            median_days: f64::midpoint(lower.into(), upper.into()),
            shorter: gaps.partition_point(|gap| *gap < silent) as u32,
        })
    }
}

impl Assessment {
    /// The same, knowing the contact's own silences: `days` ascend, each with whether the contact wrote on
    /// it, and hold the last 90 days at least. It changes the words and no number.
    #[must_use]
    pub fn with_days(self, days: &[(Day, bool)], today: Day) -> Self {
        Self {
            own: OwnSilences::of(days, today),
            ..self
        }
    }
}
