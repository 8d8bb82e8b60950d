//! Durations and rhythms as a person says them.

use crate::explain::plain;

/// More often than this in a day, nobody counts.
const MOST_A_DAY: f64 = 100.0;

/// `every 3.3 days`, `every day`, `4 times a day`: what comes once in so many days, more than 0.
pub(crate) fn every(days: f64) -> String {
    let told = plain(days);
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
