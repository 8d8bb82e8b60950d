//! The JSON of a run.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::failure::Failure;
use crate::mailbox::Progress;

/// What a sync run did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// No errors.
    pub success: bool,
    /// Users whose mailboxes were worked on.
    pub users_processed: usize,
    /// Mails with new events.
    pub emails_synced: i64,
    /// Contacts with new events.
    pub contacts_with_emails: usize,
    /// What went wrong.
    pub errors: Vec<RunError>,
    /// schedule, cli, http, …
    pub triggered_by: String,
    /// When the run ended.
    pub timestamp: DateTime<Utc>,
    /// More numbers.
    pub details: RunDetails,
    /// The run was cut short; repeating it makes sense after this time.
    #[serde(skip)]
    pub repeat_in: Option<Duration>,
}

/// Numbers beyond those that callers rely on.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Events written.
    pub events_written: i64,
    /// Messages looked at.
    pub messages_seen: i64,
    /// Messages that name no contact.
    pub messages_unmatched: i64,
    /// Drafts, spam, trash, chat.
    pub messages_skipped: i64,
    /// Messages deleted before they were fetched.
    pub messages_gone: i64,
    /// Messages set aside as unreadable.
    pub messages_poison: i64,
    /// Mailboxes with more messages than a run takes: the rest waits in the ledger.
    pub mailboxes_capped: i64,
    /// Quota units spent.
    pub units_spent: i64,
    /// Deals scored anew.
    pub deals_refreshed: i64,
    /// Relationships scored anew.
    pub relationships_refreshed: i64,
    /// Users that those scores belong to.
    pub users_refreshed: i64,
}

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunError {
    /// Whom it concerns; none when it concerns the whole run.
    pub user_id: Option<Uuid>,
    /// The class.
    pub code: String,
    /// The reason, for a person.
    pub reason: String,
}

/// What a health refresh did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthReport {
    /// No errors.
    pub success: bool,
    /// Users refreshed.
    pub users_processed: usize,
    /// Deals scored anew.
    pub deals_refreshed: i64,
    /// Relationships scored anew.
    pub relationships_refreshed: i64,
    /// What went wrong.
    pub errors: Vec<RunError>,
    /// Who asked.
    pub triggered_by: String,
    /// When it ended.
    pub timestamp: DateTime<Utc>,
}

impl RunError {
    /// A failure of one user's mailbox, or of the run.
    #[must_use]
    pub fn new(user_id: Option<Uuid>, failure: &Failure) -> Self {
        Self {
            user_id,
            code: failure.code().to_owned(),
            reason: failure.to_string(),
        }
    }
}

/// Adds up mailboxes to a report.
#[derive(Default)]
pub(super) struct Tally {
    users: HashSet<Uuid>,
    contacts: HashSet<Uuid>,
    emails: i64,
    pub(super) errors: Vec<RunError>,
    pub(super) details: RunDetails,
    pub(super) repeat_in: Option<Duration>,
}

impl Tally {
    /// Mailboxes were left out for a reason that concerns all.
    pub(super) fn cut_short(&mut self, repeat_in: Duration) {
        self.repeat_in = self.repeat_in.max(Some(repeat_in));
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.errors.iter().any(|e| e.code == code)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.errors.is_empty()
    }

    pub(super) fn add(&mut self, user: Uuid, progress: Progress) {
        self.users.insert(user);
        self.contacts.extend(progress.contacts);
        self.emails += progress.messages;
        let details = &mut self.details;
        details.events_written += progress.events;
        details.messages_seen += progress.counts.seen;
        details.messages_unmatched += progress.counts.unmatched;
        details.messages_skipped += progress.counts.skipped;
        details.messages_gone += progress.counts.gone;
        details.messages_poison += progress.counts.poison;
        details.units_spent += progress.counts.units;
        details.mailboxes_capped += i64::from(progress.capped);
    }

    pub(super) fn report(mut self, triggered_by: &str, timestamp: DateTime<Utc>) -> Report {
        self.errors
            .sort_by(|a, b| (a.user_id, &a.code).cmp(&(b.user_id, &b.code)));
        Report {
            success: self.errors.is_empty(),
            users_processed: self.users.len(),
            emails_synced: self.emails,
            contacts_with_emails: self.contacts.len(),
            errors: self.errors,
            triggered_by: triggered_by.to_owned(),
            timestamp,
            details: self.details,
            repeat_in: self.repeat_in,
        }
    }
}
