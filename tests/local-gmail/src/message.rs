//! Messages: what callers hand in, and the lean form in which a mailbox keeps them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::generator::Recipe;

/// A header's name and value, in the message's own order and spelling.
pub type Header = (String, String);

/// Label ids. Shared: most messages of a mailbox have one of a few sets.
pub(crate) type Labels = Arc<[String]>;

/// A message to put into a mailbox.
///
/// Date and Message-ID headers are added if missing, unless `bare` is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewMessage {
    /// The id, up to 16 hexadecimal digits. Made up if absent.
    pub id: Option<String>,
    /// The thread: 16 hexadecimal digits, or any name of the caller's, the same for all messages
    /// of the thread. A thread of its own if absent.
    pub thread: Option<String>,
    /// Headers; in JSON an object, or a list of pairs where a name comes twice.
    #[serde(deserialize_with = "headers")]
    pub headers: Vec<Header>,
    /// Label ids; `INBOX` if absent in JSON.
    pub labels: Vec<String>,
    /// When it arrived, in epoch milliseconds.
    pub internal_date_ms: Option<i64>,
    /// When it arrived, in hours before the server's present; the present itself if neither is given.
    pub hours_ago: Option<f64>,
    /// The first words, as `snippet` gives them.
    pub snippet: String,
    /// The plain text.
    pub body: String,
    /// Whether to leave the headers as they are.
    pub bare: bool,
}

impl Default for NewMessage {
    fn default() -> Self {
        Self {
            id: None,
            thread: None,
            headers: Vec::new(),
            labels: vec!["INBOX".to_owned()],
            internal_date_ms: None,
            hours_ago: None,
            snippet: String::new(),
            body: String::new(),
            bare: false,
        }
    }
}

impl NewMessage {
    /// A message that has come in: labels INBOX and UNREAD.
    pub fn received(from: &str, to: &str) -> Self {
        Self::between(from, to, &["INBOX", "UNREAD"])
    }

    /// A message that the mailbox's owner has sent: label SENT.
    pub fn sent(from: &str, to: &str) -> Self {
        Self::between(from, to, &["SENT"])
    }

    fn between(from: &str, to: &str, labels: &[&str]) -> Self {
        Self::default()
            .labels(labels)
            .header("From", from)
            .header("To", to)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a Subject header.
    #[must_use]
    pub fn subject(self, subject: &str) -> Self {
        self.header("Subject", subject)
    }

    /// Replaces the labels.
    #[must_use]
    pub fn labels(mut self, labels: &[&str]) -> Self {
        self.labels = labels.iter().map(|&label| label.to_owned()).collect();
        self
    }

    /// Puts it into a thread.
    #[must_use]
    pub fn thread(mut self, thread: &str) -> Self {
        self.thread = Some(thread.to_owned());
        self
    }

    /// Sets the time of arrival, in epoch milliseconds.
    #[must_use]
    pub fn at_ms(mut self, internal_date_ms: i64) -> Self {
        self.internal_date_ms = Some(internal_date_ms);
        self
    }

    /// Leaves the headers as they are: no Date and no Message-ID of the server's making.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }
}

/// Reads headers from an object or from a list of pairs.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Header>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Pairs(Vec<Header>),
        Object(BTreeMap<String, String>),
    }
    Ok(match Shape::deserialize(deserializer)? {
        Shape::Pairs(pairs) => pairs,
        Shape::Object(object) => object.into_iter().collect(),
    })
}

/// A message as a mailbox keeps it, without its id.
#[derive(Debug)]
pub(crate) struct Message {
    /// Its thread.
    pub(crate) thread: u64,
    /// Epoch milliseconds.
    pub(crate) internal_date_ms: i64,
    /// The last history record that touched it.
    pub(crate) history_id: u64,
    /// Its label ids, without duplicates.
    pub(crate) labels: Labels,
    /// The rest.
    pub(crate) content: Content,
}

impl Message {
    /// Whether it carries this label.
    pub(crate) fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|own| own == label)
    }

    /// Headers and texts.
    pub(crate) fn text(&self) -> Cow<'_, Text> {
        match &self.content {
            Content::Stored(text) => Cow::Borrowed(text),
            Content::Generated(recipe, index) => Cow::Owned(recipe.text(*index)),
        }
    }
}

/// Headers and texts, kept or made when asked for: a generated message costs no memory for them.
#[derive(Debug)]
pub(crate) enum Content {
    /// Handed in by a caller.
    Stored(Box<Text>),
    /// The numbered product of a recipe.
    Generated(Arc<Recipe>, u32),
}

/// Headers and texts of one message.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// Headers in order.
    pub(crate) headers: Vec<Header>,
    /// First words.
    pub(crate) snippet: String,
    /// Plain text.
    pub(crate) body: String,
}

impl Text {
    /// The values of the headers of this name, in order; names do not mind case.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Bytes of headers and body.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(n, v)| n.len() + v.len() + 4)
            .sum();
        headers + 2 + self.body.len()
    }
}
