//! What the real API refuses before any model is asked.

use axum::http::HeaderMap;
use serde_json::Value;

use crate::API_KEY;

const KNOWN: [&str; 7] = [
    "model",
    "max_tokens",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "metadata",
];

/// Status, name and message of the refusal of a request to `/v1/messages`.
pub(crate) fn refusal(headers: &HeaderMap, body: &Value) -> Option<(u16, &'static str, String)> {
    header_refusal(headers).or_else(|| {
        let message = body_refusal(body)?;
        Some((400, "invalid_request_error", message))
    })
}

/// A wrong key or no version, which every path wants.
pub(crate) fn header_refusal(headers: &HeaderMap) -> Option<(u16, &'static str, String)> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if header("x-api-key") != Some(API_KEY) {
        return Some((401, "authentication_error", "invalid x-api-key".to_owned()));
    }
    (header("anthropic-version") != Some("2023-06-01")).then(|| {
        let message = "anthropic-version: header is required".to_owned();
        (400, "invalid_request_error", message)
    })
}

fn body_refusal(body: &Value) -> Option<String> {
    let Some(object) = body.as_object() else {
        return Some("the body is not an object".to_owned());
    };
    if let Some(key) = object.keys().find(|k| !KNOWN.contains(&k.as_str())) {
        return Some(format!("{key}: extra inputs are not permitted"));
    }
    if let Some(key) = ["model", "max_tokens", "messages"]
        .iter()
        .find(|k| !object.contains_key(**k))
    {
        return Some(format!("{key}: field required"));
    }
    if body["max_tokens"].as_u64().is_none_or(|n| n == 0) {
        return Some("max_tokens: must be at least 1".to_owned());
    }
    let tools: Vec<&str> = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|t| t["name"].as_str())
        .collect();
    let forced = body["tool_choice"]["name"].as_str();
    forced
        .filter(|name| !tools.contains(name))
        .map(|name| format!("tool_choice.name: {name} is not among the tools"))
}
