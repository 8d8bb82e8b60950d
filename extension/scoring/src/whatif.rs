//! The core without tables: metrics as JSON in, scores as JSON out.
//!
//! A key that is missing or null is unknown. A key that does not exist, or holds something of
//! another kind, is refused by name: a misspelt signal must not pass for an unknown one.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::deal::{self, DealMetrics};
use crate::ghost::{self, Severity, SignalType};
use crate::relationship::{self, RelationshipMetrics};
use crate::status::SentimentTrend;

/// What is wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The value is not of the kind that stands in this place.
    #[error("{place} must be {expected}, found {found}")]
    WrongType {
        /// The key, or `metrics` or `signals` for the whole input.
        place: String,
        /// What would be right.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The key is none that is known here.
    #[error("unknown key \"{key}\", expected one of {known}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that are known.
        known: String,
    },
}

/// What stands under a key.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    WholeNumber,
    Number,
    Trend,
}

const DEAL_KEYS: [(&str, Kind); 9] = [
    ("stage", Kind::Text),
    ("days_in_stage", Kind::WholeNumber),
    ("days_since_last_meeting", Kind::WholeNumber),
    ("days_since_last_activity", Kind::WholeNumber),
    ("avg_sentiment", Kind::Number),
    ("sentiment_trend", Kind::Trend),
    ("meeting_count_30d", Kind::WholeNumber),
    ("activity_count_30d", Kind::WholeNumber),
    ("avg_response_time_hours", Kind::Number),
];

const RELATIONSHIP_KEYS: [(&str, Kind); 15] = [
    ("days_since_last_contact", Kind::WholeNumber),
    ("days_since_last_response", Kind::WholeNumber),
    ("avg_response_time_hours", Kind::Number),
    ("response_rate_percent", Kind::WholeNumber),
    ("email_open_rate_percent", Kind::WholeNumber),
    ("communication_count_30d", Kind::WholeNumber),
    ("meeting_count_30d", Kind::WholeNumber),
    ("days_since_last_meeting", Kind::WholeNumber),
    ("avg_sentiment", Kind::Number),
    ("sentiment_trend", Kind::Trend),
    ("baseline_response_time_hours", Kind::Number),
    ("baseline_contact_frequency_days", Kind::Number),
    ("baseline_meeting_frequency_days", Kind::Number),
    ("total_deal_value", Kind::Number),
    ("at_risk_deal_value", Kind::Number),
];

/// Scores a deal by metrics under the names of [`DealMetrics`]; the result has the names of
/// [`deal::DealScore`].
///
/// # Errors
/// Where the input is no object, or has an unknown key or a value of the wrong type.
pub fn score_deal(json: &Value, c: &Config) -> Result<Value, InputError> {
    let metrics: DealMetrics = read_metrics(json, &DEAL_KEYS)?;
    Ok(to_json(&deal::score(&metrics, c)))
}

/// Scores a relationship by metrics under the names of [`RelationshipMetrics`], with the ghost
/// model of `c`; the result has the names of [`relationship::RelationshipScore`].
///
/// # Errors
/// Where the input is no object, or has an unknown key or a value of the wrong type.
pub fn score_relationship(json: &Value, c: &Config) -> Result<Value, InputError> {
    let metrics: RelationshipMetrics = read_metrics(json, &RELATIONSHIP_KEYS)?;
    Ok(to_json(&relationship::score(&metrics, c)))
}

/// Assesses ghost signals given as `[{"signal_type": …, "severity": …}, …]` under an overall score
/// (`None`: unknown); null signals are none. The result has the names of [`ghost::Assessment`].
///
/// # Errors
/// Where the input is no such array, or names an unknown signal type, severity or key.
pub fn assess_ghost(overall: Option<i64>, signals: &Value) -> Result<Value, InputError> {
    let rows: &[Value] = match signals {
        Value::Null => &[],
        Value::Array(rows) => rows,
        other => return Err(wrong_type("signals", "an array of objects", other)),
    };
    let signals: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| read_signal(at, row))
        .collect::<Result<_, _>>()?;
    Ok(to_json(&ghost::assess(overall, &signals)))
}

fn read_signal(at: usize, row: &Value) -> Result<(SignalType, Severity), InputError> {
    let place = format!("signals[{at}]");
    let Value::Object(fields) = row else {
        return Err(wrong_type(
            &place,
            "an object with signal_type and severity",
            row,
        ));
    };
    let known = ["signal_type", "severity"];
    if let Some(key) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        let key = format!("{place}.{key}");
        return Err(InputError::UnknownKey {
            key,
            known: known.join(", "),
        });
    }
    let signal = read_word(&place, fields, known[0], SignalType::parse, || {
        words(SignalType::ALL)
    })?;
    let severity = read_word(&place, fields, known[1], Severity::parse, || {
        words(Severity::ALL)
    })?;
    Ok((signal, severity))
}

fn read_word<T>(
    place: &str,
    fields: &Map<String, Value>,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
    expected: impl Fn() -> String,
) -> Result<T, InputError> {
    let found = fields.get(key).unwrap_or(&Value::Null);
    let word = found.as_str().and_then(parse);
    word.ok_or_else(|| wrong_type(&format!("{place}.{key}"), &expected(), found))
}

fn read_metrics<T: DeserializeOwned>(json: &Value, keys: &[(&str, Kind)]) -> Result<T, InputError> {
    let Value::Object(fields) = json else {
        return Err(wrong_type("metrics", "an object", json));
    };
    let mut clean = Map::new();
    for (key, value) in fields {
        let Some((_, kind)) = keys.iter().find(|(name, _)| name == key) else {
            let known: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
            return Err(InputError::UnknownKey {
                key: key.clone(),
                known: known.join(", "),
            });
        };
        if !value.is_null() {
            clean.insert(key.clone(), read(key, value, *kind)?);
        }
    }
    serde_json::from_value(Value::Object(clean))
        .map_err(|error| wrong_type("metrics", &error.to_string(), json))
}

/// A value as its kind wants it; whole numbers beyond 64 bits saturate, as ages may be huge.
fn read(key: &str, value: &Value, kind: Kind) -> Result<Value, InputError> {
    let (read, expected) = match kind {
        Kind::Text => (value.as_str().map(Value::from), "a string".to_owned()),
        Kind::WholeNumber => (
            whole_number(value).map(Value::from),
            "a whole number".to_owned(),
        ),
        Kind::Number => (finite(value).map(Value::from), "a finite number".to_owned()),
        Kind::Trend => {
            let known = value.as_str().and_then(SentimentTrend::parse);
            (
                known.map(|trend| Value::from(trend.as_str())),
                words(SentimentTrend::ALL),
            )
        }
    };
    read.ok_or_else(|| wrong_type(key, &expected, value))
}

fn whole_number(value: &Value) -> Option<i64> {
    let exact = value.as_i64();
    exact.or_else(|| {
        finite(value)
            .filter(|number| number.fract() == 0.0)
            .map(|number| number as i64)
    })
}

fn finite(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

fn words<T: std::fmt::Display>(all: &[T]) -> String {
    let quoted: Vec<String> = all.iter().map(|word| format!("\"{word}\"")).collect();
    format!("one of {}", quoted.join(", "))
}

fn wrong_type(place: &str, expected: &str, found: &Value) -> InputError {
    let found = match found {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Number(_) | Value::String(_) => found.to_string(),
    };
    InputError::WrongType {
        place: place.to_owned(),
        expected: expected.to_owned(),
        found,
    }
}

/// The JSON of a result: plain numbers, words and lists, which always have one.
fn to_json<T: serde::Serialize>(result: &T) -> Value {
    serde_json::to_value(result).unwrap_or(Value::Null)
}
