//! What the five methods answer, once a call is let in.

mod history;
mod message;

use serde_json::{Value, json};

use crate::config::UnitCosts;
use crate::faults::Endpoint;
use crate::ids::write_id;
use crate::mailbox::Mailbox;
use crate::message::Message;
use crate::query::Query;
use crate::reply::ApiError;

pub(crate) use history::history;
pub(crate) use message::get;

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
    /// A parameter's value.
    pub(crate) fn one(&self, name: &str) -> Option<&'q str> {
        self.query
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(crate) fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'q str> + use<'q, 'n> {
        self.query
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The size of a page, in entries.
    pub(crate) fn page_size(&self) -> Result<usize, ApiError> {
        match self.one("maxResults").map(str::parse::<usize>) {
            None => Ok(PAGE_DEFAULT),
            Some(Ok(size)) if size > 0 => Ok(size.min(PAGE_MOST)),
            Some(_) => Err(ApiError::invalid("Invalid maxResults")),
        }
    }

    /// The numbers of the page token, if there is one; tokens of another method are refused.
    pub(crate) fn page_token(&self, method: char) -> Result<Option<(i64, u64)>, ApiError> {
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

/// A message by its ids alone.
pub(crate) fn ids(message: u64, thread: u64) -> Value {
    json!({ "id": write_id(message), "threadId": write_id(thread) })
}
