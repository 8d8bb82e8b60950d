//! Stage 2: both streams in one calibrated probability, and what a score table shows of it.

use super::outlook::Outlook;
use super::own::OwnSilences;
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
        let of_days = |days: u32| f64::from(days).ln_1p() - LOG_DAYS_CENTRE;
        [
            1.0,
            log_odds(self.inbound.silent_probability(horizon_days)),
            log_odds(self.any.silent_probability(horizon_days)),
            of_days(self.inbound.days),
            of_days(self.any.days),
        ]
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
    let standings = Standings::new(streams, today, constants)?;
    let terms = standings.terms(horizon_days);
    Some(logistic(weigh(&terms, &constants.beta)))
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
    /// Days since the contact last wrote, or since they were first written to; 0 today.
    pub silent_days: u32,
    /// The mean gap between the contact's days, in days; 0 where there are fewer than two.
    pub mean_gap_days: f64,
    /// The median gap that is expected between the contact's days, in days.
    pub usual_gap_days: f64,
    /// The share, 0–1, of the silences expected of the contact that are shorter than this one.
    pub shorter_silences: f64,
    /// The contact's own silences, where the days are at hand: [`Assessment::with_days`].
    pub own: Option<OwnSilences>,
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
    let terms = standings.terms(horizon_days);
    let log_odds = weigh(&terms, &constants.beta);
    let probability = logistic(log_odds);
    let known_days = i64::from(today) - i64::from(streams.any.first);
    let is_ghost_risk = probability >= cutoff && known_days >= NEW_CONTACT_DAYS;
    let coming = if is_ghost_risk {
        None
    } else {
        Outlook::new(streams, today, horizon_days, &terms, constants)
            .first_ghost_day(log_odds, cutoff)
    };
    let inbound = &standings.inbound;
    Some(Assessment {
        probability,
        horizon_days,
        is_ghost_risk,
        days_until_predicted_ghost: coming,
        inbound_days: inbound.days,
        silent_days: days_between(streams.silent_since(), today),
        mean_gap_days: f64::from(days_between(streams.inbound.first, streams.inbound.last))
            / f64::from(inbound.days.saturating_sub(1).max(1)),
        usual_gap_days: inbound.median_gap_days(),
        shorter_silences: 1.0 - inbound.longer_silences(),
        own: None,
    })
}

/// Days from one to the other, 0 where that lies before.
fn days_between(earlier: Day, later: Day) -> u32 {
    u32::try_from(i64::from(later) - i64::from(earlier)).unwrap_or(0)
}
