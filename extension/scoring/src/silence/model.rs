//! Stage 2: both streams in one calibrated probability, and what a score table shows of it.

use super::renewal::{Standing, log_odds, logistic};
use super::stream::Day;
use super::{Constants, Streams};

/// The probability from which a contact counts as a ghost risk, unless a setting says otherwise.
///
/// Measured at H* on three mail corpora with the default constants: at ½ a flag is right for
/// 68–94 % of all contacts and 64–83 % of those heard of within 90 days, and finds 67–96 % and
/// 60–82 % of the silences. 0.4 trades up to 7 points of precision for up to 15 of recall, 0.6 the
/// reverse; where the probabilities hold, ½ makes the fewest mistakes of both kinds together.
pub const DEFAULT_GHOST_CUTOFF: f64 = 0.5;

/// How far ahead a predicted ghost is looked for, in days.
pub const LOOK_AHEAD_DAYS: u32 = 180;

/// A contact first written to, or heard of, less than this many days ago is too new to be a ghost:
/// an unanswered first mail of yesterday is as yet no silence, however few such mails are answered.
pub const NEW_CONTACT_DAYS: i64 = 14;

/// The mean of ln(1 + n) that the counts of days are centred on.
const LOG_DAYS_CENTRE: f64 = 1.6;

/// Both streams as of one day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standings {
    pub(crate) inbound: Standing,
    pub(crate) any: Standing,
}

impl Standings {
    #[inline]
    pub(crate) fn new(streams: &Streams, today: Day, constants: &Constants) -> Option<Self> {
        let inbound = Standing::inbound(streams, today, constants)?;
        let any = Standing::any(streams, today, constants)?;
        Some(Self { inbound, any })
    }

    /// The five terms that the coefficients weigh.
    #[inline]
    pub(crate) fn terms(&self, horizon_days: u32) -> [f64; 5] {
        [
            1.0,
            log_odds(self.inbound.silent_probability(horizon_days)),
            log_odds(self.any.silent_probability(horizon_days)),
            f64::from(self.inbound.days).ln_1p() - LOG_DAYS_CENTRE,
            f64::from(self.any.days).ln_1p() - LOG_DAYS_CENTRE,
        ]
    }

    #[inline]
    fn ghost(&self, horizon_days: u32, constants: &Constants) -> f64 {
        logistic(weigh(&self.terms(horizon_days), &constants.beta))
    }

    fn horizon_days(&self) -> u32 {
        // In 14–60, whatever the median: a cast cannot lose anything.
        (3.0 * self.inbound.median_gap_days())
            .clamp(14.0, 60.0)
            .round() as u32
    }
}

/// β · terms.
#[inline]
pub(crate) fn weigh(terms: &[f64; 5], beta: &[f64; 5]) -> f64 {
    terms
        .iter()
        .zip(beta)
        .map(|(term, weight)| term * weight)
        .sum()
}

/// The chance, 0–1, that the contact sends nothing in the next `horizon_days` days.
///
/// `None` where there were no events: unknown is not ghost. `today` should not lie before the last
/// day of the streams; where it does, the silence counts as one day.
#[inline]
#[must_use]
pub fn ghost_probability(
    streams: &Streams,
    today: Day,
    horizon_days: u32,
    constants: &Constants,
) -> Option<f64> {
    Some(Standings::new(streams, today, constants)?.ghost(horizon_days, constants))
}

/// H*: the horizon of the score table, three usual gaps of this contact, within 14–60 days.
///
/// Someone who writes every quarter is not punished for a silent fortnight.
#[must_use]
pub fn score_horizon_days(streams: &Streams, today: Day, constants: &Constants) -> Option<u32> {
    Some(Standings::new(streams, today, constants)?.horizon_days())
}

/// The smallest d in 1–180 such that with no word until `today` + d the contact becomes a ghost risk:
/// the probability over H* reaches `cutoff`, and the contact is no longer new.
///
/// `None` where the contact is one already, never becomes one, or nothing is known.
#[must_use]
pub fn days_until_predicted_ghost(
    streams: &Streams,
    today: Day,
    cutoff: f64,
    constants: &Constants,
) -> Option<u32> {
    assess(streams, today, cutoff, constants)?.days_until_predicted_ghost
}

/// What makes a ghost risk of one contact.
struct Watch<'a> {
    streams: &'a Streams,
    horizon_days: u32,
    cutoff: f64,
    constants: &'a Constants,
}

impl Watch<'_> {
    /// Whether the contact is a ghost risk on `day` at this probability.
    fn flags(&self, day: Day, probability: f64) -> bool {
        let known_days = i64::from(day) - i64::from(self.streams.any.first);
        probability >= self.cutoff && known_days >= NEW_CONTACT_DAYS
    }

    /// The first day flagged, between today, which is not, and the last one looked at: a silent
    /// contact that is a ghost risk stays one.
    ///
    /// Where the probability would cross the cut-off on a straight line is tried in turn with the
    /// middle: about half the looks of a bisection, and never more than twice as many.
    fn first_ghost_day(&self, today: Day, probability_today: f64) -> Option<u32> {
        let after = |days: u32| {
            let day = today.saturating_add_unsigned(days);
            let probability =
                ghost_probability(self.streams, day, self.horizon_days, self.constants)?;
            Some((probability, self.flags(day, probability)))
        };
        let (mut low, mut high) = ((0, probability_today), (LOOK_AHEAD_DAYS, 0.0));
        let (last, flagged) = after(high.0)?;
        if !flagged {
            return None;
        }
        high.1 = last;
        let mut by_line = true;
        while high.0 - low.0 > 1 {
            let middle = if by_line {
                on_the_line(low, high, self.cutoff)
            } else {
                u32::midpoint(low.0, high.0)
            };
            by_line = !by_line;
            let (probability, flagged) = after(middle)?;
            if flagged {
                high = (middle, probability);
            } else {
                low = (middle, probability);
            }
        }
        Some(high.0)
    }
}

/// The day between two where a straight line through both reaches the cut-off; neither of them.
fn on_the_line(low: (u32, f64), high: (u32, f64), cutoff: f64) -> u32 {
    let share = (cutoff - low.1) / (high.1 - low.1);
    // What is no number, where both are alike, becomes 0.
    let days = (share.clamp(0.0, 1.0) * f64::from(high.0 - low.0)) as u32;
    (low.0 + days).clamp(low.0 + 1, high.0 - 1)
}

/// What the score table shows of one contact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assessment {
    /// The chance, 0–1, of no inbound event within [`Assessment::horizon_days`].
    pub probability: f64,
    /// H*, 14–60 days.
    pub horizon_days: u32,
    /// Whether the probability reaches the cut-off and the contact is no longer new.
    pub is_ghost_risk: bool,
    /// See [`days_until_predicted_ghost`].
    pub days_until_predicted_ghost: Option<u32>,
    /// Distinct days on which the contact wrote.
    pub inbound_days: u32,
    /// Days since the contact last wrote, or since they were first written to; at least 1.
    pub silent_days: u32,
    /// The median gap between the contact's days, in days.
    pub usual_gap_days: f64,
    /// The share, 0–1, of the contact's own silences that were shorter than this one.
    pub shorter_silences: f64,
}

impl Assessment {
    /// The probability in whole percent, 0–100, halves up.
    #[must_use]
    pub fn percent(&self) -> i32 {
        (100.0 * self.probability + 0.5).floor() as i32
    }
}

/// Everything the score table shows, as of `today`; `None` where there were no events.
///
/// `cutoff` is the probability, 0–1, from which a contact is a ghost risk.
#[must_use]
pub fn assess(
    streams: &Streams,
    today: Day,
    cutoff: f64,
    constants: &Constants,
) -> Option<Assessment> {
    let standings = Standings::new(streams, today, constants)?;
    let horizon_days = standings.horizon_days();
    let probability = standings.ghost(horizon_days, constants);
    let watch = Watch {
        streams,
        horizon_days,
        cutoff,
        constants,
    };
    let is_ghost_risk = watch.flags(today, probability);
    let coming = if is_ghost_risk {
        None
    } else {
        watch.first_ghost_day(today, probability)
    };
    let inbound = &standings.inbound;
    Some(Assessment {
        probability,
        horizon_days,
        is_ghost_risk,
        days_until_predicted_ghost: coming,
        inbound_days: inbound.days,
        silent_days: inbound.silent_days as u32,
        usual_gap_days: inbound.median_gap_days(),
        shorter_silences: 1.0 - inbound.longer_silences(),
    })
}
