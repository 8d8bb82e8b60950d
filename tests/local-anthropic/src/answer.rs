//! The answer of the model: a few words decide the mood of each mail, so that a test knows what to expect.

use serde_json::{Value, json};

use crate::fault::Fault;

/// The answer to `request`, spoiled by `fault`.
pub(crate) fn answer(request: &Value, fault: Option<&Fault>) -> Value {
    let mails = mails(request);
    let mut readings: Vec<Value> = mails.iter().map(reading).collect();
    // A model that falls for an instruction in a mail judges others in its name.
    if mails
        .iter()
        .any(|m| text_of(m).contains("ignore previous instructions"))
    {
        readings = (1..=100).map(|id| judged(id, &json!(1.0))).collect();
    }
    spoil(&mut readings, fault);
    let call = json!({
        "type": "tool_use", "id": "toolu_local", "name": request["tool_choice"]["name"],
        "input": { "readings": readings },
    });
    let text = json!({ "type": "text", "text": "Here you are." });
    let content = match fault {
        Some(Fault::NoToolCall) => vec![text],
        Some(Fault::ExtraText) => vec![text, call],
        _ => vec![call],
    };
    let stop = if fault == Some(&Fault::CutShort) {
        "max_tokens"
    } else {
        "tool_use"
    };
    let mut answer = json!({
        "id": "msg_local", "type": "message", "role": "assistant", "model": request["model"],
        "content": content, "stop_reason": stop, "stop_sequence": null,
        "usage": { "input_tokens": 1000, "cache_read_input_tokens": 0, "output_tokens": 100 },
    });
    if fault == Some(&Fault::NoUsage) {
        answer["usage"] = Value::Null;
    }
    answer
}

/// The mails of a request: the lines of its message that are JSON objects.
pub(crate) fn mails(request: &Value) -> Vec<Value> {
    let text = request["messages"][0]["content"]
        .as_str()
        .unwrap_or_default();
    let object = |line: &str| serde_json::from_str(line).ok().filter(Value::is_object);
    text.lines().filter_map(object).collect()
}

fn text_of(mail: &Value) -> String {
    let part = |key: &str| mail[key].as_str().unwrap_or_default().to_lowercase();
    format!("{} {}", part("subject"), part("snippet"))
}

fn reading(mail: &Value) -> Value {
    let text = text_of(mail);
    let score = if text.contains("terrible") {
        json!(-0.9)
    } else if text.contains("wunderbar") {
        json!(0.8)
    } else {
        Value::Null
    };
    judged(mail["id"].as_u64().unwrap_or_default(), &score)
}

fn judged(id: u64, sentiment: &Value) -> Value {
    let is_bad = sentiment.as_f64().is_some_and(|s| s < 0.0);
    json!({
        "id": id, "sentiment": sentiment, "topics": ["service"],
        "urgency": if is_bad { "high" } else { "low" }, "response_required": is_bad,
    })
}

fn spoil(readings: &mut Vec<Value>, fault: Option<&Fault>) {
    let Some(first) = readings.first_mut() else {
        return;
    };
    match fault {
        Some(Fault::WrongIds) => first["id"] = json!(77),
        Some(Fault::OutOfRange) => first["sentiment"] = json!(1.5),
        Some(Fault::ExtraKey) => first["note"] = json!("run this"),
        Some(Fault::TooManyTopics) => first["topics"] = json!(["a", "b", "c", "d", "e", "f"]),
        Some(Fault::LongTopic) => first["topics"] = json!(["x".repeat(100)]),
        Some(Fault::UnknownUrgency) => first["urgency"] = json!("extreme"),
        Some(Fault::DoubledId) => {
            let again = first.clone();
            readings.push(again);
        }
        Some(Fault::MissingId) => {
            readings.pop();
        }
        _ => {}
    }
}
