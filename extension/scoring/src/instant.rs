//! Arithmetic on instants: whole days, windows, and how an instant is written.
//!
//! Days are whole 24-hour periods in UTC. Nothing overflows: instants at the ends of the range
//! (the database's ±infinity) saturate.

use serde::Serializer;

use crate::interaction::Instant;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

impl Instant {
    /// Whole days since `earlier`, rounded down: negative where `earlier` lies ahead.
    #[must_use]
    pub const fn whole_days_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(MICROS_PER_DAY)
    }

    /// Days since `earlier` with their fraction.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / MICROS_PER_DAY as f64
    }

    /// The instant `days` whole days before this one.
    #[must_use]
    pub const fn minus_days(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days.saturating_mul(MICROS_PER_DAY)))
    }

    /// RFC 3339 in UTC, with a fraction only where there is one: `2026-03-01T09:30:00Z`.
    ///
    /// Years beyond 0–9999, which RFC 3339 cannot write, come with a sign.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let (year, month, day) = civil_date(self.0.div_euclid(MICROS_PER_DAY));
        let micros = self.0.rem_euclid(MICROS_PER_DAY);
        let seconds = micros / MICROS_PER_SECOND;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut text = String::with_capacity(27);
        if (0..=9999).contains(&year) {
            push_digits(&mut text, year, 4);
        } else {
            text.push_str(&format!("{year:+07}"));
        }
        let parts = [
            ('-', month),
            ('-', day),
            ('T', hour),
            (':', minute),
            (':', second),
        ];
        for (before, part) in parts {
            text.push(before);
            push_digits(&mut text, part, 2);
        }
        let fraction = micros % MICROS_PER_SECOND;
        if fraction != 0 {
            text.push('.');
            push_digits(&mut text, fraction, 6);
        }
        text.push('Z');
        text
    }
}

/// Adds a number of as many digits, or fewer. The formatting of the standard library takes ten times as long.
fn push_digits(text: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

/// Writes an instant as RFC 3339 text, for `#[serde(serialize_with)]`.
pub(crate) fn serialize_rfc3339<S: Serializer>(at: &Instant, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&at.to_rfc3339())
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Counts in years that start on 1 March, so that the leap day is the last of its year, and in
/// eras of 400 years, which all have 146,097 days.
const fn civil_date(days_since_1970: i64) -> (i64, i64, i64) {
    let days = days_since_1970 + 719_468; // from 0000-03-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}
