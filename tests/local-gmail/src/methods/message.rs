//! `users.messages.get`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::{Params, ids};
use crate::ids::parse_id;
use crate::mailbox::Mailbox;
use crate::message::{Message, Text};
use crate::reply::ApiError;

/// `users.messages.get`.
pub(crate) fn get(mailbox: &Mailbox, id: &str, params: &Params<'_>) -> Result<Value, ApiError> {
    let number = parse_id(id).ok_or_else(|| ApiError::invalid("Invalid id value"))?;
    let format = params.one("format").unwrap_or("full");
    if params.metadata_only && !matches!(format, "metadata" | "minimal") {
        let message = format!(
            "Metadata scope doesn't allow format {}",
            format.to_uppercase()
        );
        return Err(ApiError::new(403, "forbidden", message));
    }
    let message = mailbox.get(number).ok_or_else(ApiError::not_found)?;
    let text = message.text();
    let mut answer = summary(number, message, &text);
    match format {
        "minimal" => {}
        "metadata" => {
            let wanted: Vec<&str> = params.all("metadataHeaders").collect();
            answer["payload"] = metadata(&text, &wanted);
        }
        "full" => answer["payload"] = full(&text),
        "raw" => answer["raw"] = Value::from(raw(&text)),
        _ => return Err(ApiError::invalid("Invalid format")),
    }
    Ok(answer)
}

fn summary(id: u64, message: &Message, text: &Text) -> Value {
    let mut answer = ids(id, message.thread);
    if !message.labels.is_empty() {
        answer["labelIds"] = message.labels.iter().map(String::as_str).collect();
    }
    answer["snippet"] = Value::from(text.snippet.as_str());
    answer["sizeEstimate"] = Value::from(i32::try_from(text.size()).unwrap_or(i32::MAX));
    answer["historyId"] = Value::from(message.history_id.to_string());
    answer["internalDate"] = Value::from(message.internal_date_ms.to_string());
    answer
}

fn mime_type(text: &Text) -> String {
    let declared = text.values("Content-Type").next().unwrap_or("text/plain");
    declared
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase()
}

fn headers(text: &Text, wanted: &[&str]) -> Value {
    let all = text.headers.iter();
    let kept = all.filter(|(name, _)| {
        wanted.is_empty() || wanted.iter().any(|one| one.eq_ignore_ascii_case(name))
    });
    kept.map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

fn metadata(text: &Text, wanted: &[&str]) -> Value {
    json!({ "mimeType": mime_type(text), "headers": headers(text, wanted) })
}

fn full(text: &Text) -> Value {
    json!({
        "partId": "",
        "mimeType": mime_type(text),
        "filename": "",
        "headers": headers(text, &[]),
        "body": { "size": text.body.len(), "data": URL_SAFE.encode(&text.body) },
    })
}

fn raw(text: &Text) -> String {
    let lines = text
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    URL_SAFE.encode(lines.collect::<String>() + "\r\n" + &text.body)
}
