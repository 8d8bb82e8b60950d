//! The probability in a sentence that a sales rep can act on.
//!
//! What is stated was counted on the contact's own days; what comes from the model is called expected.

use super::Assessment;
use crate::explain::{ago, counted};
use crate::phrase::{chance, every};

/// Fewer days than this say more about people in general than about the contact's own silences.
const OWN_HISTORY_DAYS: u32 = 4;

impl Assessment {
    /// For example "usually writes every 6 days, silent for 31 days; all of their last 9 silences were
    /// shorter; 83 % likely to stay silent for the next 18 days".
    #[must_use]
    pub fn sentence(&self) -> String {
        let outlook = format!(
            "{} likely to stay silent for the next {}",
            self.chance(),
            days(self.horizon_days)
        );
        let known = match self.inbound_days {
            0 => format!("never wrote, first contacted {}", self.since()),
            1 => format!("wrote on one day only, {}", self.since()),
            _ => format!("{}, {}", self.rhythm(), self.silence()),
        };
        match self.comparison() {
            Some(comparison) => format!("{known}; {comparison}; {outlook}"),
            None => format!("{known}; {outlook}"),
        }
    }

    /// The probability in whole percent, which is never certainty: `83 %`, `over 99 %`, `under 1 %`.
    #[must_use]
    pub fn chance(&self) -> String {
        chance(self.percent())
    }

    fn since(&self) -> String {
        match self.silent_days {
            0 => "today".to_owned(),
            silent => ago(silent.into()),
        }
    }

    fn silence(&self) -> String {
        match self.silent_days {
            0 => "last wrote today".to_owned(),
            silent => format!("silent for {}", days(silent)),
        }
    }

    fn rhythm(&self) -> String {
        if self.inbound_days < OWN_HISTORY_DAYS {
            let expected = every(self.usual_gap_days.round().max(1.0));
            return format!(
                "wrote on {}, expected about {expected}",
                days(self.inbound_days)
            );
        }
        match self.own {
            Some(own) if own.count + 1 >= OWN_HISTORY_DAYS => {
                format!("usually writes {}", every(own.median_days))
            }
            _ => format!("wrote {} on average", every(self.mean_gap_days)),
        }
    }

    /// The present silence beside others; `None` where there is none yet, or little to compare with.
    fn comparison(&self) -> Option<String> {
        if self.silent_days == 0 || self.inbound_days < OWN_HISTORY_DAYS {
            return None;
        }
        if let Some(own) = self.own {
            let last = format!("of their last {} silences", own.count);
            return Some(match own.shorter {
                0 => format!("none {last} was shorter"),
                1 => format!("1 {last} was shorter"),
                all if all == own.count => format!("all {last} were shorter"),
                some => format!("{some} {last} were shorter"),
            });
        }
        Some(match (10.0 * self.shorter_silences).round() as u32 {
            0 => "shorter than nearly all expected silences".to_owned(),
            tenths @ 1..=9 => format!("longer than {tenths} of 10 expected silences"),
            _ => "longer than nearly all expected silences".to_owned(),
        })
    }
}

fn days(count: u32) -> String {
    counted(count.into(), "day")
}
