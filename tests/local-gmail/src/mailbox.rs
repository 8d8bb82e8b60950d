//! One mailbox: its messages in order of arrival, and the history of what happened to them.
//!
//! History ids ascend with gaps. A record outlives the message it speaks of. What is older than
//! the expiry line cannot be asked for any more.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::error::AdminError;
use crate::ids::{parse_id, thread_id, write_id};
use crate::message::{Content, Labels, Message, NewMessage, Text};
use crate::mix::{mix, mix_text};
use crate::{clock, generator::Recipe};

/// What happened to a message.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// It came into the mailbox.
    Added,
    /// It was deleted for good.
    Deleted,
    /// It gained labels.
    LabelsAdded(Labels),
    /// It lost labels.
    LabelsRemoved(Labels),
}

/// One entry of the history.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Ascending, with gaps.
    pub(crate) id: u64,
    /// The message it speaks of, perhaps deleted since.
    pub(crate) message: u64,
    /// That message's thread.
    pub(crate) thread: u64,
    /// What happened.
    pub(crate) change: Change,
}

/// A mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Its own address, in lower case.
    pub(crate) address: String,
    /// Other addresses that its owner sends from.
    pub(crate) aliases: Vec<String>,
    messages: HashMap<u64, Message>,
    order: BTreeSet<(i64, u64)>,
    threads: HashMap<u64, u32>,
    history: Vec<Record>,
    history_id: u64,
    oldest_start: u64,
    next_message: u64,
}

impl Mailbox {
    /// An empty mailbox. Its ids start at a number of its own, so that two mailboxes share none.
    pub(crate) fn new(address: &str) -> Self {
        let salt = mix_text(address);
        let history_id = 1000 + salt % 1_000_000;
        Self {
            address: address.to_owned(),
            aliases: Vec::new(),
            messages: HashMap::new(),
            order: BTreeSet::new(),
            threads: HashMap::new(),
            history: Vec::new(),
            history_id,
            oldest_start: history_id,
            next_message: 0x1800_0000_0000_0000 | (salt & 0x00FF_FFFF_F000_0000),
        }
    }

    /// The number of messages.
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The number of threads.
    pub(crate) fn thread_count(&self) -> usize {
        self.threads.len()
    }

    /// The present history id.
    pub(crate) fn history_id(&self) -> u64 {
        self.history_id
    }

    /// The message of this id.
    pub(crate) fn get(&self, id: u64) -> Option<&Message> {
        self.messages.get(&id)
    }

    /// The ids of all messages, newest first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        self.order.iter().rev().map(|&(_, id)| id)
    }

    /// Messages that arrived in `[from_ms, to_ms)` and stand after `before` in the order newest
    /// first; `before` is the last one that was seen.
    pub(crate) fn newest_first(
        &self,
        from_ms: i64,
        to_ms: i64,
        before: Option<(i64, u64)>,
    ) -> impl Iterator<Item = (u64, &Message)> {
        let end = before.unwrap_or((to_ms, 0)).min((to_ms, 0));
        let start = (from_ms, 0).min(end);
        self.order
            .range(start..end)
            .rev()
            .map(|&(_, id)| (id, &self.messages[&id]))
    }

    /// Puts a message in and gives its id.
    pub(crate) fn add(&mut self, new: NewMessage, now_ms: i64) -> Result<u64, AdminError> {
        let id = match &new.id {
            Some(given) => self.free_id(given)?,
            None => self.fresh_id(),
        };
        let thread = new.thread.as_deref().map_or(id, thread_id);
        let internal_date_ms = arrival(&new, now_ms);
        let labels = distinct(new.labels.clone());
        let content = Content::Stored(Box::new(text(new, id, internal_date_ms)));
        let message = Message {
            thread,
            internal_date_ms,
            history_id: 0,
            labels,
            content,
        };
        self.insert(id, message);
        Ok(id)
    }

    /// Puts all messages of a recipe in.
    pub(crate) fn generate(&mut self, recipe: &Arc<Recipe>) {
        let base = self.next_message;
        for index in 0..recipe.count() {
            let id = self.fresh_id();
            let message = Message {
                thread: mix(base ^ u64::from(recipe.thread(index))),
                internal_date_ms: recipe.internal_date_ms(index),
                history_id: 0,
                labels: recipe.labels(index),
                content: Content::Generated(Arc::clone(recipe), index),
            };
            self.insert(id, message);
        }
    }

    fn insert(&mut self, id: u64, mut message: Message) {
        message.history_id = self.record(id, message.thread, Change::Added);
        self.order.insert((message.internal_date_ms, id));
        *self.threads.entry(message.thread).or_default() += 1;
        self.messages.insert(id, message);
    }

    /// Adds and removes labels; only real changes enter the history.
    pub(crate) fn change_labels(
        &mut self,
        id: u64,
        add: &[String],
        remove: &[String],
    ) -> Result<(), AdminError> {
        let message = self
            .messages
            .get(&id)
            .ok_or(AdminError::UnknownMessage(id))?;
        let gained = distinct(add.iter().filter(|l| !message.has_label(l)).cloned());
        let lost = distinct(remove.iter().filter(|l| message.has_label(l)).cloned());
        let kept = message.labels.iter().filter(|l| !lost.contains(l)).cloned();
        let labels = distinct(kept.chain(gained.iter().cloned()));
        let thread = message.thread;
        for (set, change) in [
            (Arc::clone(&gained), Change::LabelsAdded(gained)),
            (Arc::clone(&lost), Change::LabelsRemoved(lost)),
        ] {
            if !set.is_empty() {
                self.record(id, thread, change);
            }
        }
        let history_id = self.history_id;
        if let Some(message) = self.messages.get_mut(&id) {
            message.labels = labels;
            message.history_id = history_id;
        }
        Ok(())
    }

    /// Deletes a message for good.
    pub(crate) fn delete(&mut self, id: u64) -> Result<(), AdminError> {
        let message = self
            .messages
            .remove(&id)
            .ok_or(AdminError::UnknownMessage(id))?;
        self.order.remove(&(message.internal_date_ms, id));
        if let Some(count) = self.threads.get_mut(&message.thread) {
            *count -= 1;
            if *count == 0 {
                self.threads.remove(&message.thread);
            }
        }
        self.record(id, message.thread, Change::Deleted);
        Ok(())
    }

    /// Forgets the history so far: every id handed out until now is too old.
    pub(crate) fn expire_history(&mut self) {
        self.history_id = self.next_history_id();
        self.oldest_start = self.history_id;
        self.history.clear();
    }

    /// The records after `start`, or nothing if `start` is too old or was never handed out.
    pub(crate) fn history_after(&self, start: u64) -> Option<&[Record]> {
        let known = self.oldest_start..=self.history_id;
        let first = self.history.partition_point(|record| record.id <= start);
        known.contains(&start).then(|| &self.history[first..])
    }

    fn record(&mut self, message: u64, thread: u64, change: Change) -> u64 {
        self.history_id = self.next_history_id();
        self.history.push(Record {
            id: self.history_id,
            message,
            thread,
            change,
        });
        self.history_id
    }

    fn next_history_id(&self) -> u64 {
        self.history_id + 1 + mix(self.history_id) % 17
    }

    fn fresh_id(&mut self) -> u64 {
        self.next_message += 1 + mix(self.next_message) % 5;
        while self.messages.contains_key(&self.next_message) {
            self.next_message += 1;
        }
        self.next_message
    }

    fn free_id(&self, given: &str) -> Result<u64, AdminError> {
        let id = parse_id(given).ok_or_else(|| AdminError::BadId(given.to_owned()))?;
        if self.messages.contains_key(&id) {
            return Err(AdminError::TakenId(given.to_owned()));
        }
        Ok(id)
    }
}

fn arrival(new: &NewMessage, now_ms: i64) -> i64 {
    new.internal_date_ms.unwrap_or_else(|| {
        let ago_ms = new.hours_ago.unwrap_or(0.0) * 3_600_000.0;
        now_ms - ago_ms as i64
    })
}

fn distinct(labels: impl IntoIterator<Item = String>) -> Labels {
    let mut seen: Vec<String> = Vec::new();
    for label in labels {
        if !seen.contains(&label) {
            seen.push(label);
        }
    }
    seen.into()
}

fn text(new: NewMessage, id: u64, internal_date_ms: i64) -> Text {
    let mut text = Text {
        headers: new.headers,
        snippet: new.snippet,
        body: new.body,
    };
    if !new.bare {
        complete(&mut text, "Date", || clock::rfc2822(internal_date_ms));
        complete(&mut text, "Message-ID", || {
            format!("<{}@local-gmail.invalid>", write_id(id))
        });
    }
    text
}

fn complete(text: &mut Text, name: &str, value: impl FnOnce() -> String) {
    if text.values(name).next().is_none() {
        text.headers.push((name.to_owned(), value()));
    }
}
