//! Times, amounts and names as people read them.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

/// `stage_velocity` → `stage velocity`
pub(super) fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// The first letter large.
pub(super) fn title(name: &str) -> String {
    let plain = plain(name);
    let mut letters = plain.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => plain,
    }
}

/// `3 h`, `2 d`: one unit, rounded down.
pub(super) fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s @ 3600..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

/// `0.42 s`, `12 s`, `3 min 4 s`: how long something took.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 5400.0 {
        format!(
            "{:.0} min {:.0} s",
            (seconds / 60.0).floor(),
            seconds % 60.0
        )
    } else {
        format!(
            "{:.0} h {:.0} min",
            (seconds / 3600.0).floor(),
            (seconds % 3600.0) / 60.0
        )
    }
}

/// `12,345`
pub(super) fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 {
        format!("−{text}")
    } else {
        text
    }
}

/// `1 deal`, `2 deals`
pub(super) fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A probability: nothing that is still to come is certain.
pub(super) fn chance(percent: f64) -> String {
    if percent < 1.0 {
        "under 1 %".to_owned()
    } else if percent > 99.0 {
        "over 99 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

/// How long ago, or until when, with the exact time for who wants it.
pub(super) fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    let seconds = (now - at).num_seconds();
    let words = match seconds {
        -1..=4 => "just now".to_owned(),
        s if s > 0 => format!("{} ago", span(s)),
        s => format!("in {}", span(-s)),
    };
    html! { time datetime=(at.to_rfc3339()) title=(exact(at)) { (words) } }
}

/// `2026-03-01 07:00 UTC`
pub(super) fn exact(at: DateTime<Utc>) -> String {
    at.format("%F %R UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_numbers_read_well_at_their_edges() {
        let spans = [59, 60, 3599, 3600, 172_799, 172_800].map(span);
        assert_eq!(spans, ["59 s", "1 min", "59 min", "1 h", "47 h", "2 d"]);
        let numbers = [0, 999, 1000, -1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "−1,234,567"]);
        let took = [0.04, 9.94, 89.0, 91.0, 7260.0].map(duration);
        assert_eq!(took, ["0.0 s", "9.9 s", "89 s", "1 min 31 s", "2 h 1 min"]);
    }
}
