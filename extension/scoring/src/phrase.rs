//! Durations, rhythms and sentiments as a person says them.

use crate::explain::counted;
use crate::number::{above, below};

/// The most decimals that a number is told with.
const MOST_DECIMALS: usize = 9;

/// More often than this in a day, nobody counts.
const MOST_A_DAY: f64 = 100.0;

/// A chance in whole percent, which is never certainty: `83 %`, `over 99 %`, `under 1 %`.
pub(crate) fn chance(percent: i32) -> String {
    match percent {
        ..1 => "under 1 %".to_owned(),
        100.. => "over 99 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

/// `every 3.3 days`, `every day`, `4 times a day`: what comes once in so many days, more than 0.
pub(crate) fn every(days: f64) -> String {
    let told = plain(days, &[]);
    if told == "1" {
        return "every day".to_owned();
    }
    if days > 1.0 {
        return format!("every {told} days");
    }
    match (1.0 / days).round() {
        ..2.0 => "more than once a day".to_owned(),
        times if times > MOST_A_DAY => format!("more than {MOST_A_DAY} times a day"),
        times => format!("{times} times a day"),
    }
}

/// The same where what comes was named: `one every 3.3 days`, `4 times a day`.
pub(crate) fn one_every(days: f64) -> String {
    let rhythm = every(days);
    if rhythm.starts_with("every") {
        format!("one {rhythm}")
    } else {
        rhythm
    }
}

/// A number with one decimal, and without where that is a zero: `6`, `6.5`; with more where it would look like
/// one of `limits` and is none of them: `48.04`.
pub(crate) fn plain(value: f64, limits: &[f64]) -> String {
    let text = format!("{value:.*}", decimals(value, limits, 1));
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// `30 minutes`, `1 hour`, `6.5 hours`; with decimals as [`plain`] has them.
pub(crate) fn hours(value: f64, limits: &[f64]) -> String {
    let minutes = (60.0 * value).round();
    if minutes < 1.0 {
        return "less than a minute".to_owned();
    }
    if minutes < 60.0 {
        return counted(minutes as i64, "minute");
    }
    match plain(value, limits).as_str() {
        "1" => "1 hour".to_owned(),
        told => format!("{told} hours"),
    }
}

/// A number with its sign and two decimals, with more as [`plain`] has them; a zero has no minus.
pub(crate) fn signed(value: f64, limits: &[f64]) -> String {
    let text = format!("{value:+.*}", decimals(value, limits, 2));
    if text == "-0.00" {
        return "+0.00".to_owned();
    }
    text
}

/// How many decimals, `least` or more, tell a value from the limits that it is not.
fn decimals(value: f64, limits: &[f64], least: usize) -> usize {
    let others = || {
        limits
            .iter()
            .filter(|limit| above(value, **limit) || below(value, **limit))
    };
    let told_apart = |places: &usize| {
        let half = 0.5 / 10_f64.powi(*places as i32);
        others().all(|limit| (value - limit).abs() > half)
    };
    (least..MOST_DECIMALS)
        .find(told_apart)
        .unwrap_or(MOST_DECIMALS)
}
