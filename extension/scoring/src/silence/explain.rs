//! The probability in a sentence that a sales rep can act on.

use super::Assessment;

/// Fewer days than this say more about people in general than about the contact's own silences.
const OWN_HISTORY_DAYS: u32 = 4;

impl Assessment {
    /// For example "usually writes every 6 days, silent for 31; 9 of 10 of their silences were
    /// shorter; 83 % likely to stay silent for the next 18 days".
    #[must_use]
    pub fn sentence(&self) -> String {
        let outlook = format!(
            "{} % likely to stay silent for the next {}",
            self.percent(),
            days(self.horizon_days)
        );
        match self.inbound_days {
            0 => format!(
                "never wrote, first contacted {} ago; {outlook}",
                days(self.silent_days)
            ),
            1 => format!(
                "wrote on one day only, {} ago; {outlook}",
                days(self.silent_days)
            ),
            2..OWN_HISTORY_DAYS => format!("{}; {outlook}", self.rhythm()),
            _ => format!("{}; {}; {outlook}", self.rhythm(), self.comparison()),
        }
    }

    fn rhythm(&self) -> String {
        let gap = self.usual_gap_days.round().max(1.0);
        let every = if gap <= 1.0 {
            "day".to_owned()
        } else {
            format!("{gap:.0} days")
        };
        format!(
            "usually writes every {every}, silent for {}",
            self.silent_days
        )
    }

    fn comparison(&self) -> String {
        match (10.0 * self.shorter_silences).round() as u32 {
            0 => "almost all of their silences were longer".to_owned(),
            tenths @ 1..=9 => format!("{tenths} of 10 of their silences were shorter"),
            _ => "almost all of their silences were shorter".to_owned(),
        }
    }
}

fn days(count: u32) -> String {
    if count == 1 {
        "1 day".to_owned()
    } else {
        format!("{count} days")
    }
}
