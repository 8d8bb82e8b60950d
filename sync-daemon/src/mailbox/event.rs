//! From a mail to its events: one for each contact that it names.

use std::collections::HashSet;

use serde_json::json;
use uuid::Uuid;

use crate::gmail::{Header, Message};
use crate::matching::{ContactIndex, Correspondents, Role, decode_text};
use crate::sentiment::{MailText, Reading};

/// A longer subject is cut.
const MAX_SUBJECT_CHARS: usize = 1_000;

/// One row for `communication_events`, as far as the mail determines it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Gmail's id of the mail.
    pub message_id: String,
    /// The contact.
    pub contact_id: Uuid,
    /// `email_sent` or `email_received`.
    pub event_type: &'static str,
    /// `outbound`, `inbound`, or `system` for mail that neither the user nor the contact wrote.
    pub direction: &'static str,
    /// `internalDate`, epoch milliseconds.
    pub at_ms: i64,
    /// The decoded subject.
    pub subject: Option<String>,
    /// Gmail's thread.
    pub thread_id: Option<String>,
    /// The Message-ID header: the same in every mailbox that got the mail.
    pub rfc822_id: Option<String>,
    /// JSON: role, automated, rfc822_message_id.
    pub metadata: String,
    /// Whether a program wrote the mail.
    pub automated: bool,
    /// What a model found in the mail, if one looked.
    pub reading: Option<Reading>,
}

/// Builds the events of a mail; none when it names no contact.
#[must_use]
pub fn events_of(message: &Message, contacts: &ContactIndex, own: &HashSet<String>) -> Vec<Event> {
    let headers = &message.payload.headers;
    let correspondents = Correspondents::of(headers);
    let matches = contacts.matches(&correspondents, own);
    if matches.is_empty() {
        return Vec::new();
    }
    let sent = message.label_ids.iter().any(|l| l == "SENT")
        || correspondents.authors().any(|a| contacts.is_own(a, own));
    // Whom somebody else wrote to, or copied in, has not written.
    let direction = |role| match role {
        _ if sent => "outbound",
        Role::From | Role::ReplyTo => "inbound",
        Role::To | Role::Cc | Role::Bcc => "system",
    };
    let automated = is_automated(headers);
    let rfc822_id = header(headers, "message-id")
        .map(clean_id)
        .filter(|id| !id.is_empty());
    let subject = header(headers, "subject").map(short_subject);
    let event = |found: crate::matching::Match| Event {
        message_id: message.id.clone(),
        contact_id: found.contact_id,
        event_type: if sent { "email_sent" } else { "email_received" },
        direction: direction(found.role),
        at_ms: message.internal_date,
        subject: subject.clone(),
        thread_id: message.thread_id.as_deref().map(clean_id),
        rfc822_id: rfc822_id.clone(),
        metadata: json!({
            "automated": automated, "role": found.role.name(), "rfc822_message_id": rfc822_id,
        })
        .to_string(),
        automated,
        reading: None,
    };
    matches.into_iter().map(event).collect()
}

/// The text of a mail that may be read for its mood.
#[must_use]
pub fn text_of(message: &Message) -> MailText {
    MailText {
        subject: header(&message.payload.headers, "subject").map(short_subject),
        snippet: message.snippet.clone().filter(|s| !s.is_empty()),
    }
}

fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|h| h.name.eq_ignore_ascii_case(name))
        .map(|h| h.value.as_str())
}

fn short_subject(value: &str) -> String {
    decode_text(value).chars().take(MAX_SUBJECT_CHARS).collect()
}

/// Without controls; RFC 5322 allows 998 characters in a line.
fn clean_id(value: &str) -> String {
    value
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(998)
        .collect()
}

/// Lists, bulk mail and automatic answers: contact was had, but nobody wrote.
fn is_automated(headers: &[Header]) -> bool {
    let bulk = |v: &str| {
        ["bulk", "list", "junk"]
            .iter()
            .any(|word| v.trim().eq_ignore_ascii_case(word))
    };
    let automatic = |v: &str| {
        let word = v.split(';').next().unwrap_or_default().trim();
        !word.is_empty() && !word.eq_ignore_ascii_case("no")
    };
    header(headers, "list-unsubscribe").is_some()
        || header(headers, "list-id").is_some()
        || header(headers, "precedence").is_some_and(bulk)
        || header(headers, "auto-submitted").is_some_and(automatic)
}
