//! What the five methods answer, once a call is let in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use crate::config::UnitCosts;
use crate::faults::Endpoint;
use crate::mailbox::{Change, Mailbox, Record, parse_id, write_id};
use crate::message::{Message, Text};
use crate::mix::mix;
use crate::query::Query;
use crate::reply::ApiError;

const PAGE_DEFAULT: usize = 100;
const PAGE_MOST: usize = 500;

/// The query of a call and what else bears on the answer.
pub(crate) struct Params<'a> {
    /// The query, decoded.
    pub(crate) query: &'a [(String, String)],
    /// Whether the limits of the metadata scope hold.
    pub(crate) metadata_only: bool,
    /// The server's present.
    pub(crate) now_ms: i64,
    /// Whether a fault asks for a page with nothing on it.
    pub(crate) empty_page: bool,
    /// The most history records for a page.
    pub(crate) page_limit: Option<usize>,
}

impl<'q> Params<'q> {
    fn one(&self, name: &str) -> Option<&'q str> {
        self.query
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'q str> + use<'q, 'n> {
        self.query
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    fn page_size(&self) -> Result<usize, ApiError> {
        match self.one("maxResults").map(str::parse::<usize>) {
            None => Ok(PAGE_DEFAULT),
            Some(Ok(size)) if size > 0 => Ok(size.min(PAGE_MOST)),
            Some(_) => Err(ApiError::invalid("Invalid maxResults")),
        }
    }

    /// The numbers of the page token, if there is one; tokens of another method are refused.
    fn page_token(&self, method: char) -> Result<Option<(i64, u64)>, ApiError> {
        let Some(token) = self.one("pageToken") else {
            return Ok(None);
        };
        let numbers = token
            .strip_prefix(method)
            .and_then(|rest| rest.split_once('_'));
        let numbers = numbers.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        numbers
            .map(Some)
            .ok_or_else(|| ApiError::invalid("Invalid pageToken"))
    }
}

/// What a call of this endpoint costs.
pub(crate) fn units(endpoint: Endpoint, costs: &UnitCosts) -> u64 {
    match endpoint {
        Endpoint::Profile => costs.profile,
        Endpoint::List => costs.list,
        Endpoint::Get => costs.get,
        Endpoint::History => costs.history,
        Endpoint::SendAs => costs.send_as,
        Endpoint::Batch | Endpoint::Token | Endpoint::Consent => 0,
    }
}

/// The refusal of what a token's scopes do not cover.
pub(crate) fn scope_missing() -> ApiError {
    let message = "Request had insufficient authentication scopes.";
    ApiError::new(403, "insufficientPermissions", message)
}

/// `users.getProfile`.
pub(crate) fn profile(mailbox: &Mailbox) -> Value {
    json!({
        "emailAddress": mailbox.address,
        "messagesTotal": mailbox.len(),
        "threadsTotal": mailbox.thread_count(),
        "historyId": mailbox.history_id().to_string(),
    })
}

/// `users.settings.sendAs.list`.
pub(crate) fn send_as(mailbox: &Mailbox) -> Value {
    let own = json!({
        "sendAsEmail": mailbox.address,
        "displayName": "",
        "replyToAddress": "",
        "signature": "",
        "isPrimary": true,
        "isDefault": true,
    });
    let alias = |address: &String| {
        json!({
            "sendAsEmail": address,
            "displayName": "",
            "replyToAddress": "",
            "signature": "",
            "isDefault": false,
            "treatAsAlias": true,
            "verificationStatus": "accepted",
        })
    };
    let all: Vec<Value> = std::iter::once(own)
        .chain(mailbox.aliases.iter().map(alias))
        .collect();
    json!({ "sendAs": all })
}

/// `users.messages.list`, newest first.
pub(crate) fn list(mailbox: &Mailbox, params: &Params<'_>) -> Result<Value, ApiError> {
    let size = params.page_size()?;
    let before = params.page_token('m')?;
    let query = list_query(params)?;
    if params.empty_page {
        let (date, id) = before.unwrap_or((i64::MAX, 0));
        return Ok(json!({ "nextPageToken": format!("m{date}_{id}"), "resultSizeEstimate": 0 }));
    }
    let labels: Vec<&str> = params.all("labelIds").collect();
    let hidden = params.one("includeSpamTrash") != Some("true") && !query.names_spam_or_trash;
    let wanted = |message: &Message| {
        let shown = !(hidden && (message.has_label("SPAM") || message.has_label("TRASH")));
        shown && labels.iter().all(|label| message.has_label(label)) && query.matches(message)
    };
    let found = mailbox.newest_first(query.from_ms, query.to_ms, before);
    let mut found = found.filter(|(_, message)| wanted(message));
    let page: Vec<_> = found.by_ref().take(size).collect();
    let more = found.next().is_some();
    Ok(list_page(&page, more))
}

fn list_query(params: &Params<'_>) -> Result<Query, ApiError> {
    match params.one("q") {
        Some(_) if params.metadata_only => {
            let message = "Metadata scope does not support 'q' parameter";
            Err(ApiError::new(403, "forbidden", message))
        }
        Some(text) => Query::parse(text, params.now_ms)
            .map_err(|term| ApiError::invalid(format!("This server does not know {term:?} in q"))),
        None => Ok(Query::default()),
    }
}

fn list_page(page: &[(u64, &Message)], more: bool) -> Value {
    let mut answer = json!({ "resultSizeEstimate": page.len() + usize::from(more) });
    if !page.is_empty() {
        answer["messages"] = page
            .iter()
            .map(|(id, message)| ids(*id, message.thread))
            .collect();
    }
    if let (true, Some((id, last))) = (more, page.last()) {
        answer["nextPageToken"] = Value::from(format!("m{}_{id}", last.internal_date_ms));
    }
    answer
}

fn ids(message: u64, thread: u64) -> Value {
    json!({ "id": write_id(message), "threadId": write_id(thread) })
}

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

/// `users.history.list`. A page looks at `maxResults` records and leaves out those of other
/// types, so that it may be empty and not the last.
pub(crate) fn history(mailbox: &Mailbox, params: &Params<'_>) -> Result<Value, ApiError> {
    let size = params
        .page_size()?
        .min(params.page_limit.unwrap_or(PAGE_MOST))
        .max(1);
    let start = params
        .one("startHistoryId")
        .and_then(|id| id.parse::<u64>().ok());
    let start = start.ok_or_else(|| ApiError::invalid("Missing startHistoryId"))?;
    let from = params.page_token('h')?.map_or(start, |(_, last)| last);
    let records = mailbox
        .history_after(start)
        .ok_or_else(ApiError::not_found)?;
    let records = &records[records.partition_point(|record| record.id <= from)..];
    let page = &records[..if params.empty_page {
        0
    } else {
        size.min(records.len())
    }];
    let wanted = page
        .iter()
        .filter(|record| is_wanted(record, mailbox, params));
    let entries: Vec<Value> = wanted.map(|record| entry(record, mailbox)).collect();
    let mut answer = json!({ "historyId": mailbox.history_id().to_string() });
    if !entries.is_empty() {
        answer["history"] = Value::from(entries);
    }
    if page.len() < records.len() || params.empty_page {
        let last = page.last().map_or(from, |record| record.id);
        answer["nextPageToken"] = Value::from(format!("h0_{last}"));
    }
    Ok(answer)
}

fn is_wanted(record: &Record, mailbox: &Mailbox, params: &Params<'_>) -> bool {
    let mut types = params.all("historyTypes").peekable();
    let of_type = types.peek().is_none() || types.any(|name| name == type_name(&record.change));
    let label = params.one("labelId");
    let labelled = |label: &str| match &record.change {
        Change::LabelsAdded(labels) | Change::LabelsRemoved(labels) => {
            labels.iter().any(|own| own == label)
        }
        _ => mailbox
            .get(record.message)
            .is_some_and(|message| message.has_label(label)),
    };
    of_type && label.is_none_or(labelled)
}

fn type_name(change: &Change) -> &'static str {
    match change {
        Change::Added => "messageAdded",
        Change::Deleted => "messageDeleted",
        Change::LabelsAdded(_) => "labelAdded",
        Change::LabelsRemoved(_) => "labelRemoved",
    }
}

fn entry(record: &Record, mailbox: &Mailbox) -> Value {
    let message = ids(record.message, record.thread);
    let mut detail = json!({ "message": message.clone() });
    // Labels stand on the messages of about every other record, and never on deleted ones.
    let labels = mailbox
        .get(record.message)
        .map(|m| &m.labels)
        .filter(|l| !l.is_empty());
    if let (Some(labels), 0) = (labels, mix(record.id) % 2) {
        detail["message"]["labelIds"] = labels.iter().map(String::as_str).collect();
    }
    let list = match &record.change {
        Change::Added => "messagesAdded",
        Change::Deleted => "messagesDeleted",
        Change::LabelsAdded(labels) | Change::LabelsRemoved(labels) => {
            detail["labelIds"] = labels.iter().map(String::as_str).collect();
            let added = matches!(record.change, Change::LabelsAdded(_));
            if added {
                "labelsAdded"
            } else {
                "labelsRemoved"
            }
        }
    };
    let mut entry = json!({ "id": record.id.to_string(), "messages": [message] });
    entry[list] = Value::from(vec![detail]);
    entry
}
