//! The sync of one mailbox: who it is, what is new, fetch it, write it, follow up.
//!
//! Contract: the cursor never passes a message that is not in the ledger, and a message leaves the ledger only in the
//! statement that writes its events. Killed anywhere, the next sync goes on where this one was.

mod discover;
mod drain;
mod event;
mod follow_up;
mod history;
mod judge;
mod mood;
mod pages;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

pub use event::{Event, events_of, text_of};
pub use follow_up::FollowUp;
pub use mood::MoodPass;

use crate::config::Config;
use crate::failpoint;
use crate::failure::Failure;
use crate::gmail::Gmail;
use crate::matching::{Address, ContactIndex};
use crate::sentiment::{MailText, ReadingCounts};
use crate::store::{BatchCounts, Claimed, Lease, Purpose, Store};

/// What a sync of one mailbox did, whether it failed or not.
#[derive(Debug, Default)]
pub struct Progress {
    /// Mails with new events.
    pub messages: i64,
    /// Events written.
    pub events: i64,
    /// Contacts with new events.
    pub contacts: HashSet<Uuid>,
    /// Counters.
    pub counts: BatchCounts,
    /// Mails read for their mood.
    pub readings: ReadingCounts,
    /// Text of mail that is still to be read and that is not stored, by Gmail's ids.
    pub texts: HashMap<String, MailText>,
    /// The cap of the run was reached; the rest waits in the ledger.
    pub capped: bool,
    /// Parts that no try could fetch; they wait in the ledger.
    pub given_up: Option<Failure>,
    /// A backfill has more to do, but lets others have the mailbox first.
    pub more_to_do: bool,
}

/// One claimed mailbox at work.
pub struct MailboxSync<'a> {
    /// The database.
    pub store: &'a Store,
    /// Gmail.
    pub gmail: &'a Gmail,
    /// Settings.
    pub config: &'a Arc<Config>,
    /// What was claimed.
    pub claimed: &'a Claimed,
    /// Live mail or history.
    pub purpose: Purpose,
    /// Mail of so long is listed beside the history; a first sync reaches back no less than its setting.
    pub since: Option<Duration>,
    /// Whether what is found in mail can be stored.
    pub keeps_mood: bool,
    /// Counts messages as they are dealt with, for a progress bar.
    pub on_batch: &'a (dyn Fn(&Step) + Sync),
}

/// Something to show on a progress bar.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// So many ids were discovered.
    Discovered(i64),
    /// So many messages were dealt with.
    Stored(i64),
}

impl MailboxSync<'_> {
    /// Discovers and drains. `progress` is valid also when it fails.
    ///
    /// # Errors
    /// Why the mailbox stopped.
    pub async fn run(&self, progress: &mut Progress) -> Result<(), Failure> {
        failpoint::pass("claimed");
        // The contacts and the first look at Gmail do not need each other.
        let (contacts, discovered) = tokio::join!(
            self.store.contacts(self.claimed.lease.key.user_id),
            self.discover_live()
        );
        let contacts = ContactIndex::new(contacts?);
        let own = discovered?;
        failpoint::pass("discovered");
        match self.purpose {
            Purpose::Sync => self.drain(&contacts, &own, false, progress).await,
            Purpose::Backfill => self.backfill(&contacts, &own, progress).await,
        }
    }

    fn lease(&self) -> &Lease {
        &self.claimed.lease
    }

    fn interrupted(&self) -> Result<(), Failure> {
        if self.gmail.stop.is_cancelled() {
            Err(Failure::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// Own addresses in the form in which they are compared.
fn comparable<'a>(addresses: impl IntoIterator<Item = &'a str>) -> HashSet<String> {
    addresses
        .into_iter()
        .filter_map(Address::parse)
        .map(|a| a.exact().to_owned())
        .collect()
}
