//! JSON as PostgreSQL has it: its numbers have no limit, and the core's are doubles.

use pgrx::{direct_function_call, pg_getarg_datum, pg_sys};
use serde_json::Value;

use crate::error::{Error, Result};

/// What becomes of a number that no double can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TooLarge {
    /// It is handed on as a text of its digits.
    Text,
    /// It is as large as a double can be, but for the last digits.
    Largest,
    /// Words stand in its place, for whoever expects a number to refuse them.
    Words,
}

/// Nearly the largest double: JSON's reader takes the very last ones for infinite.
const LARGEST: &str = "1e308";

impl TooLarge {
    fn instead(self, number: &str) -> String {
        match self {
            Self::Text => format!("\"{number}\""),
            Self::Largest if number.starts_with('-') => format!("-{LARGEST}"),
            Self::Largest => LARGEST.to_owned(),
            Self::Words => "\"a number that is too large\"".to_owned(),
        }
    }
}

/// The value of a JSON text that PostgreSQL wrote.
pub(crate) fn parse(text: &str, too_large: TooLarge) -> Result<Value> {
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_large_numbers(text, too_large)))
        .map_err(|error| Error::Input(format!("JSON that cannot be read: {error}")))
}

/// A jsonb argument; `None` for NULL.
///
/// # Safety
/// The argument must be declared jsonb.
pub(crate) unsafe fn argument(
    fcinfo: pg_sys::FunctionCallInfo,
    at: usize,
    too_large: TooLarge,
) -> Result<Option<Value>> {
    // SAFETY: the caller's; jsonb_out returns a C string.
    let text: Option<&std::ffi::CStr> = unsafe {
        pg_getarg_datum(fcinfo, at)
            .and_then(|datum| direct_function_call(pg_sys::jsonb_out, &[Some(datum)]))
    };
    let value = text.map(|text| parse(&text.to_string_lossy(), too_large));
    value.transpose()
}

/// The text with something else in the place of numbers that are too large.
fn without_large_numbers(text: &str, too_large: TooLarge) -> String {
    let is_digit = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
    let mut left = String::with_capacity(text.len());
    let (mut number, mut within, mut escaped) = (String::new(), false, false);
    for letter in text.chars().chain([' ']) {
        let starts = letter.is_ascii_digit() || letter == '-';
        if !within && (starts || !number.is_empty() && is_digit(letter)) {
            number.push(letter);
            continue;
        }
        if !number.is_empty() {
            let fits = number.parse::<f64>().is_ok_and(f64::is_finite);
            let instead = if fits {
                number.clone()
            } else {
                too_large.instead(&number)
            };
            left.push_str(&instead);
            number.clear();
        }
        if letter == '"' && !escaped {
            within = !within;
        }
        escaped = within && letter == '\\' && !escaped;
        left.push(letter);
    }
    left
}
