//! When a silent contact will become a ghost risk, if the silence lasts.
//!
//! Contract: the answer is that of looking at every day in turn with
//! [`ghost_probability`](super::ghost_probability), as long as the probability does not come within a billionth of the
//! cut-off; it takes about three looks, each at half the price.
//!
//! Of a stream, only the days of silence R grow with time. With E(x) = (A / (A + x^c))^s, the share of silences that last
//! longer than x days, and k = a / (b + m), both in [`renewal`](super::renewal), the odds of its P0(H) are
//! (k + E(R + H − ½)) / (E(R − ½) − E(R + H − ½)): the same equations with alive and q multiplied out.

use super::model::NEW_CONTACT_DAYS;
use super::powers::middle_power;
use super::renewal::{LEAST, logistic};
use super::stream::{Day, Stream};
use super::{Constants, Streams};

/// How far ahead a predicted ghost is looked for, in days.
pub(super) const LOOK_AHEAD_DAYS: u32 = 180;

/// Looks guided by a curve; after them the middle is taken, so that no curve takes more than eight more.
const GUIDED_LOOKS: u32 = 8;

/// A contact whose silence goes on.
pub(super) struct Outlook {
    inbound: Course,
    any: Course,
    horizon_days: u32,
    /// What of the log-odds does not change: the intercept and the counts of days.
    base: f64,
    /// β1 and β2.
    weights: [f64; 2],
    today: i64,
    /// Days from today until the contact is no longer new; 0 where it is not.
    new_for_days: u32,
}

/// What the silence of one stream goes by.
struct Course {
    since: i64,
    shape: f64,
    /// s = 1 + x.
    count: f64,
    /// A = α + G.
    scale: f64,
    /// k = a / (b + m).
    never: f64,
}

impl Outlook {
    /// For streams with a day at least; `terms` are those of today over the horizon.
    pub(super) fn new(
        streams: &Streams,
        today: Day,
        horizon_days: u32,
        terms: &[f64; 5],
        constants: &Constants,
    ) -> Self {
        let [beta_0, inbound_weight, any_weight, beta_3, beta_4] = constants.beta;
        let [_, _, _, inbound_days, any_days] = terms;
        let new_until = i64::from(streams.any.first) + NEW_CONTACT_DAYS;
        let new_for = (new_until - i64::from(today)).clamp(0, i64::from(u32::MAX));
        Self {
            inbound: Course::new(&streams.inbound, streams.silent_since(), constants),
            any: Course::new(&streams.any, streams.any.last, constants),
            horizon_days,
            base: beta_0 + beta_3 * inbound_days + beta_4 * any_days,
            weights: [inbound_weight, any_weight],
            today: today.into(),
            new_for_days: new_for as u32,
        }
    }

    /// The smallest d in 1 to [`LOOK_AHEAD_DAYS`] on which the probability is at least `cutoff` and the contact no longer
    /// new; today, with these log-odds, it must not be so. A silent contact that is a ghost risk stays one.
    pub(super) fn first_ghost_day(&self, log_odds_today: f64, cutoff: f64) -> Option<u32> {
        let first = self.new_for_days.max(1);
        if first > LOOK_AHEAD_DAYS {
            return None;
        }
        // No day below `low` is one, every day from `high` on is.
        let (mut low, mut high) = (first, LOOK_AHEAD_DAYS + 1);
        let mut curve = Curve::new(self.inbound.silent_days(self.today) as f64, cutoff);
        curve.learn(0, log_odds_today);
        let mut day = self.horizon_days.clamp(first, LOOK_AHEAD_DAYS);
        let mut looks = 0;
        loop {
            let log_odds = self.log_odds_after(day);
            if logistic(log_odds) >= cutoff {
                high = day;
            } else {
                low = day + 1;
            }
            if low >= high {
                return (high <= LOOK_AHEAD_DAYS).then_some(high);
            }
            looks += 1;
            curve.learn(day, log_odds);
            let guess = curve.crossing().filter(|_| looks < GUIDED_LOOKS);
            // Between the two, `high` left out, for nothing is to be learnt there.
            day = guess.map_or(low.midpoint(high - 1), |day| {
                day.clamp(f64::from(low), f64::from(high - 1)) as u32
            });
        }
    }

    /// The log-odds of silence over the horizon, `days` from today, with no word until then.
    fn log_odds_after(&self, days: u32) -> f64 {
        let day = self.today + i64::from(days);
        let [inbound_weight, any_weight] = self.weights;
        self.base
            + inbound_weight * self.inbound.log_odds(day, self.horizon_days)
            + any_weight * self.any.log_odds(day, self.horizon_days)
    }
}

impl Course {
    fn new(stream: &Stream, since: Day, constants: &Constants) -> Self {
        let returns = f64::from(stream.days.saturating_sub(1));
        Self {
            since: since.into(),
            shape: constants.shape,
            count: 1.0 + stream.gap_count,
            scale: constants.gap_prior + stream.gap_sum,
            never: constants.dropout_a / (constants.dropout_b + returns),
        }
    }

    /// R on a day: days of silence, at least 1.
    fn silent_days(&self, day: i64) -> i64 {
        (day - self.since).max(1)
    }

    /// The log-odds of P0(H) on a day, kept as far from certainty as the second stage has it.
    fn log_odds(&self, day: i64, horizon_days: u32) -> f64 {
        let silent_days = self.silent_days(day);
        let now = self.longer_than(silent_days);
        let then = self.longer_than(silent_days + i64::from(horizon_days));
        let odds = (self.never + then) / (now - then);
        odds.clamp(LEAST / (1.0 - LEAST), (1.0 - LEAST) / LEAST)
            .ln()
    }

    /// E: the share of silences that last longer.
    fn longer_than(&self, days: i64) -> f64 {
        let elapsed = middle_power(days, self.shape);
        (-self.count * ((self.scale + elapsed) / self.scale).ln()).exp()
    }
}

/// The log-odds of the last three days looked at, as a curve over the root of the days of silence: nearly a line.
struct Curve {
    silent_days: f64,
    target: f64,
    /// Root of the days of silence, and how far the log-odds lie from those of the cut-off; newest first.
    points: [Option<(f64, f64)>; 3],
}

impl Curve {
    fn new(silent_days: f64, cutoff: f64) -> Self {
        Self {
            silent_days,
            target: (cutoff / (1.0 - cutoff)).ln(),
            points: [None; 3],
        }
    }

    fn learn(&mut self, day: u32, log_odds: f64) {
        let point = (
            (self.silent_days + f64::from(day)).sqrt(),
            log_odds - self.target,
        );
        self.points = [Some(point), self.points[0], self.points[1]];
    }

    /// The first whole day at or after which the curve through the points reaches the target: a guess.
    fn crossing(&self) -> Option<f64> {
        let [Some((x0, y0)), Some((x1, y1)), third] = self.points else {
            return None;
        };
        let slope = (x1 - x0) / (y1 - y0);
        let bend = third.map_or(0.0, |(x2, y2)| ((x2 - x1) / (y2 - y1) - slope) / (y2 - y0));
        let root = x0 - y0 * slope + y0 * y1 * bend;
        let day = (root * root - self.silent_days).ceil();
        (day.is_finite() && root >= 0.0).then_some(day)
    }
}
