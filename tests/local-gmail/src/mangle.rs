//! The faults that spoil a right answer.

use axum::body::Bytes;
use serde_json::Value;

use crate::faults::Fault;
use crate::reply::{Answer, Reply};

/// Stands in JSON text where a broken byte is to come; a noncharacter that no mail holds.
const BROKEN: &str = "\u{FDD0}";

impl Fault {
    /// Whether it spoils the JSON of an answer; on a batch that is the JSON of every part.
    pub(crate) fn spoils_json(&self) -> bool {
        matches!(
            self,
            Self::MalformedJson
                | Self::WrongTypes
                | Self::HugeHeader { .. }
                | Self::NulBytes
                | Self::BrokenUtf8
                | Self::LoneSurrogates
        )
    }

    /// Whether it needs an answer to work on.
    pub(crate) fn needs_a_body(&self) -> bool {
        let whole = matches!(
            self,
            Self::ResetMidBody | Self::Truncated { .. } | Self::Delay { .. } | Self::EmptyPage
        );
        whole || self.spoils_json()
    }
}

/// What a fault makes of an answer.
pub(crate) fn mangle(fault: Option<&Fault>, mut reply: Reply) -> Answer {
    let body = match fault {
        Some(Fault::ResetMidBody) => {
            let half = reply.body.len() / 2;
            return Answer::ResetAfter(reply, half);
        }
        Some(Fault::Missing { .. }) => return Answer::Missing,
        Some(fault) => mangled_body(fault, &reply.body),
        None => None,
    };
    if let Some(body) = body {
        reply.body = body;
    }
    Answer::Whole(reply)
}

fn mangled_body(fault: &Fault, body: &Bytes) -> Option<Bytes> {
    Some(match fault {
        Fault::Truncated { keep_percent } => {
            body.slice(..body.len() * usize::from((*keep_percent).min(100)) / 100)
        }
        Fault::MalformedJson => [&body[..body.len() / 2], b"\"oops: ]"].concat().into(),
        Fault::WrongTypes => rewritten(body, wrong_types)?,
        Fault::HugeHeader { bytes } => rewritten(body, |value| huge(value, *bytes))?,
        Fault::NulBytes => rewritten(body, |value| spoil(value, "\0"))?,
        Fault::BrokenUtf8 => {
            put_for_broken(&rewritten(body, |value| spoil(value, BROKEN))?, &[0xFF])
        }
        Fault::LoneSurrogates => {
            put_for_broken(&rewritten(body, |value| spoil(value, BROKEN))?, b"\\ud83d")
        }
        _ => return None,
    })
}

fn rewritten(body: &Bytes, change: impl FnOnce(&mut Value)) -> Option<Bytes> {
    let mut value = serde_json::from_slice(body).ok()?;
    change(&mut value);
    Some(value.to_string().into())
}

fn wrong_types(value: &mut Value) {
    match value {
        Value::Object(properties) => properties.values_mut().for_each(wrong_types),
        Value::String(_) => *value = Value::from(7),
        plain => *plain = Value::from("wrong"),
    }
}

/// The strings to spoil: header values where the answer has some, else all.
fn each_target(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value
        .pointer_mut("/payload/headers")
        .and_then(Value::as_array_mut)
    {
        Some(headers) => headers
            .iter_mut()
            .for_each(|h| each_string(&mut h["value"], change)),
        None => each_string(value, change),
    }
}

fn each_string(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_string(item, change)),
        Value::Object(all) => all
            .values_mut()
            .for_each(|below| each_string(below, change)),
        _ => {}
    }
}

fn spoil(value: &mut Value, with: &str) {
    each_target(value, &mut |text| {
        let middle = text
            .char_indices()
            .nth(text.chars().count() / 2)
            .map_or(0, |(at, _)| at);
        text.insert_str(middle, with);
    });
}

fn huge(value: &mut Value, bytes: usize) {
    let mut done = false;
    each_target(value, &mut |text| {
        if !done {
            *text = "x".repeat(bytes);
            done = true;
        }
    });
}

fn put_for_broken(body: &Bytes, bytes: &[u8]) -> Bytes {
    let mut broken = Vec::with_capacity(body.len());
    let mut rest = &body[..];
    while let Some(at) = rest
        .windows(BROKEN.len())
        .position(|w| w == BROKEN.as_bytes())
    {
        broken.extend_from_slice(&rest[..at]);
        broken.extend_from_slice(bytes);
        rest = &rest[at + BROKEN.len()..];
    }
    broken.extend_from_slice(rest);
    broken.into()
}
