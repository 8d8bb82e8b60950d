//! The answer, believed only where it is what was asked for, to the letter.

use serde::Deserialize;
use serde_json::Value;

use super::request::TOOL;
use crate::sentiment::{Details, Urgency};

/// Topics of one mail, and characters of one topic.
const MAX_TOPICS: usize = 5;
const MAX_TOPIC_CHARS: usize = 40;

/// Tokens that were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Sent, cached ones too.
    pub input_tokens: u64,
    /// Received.
    pub output_tokens: u64,
}

/// One reading of an answer: score, details.
pub type Judged = (Option<f64>, Details);

#[derive(Deserialize)]
struct Answer {
    content: Vec<Block>,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    input: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    readings: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: usize,
    #[serde(deserialize_with = "present")]
    sentiment: Option<f64>,
    topics: Vec<String>,
    urgency: Urgency,
    response_required: bool,
}

/// Null is an answer, a missing key is none.
fn present<'de, D: serde::Deserializer<'de>>(de: D) -> Result<Option<f64>, D::Error> {
    Option::deserialize(de)
}

#[derive(Deserialize)]
struct Counted {
    usage: Counts,
}

#[derive(Deserialize)]
struct Counts {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
}

/// What the answer says that it cost, whatever else is wrong with it.
#[must_use]
pub fn read_usage(body: &[u8]) -> Option<Usage> {
    let Counted { usage } = serde_json::from_slice(body).ok()?;
    let cached = usage.cache_creation_input_tokens.unwrap_or(0);
    let cached = cached.saturating_add(usage.cache_read_input_tokens.unwrap_or(0));
    Some(Usage {
        input_tokens: usage.input_tokens.saturating_add(cached),
        output_tokens: usage.output_tokens,
    })
}

/// The readings of `count` mails, in their order.
///
/// # Errors
/// What is wrong, in words that repeat nothing of the answer.
pub fn read_answer(body: &[u8], count: usize) -> Result<Vec<Judged>, &'static str> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "it is not a message")?;
    if answer.stop_reason.as_deref() == Some("max_tokens") {
        return Err("it was cut short");
    }
    let mut calls = answer.content.into_iter().filter(|b| b.kind == "tool_use");
    let (Some(call), None) = (calls.next(), calls.next()) else {
        return Err("it is not one call of the tool");
    };
    if call.name != TOOL {
        return Err("it calls another tool");
    }
    let Call { readings } =
        serde_json::from_value(call.input).map_err(|_| "its readings are not of the schema")?;
    in_order(readings, count)
}

fn in_order(readings: Vec<Line>, count: usize) -> Result<Vec<Judged>, &'static str> {
    let mut places: Vec<Option<Judged>> = Vec::new();
    places.resize_with(count, || None);
    for line in readings {
        let place = line.id.checked_sub(1).and_then(|i| places.get_mut(i));
        match place {
            Some(place @ None) => *place = Some(checked(line)?),
            Some(_) => return Err("it judges a mail twice"),
            None => return Err("it judges a mail that was not sent"),
        }
    }
    let all: Option<Vec<Judged>> = places.into_iter().collect();
    all.ok_or("it leaves a mail out")
}

fn checked(line: Line) -> Result<Judged, &'static str> {
    if line.sentiment.is_some_and(|s| !(-1.0..=1.0).contains(&s)) {
        return Err("a score is out of range");
    }
    let fits = |topic: &String| {
        (1..=MAX_TOPIC_CHARS).contains(&topic.chars().count()) && !topic.contains(char::is_control)
    };
    if line.topics.len() > MAX_TOPICS || !line.topics.iter().all(fits) {
        return Err("its topics are too many or too long");
    }
    let details = Details {
        topics: line.topics,
        urgency: line.urgency,
        response_required: line.response_required,
    };
    // Hundredths, and no negative zero.
    let score = line.sentiment.map(|s| (s * 100.0).round() / 100.0 + 0.0);
    Ok((score, details))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(readings: &Value) -> Vec<u8> {
        json!({ "content": [{ "type": "tool_use", "name": TOOL, "input": { "readings": readings } }],
                "stop_reason": "tool_use" })
        .to_string()
        .into_bytes()
    }

    fn line(id: i64, sentiment: &Value) -> Value {
        json!({ "id": id, "sentiment": sentiment, "topics": [], "urgency": "low", "response_required": false })
    }

    #[test]
    fn readings_come_back_in_the_order_of_the_mails() {
        let readings = json!([line(2, &json!(null)), line(1, &json!(-0.456))]);
        let judged = read_answer(&body(&readings), 2).expect("good");
        let scores: Vec<_> = judged.into_iter().map(|(score, _)| score).collect();
        assert_eq!(scores, [Some(-0.46), None]);
    }

    #[test]
    fn a_missing_score_is_not_no_score() {
        let mut reading = line(1, &json!(null));
        reading.as_object_mut().expect("object").remove("sentiment");
        assert_eq!(
            read_answer(&body(&json!([reading])), 1),
            Err("its readings are not of the schema")
        );
    }

    #[test]
    fn ids_that_are_no_places_are_refused() {
        for id in [0, 2, -1, i64::MAX] {
            assert!(
                read_answer(&body(&json!([line(id, &json!(0))])), 1).is_err(),
                "{id}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_answer_is_survived(text in ".{0,200}", count in 0_usize..5) {
            let _ = read_usage(text.as_bytes());
            let _ = read_answer(text.as_bytes(), count);
        }
    }
}
