//! The parts of Gmail's answers that are read. Ids are text: some servers exceed 64 bits.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Labels under which a message is not correspondence.
pub(super) const SKIPPED_LABELS: [&str; 4] = ["DRAFT", "SPAM", "TRASH", "CHAT"];

/// A message with the headers asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The message's id in this mailbox.
    pub id: String,
    /// Its thread.
    #[serde(default)]
    pub thread_id: Option<String>,
    /// Its labels.
    #[serde(default)]
    pub label_ids: Vec<String>,
    /// Epoch milliseconds.
    #[serde(deserialize_with = "millis")]
    pub internal_date: i64,
    /// The headers.
    #[serde(default)]
    pub payload: Part,
    /// The first words, where they were asked for and the grant shows them.
    #[serde(default)]
    pub snippet: Option<String>,
}

/// The top part of a message.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Part {
    /// Headers, in order.
    #[serde(default)]
    pub headers: Vec<Header>,
}

/// One header field.
#[derive(Debug, Clone, Deserialize)]
pub struct Header {
    /// Its name, as the sender spelled it.
    pub name: String,
    /// Its value, undecoded.
    #[serde(default)]
    pub value: String,
}

impl Message {
    /// Drafts, spam, trash and chat are not correspondence.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        has_skipped_label(&self.label_ids)
    }
}

pub(super) fn has_skipped_label(labels: &[String]) -> bool {
    labels.iter().any(|l| SKIPPED_LABELS.contains(&l.as_str()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) email_address: String,
    #[serde(deserialize_with = "id_text")]
    pub(super) history_id: String,
}

#[derive(Deserialize)]
pub(super) struct MessageRef {
    pub(super) id: String,
    #[serde(default, rename = "labelIds")]
    pub(super) label_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListAnswer {
    #[serde(default)]
    pub(super) messages: Vec<MessageRef>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryAnswer {
    #[serde(default)]
    pub(super) history: Vec<HistoryRecord>,
    pub(super) next_page_token: Option<String>,
    #[serde(default, deserialize_with = "optional_id_text")]
    pub(super) history_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryRecord {
    #[serde(default)]
    pub(super) messages_added: Vec<Added>,
    #[serde(default)]
    pub(super) labels_added: Vec<Relabelled>,
    #[serde(default)]
    pub(super) labels_removed: Vec<Relabelled>,
}

#[derive(Deserialize)]
pub(super) struct Added {
    pub(super) message: MessageRef,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relabelled {
    pub(super) message: MessageRef,
    #[serde(default)]
    pub(super) label_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendAsAnswer {
    #[serde(default)]
    pub(super) send_as: Vec<SendAs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendAs {
    #[serde(default)]
    pub(super) send_as_email: String,
}

impl HistoryRecord {
    /// Ids that this change may have turned into correspondence: new ones, sent ones, rescued ones.
    pub(super) fn discovered(self) -> impl Iterator<Item = String> {
        let added = self.messages_added.into_iter().map(|a| a.message);
        let sent = self
            .labels_added
            .into_iter()
            .filter(|r| r.label_ids.iter().any(|l| l == "SENT"));
        let rescued = self
            .labels_removed
            .into_iter()
            .filter(|r| has_skipped_label(&r.label_ids));
        let relabelled = sent.chain(rescued).map(|r| r.message);
        added
            .chain(relabelled)
            .filter(|m| !has_skipped_label(&m.label_ids))
            .map(|m| m.id)
    }
}

/// A number as JSON text or number, kept as text: it may have more digits than 64 bits hold.
fn id_text<'de, D: Deserializer<'de>>(de: D) -> Result<String, D::Error> {
    let digits = |t: &str| !t.is_empty() && t.len() <= 40 && t.bytes().all(|b| b.is_ascii_digit());
    match Value::deserialize(de)? {
        Value::String(text) if digits(&text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("not an id")),
    }
}

fn optional_id_text<'de, D: Deserializer<'de>>(de: D) -> Result<Option<String>, D::Error> {
    id_text(de).map(Some)
}

/// Epoch milliseconds within what PostgreSQL can store and a mail can have (years 1970–9999).
fn millis<'de, D: Deserializer<'de>>(de: D) -> Result<i64, D::Error> {
    const END_OF_9999: i64 = 253_402_300_799_999;
    let text = id_text(de)?;
    let millis: i64 = text
        .parse()
        .map_err(|_| serde::de::Error::custom("not a time"))?;
    if !(0..=END_OF_9999).contains(&millis) {
        return Err(serde::de::Error::custom("time out of range"));
    }
    Ok(millis)
}
