//! What is new in a mailbox: by its history, or by a listing of the window when there is no history to go by.

use std::collections::HashSet;

use super::pages::Pages;
use super::{MailboxSync, Step, comparable};
use crate::failpoint;
use crate::failure::Failure;
use crate::gmail::fault::Fault;
use crate::gmail::{MessageFilter, PAGE_SIZE, settle};
use crate::store::Page;

const DAY: i64 = 86_400;

impl MailboxSync<'_> {
    /// Puts all new ids into the ledger, moves the cursor past them, and says which addresses are the user's own.
    pub(super) async fn discover_live(&self) -> Result<HashSet<String>, Failure> {
        let Some(start) = self.claimed.history_id.as_deref() else {
            return self.discover_by_listing(self.first_window()).await;
        };
        let own = self.discover_by_history(start).await?;
        if let Some(after) = self.asked_window() {
            // The history has moved the cursor; what is listed beside it must not.
            self.list_window(after, None).await?;
        }
        Ok(own)
    }

    async fn discover_by_history(&self, start: &str) -> Result<HashSet<String>, Failure> {
        let (own, delta) = tokio::join!(self.known_addresses(), self.record_history(start));
        match delta {
            Ok(()) => own,
            Err(Fault::NotFound) if self.claimed.full_recently => Err(Failure::HistoryExpired),
            Err(Fault::NotFound) => {
                tracing::info!(integration = %self.lease().key.integration_id, "history expired: listing again");
                let last_good = self.claimed.last_good_epoch;
                let after = last_good.map_or_else(|| self.default_window(), |good| good - DAY);
                self.discover_by_listing(after).await
            }
            Err(fault) => Err(settle(fault)),
        }
    }

    fn default_window(&self) -> i64 {
        self.claimed.now_epoch - i64::from(self.config.sync.first_sync_days) * DAY
    }

    fn asked_window(&self) -> Option<i64> {
        let seconds = i64::try_from(self.since?.as_secs()).ok()?;
        Some(self.claimed.now_epoch.saturating_sub(seconds))
    }

    /// A first sync lists no less than its setting says, whatever was asked for: the cursor passes all of that.
    fn first_window(&self) -> i64 {
        let window = self.default_window();
        self.asked_window()
            .map_or(window, |asked| asked.min(window))
    }

    /// The changes since the cursor, page by page; the last one moves the cursor.
    async fn record_history(&self, start: &str) -> Result<(), Fault> {
        let mut pages = Pages::default();
        let mut size = PAGE_SIZE;
        loop {
            let answer = match self.gmail.history(start, pages.token(), size).await {
                Err(Fault::TooLarge) if size > 1 => {
                    size /= 2;
                    continue;
                }
                answer => answer?,
            };
            let last = answer.next.is_none();
            let cursor = answer
                .history_id
                .as_deref()
                .or(Some(start))
                .filter(|_| last);
            self.record(&answer.ids, cursor, false)
                .await
                .map_err(Fault::Final)?;
            if !pages.turn(answer.next)? {
                return Ok(());
            }
            self.interrupted().map_err(Fault::Final)?;
        }
    }

    /// The cursor is read before the listing: what arrives meanwhile is found by the next sync's history.
    async fn discover_by_listing(&self, after: i64) -> Result<HashSet<String>, Failure> {
        let (profile, aliases) = tokio::join!(self.gmail.profile(), self.aliases());
        let ((address, cursor), aliases) = (profile?, aliases?);
        failpoint::pass("cursor_read");
        let without_query = self.list_window(after, Some(&cursor)).await?;
        let mut addresses = aliases;
        addresses.push(address);
        self.store
            .save_addresses(self.lease(), &addresses, without_query)
            .await?;
        Ok(self.own(&addresses))
    }

    /// Lists what is newer than `after`, and moves the cursor to `cursor` in the end. Whether Gmail refused to search.
    async fn list_window(&self, after: i64, cursor: Option<&str>) -> Result<bool, Failure> {
        let mut without_query = self.claimed.list_without_query;
        let mut outcome = self.record_listing(after, cursor, without_query).await;
        if matches!(outcome, Err(Fault::Scope)) && !without_query {
            without_query = true;
            outcome = self.record_listing(after, cursor, without_query).await;
        }
        outcome.map_err(settle)?;
        Ok(without_query)
    }

    async fn record_listing(
        &self,
        after: i64,
        cursor: Option<&str>,
        without_query: bool,
    ) -> Result<(), Fault> {
        let filter = MessageFilter {
            after: Some(after).filter(|_| !without_query),
            before: None,
        };
        let mut pages = Pages::default();
        let mut restarted = false;
        loop {
            let answer = match self.gmail.list(filter, pages.token()).await {
                // A page token lives only so long; what is in the ledger already stays there.
                Err(Fault::BadRequest(_)) if pages.token().is_some() && !restarted => {
                    (pages, restarted) = (Pages::default(), true);
                    continue;
                }
                answer => answer?,
            };
            let over = without_query && self.is_past(after, answer.ids.last()).await?;
            let last = answer.next.is_none() || over;
            let history_id = cursor.filter(|_| last);
            self.record(&answer.ids, history_id, true)
                .await
                .map_err(Fault::Final)?;
            if last || !pages.turn(answer.next)? {
                return Ok(());
            }
            self.interrupted().map_err(Fault::Final)?;
        }
    }

    /// Whether the oldest message of a page lies before the window.
    async fn is_past(&self, after: i64, oldest: Option<&String>) -> Result<bool, Fault> {
        let Some(id) = oldest else { return Ok(false) };
        match self.gmail.message_time(id).await {
            Ok(time) => Ok(time < after),
            Err(Fault::NotFound) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    async fn record(
        &self,
        ids: &[String],
        cursor: Option<&str>,
        full: bool,
    ) -> Result<(), Failure> {
        let page = Page {
            ids,
            backfill: false,
            history_id: cursor,
            full,
            quota_units: self.gmail.user.level(),
            started: self.claimed.now_epoch,
        };
        let added = self.store.record_page(self.lease(), &page).await?;
        (self.on_batch)(&Step::Discovered(added));
        failpoint::pass("page_recorded");
        Ok(())
    }

    /// Own addresses as stored, read again once a day.
    async fn known_addresses(&self) -> Result<HashSet<String>, Failure> {
        let stored = &self.claimed.own_addresses;
        if !self.claimed.addresses_stale {
            return Ok(self.own(stored));
        }
        let mut addresses = self.aliases().await?;
        addresses.extend(stored.iter().cloned());
        addresses.sort_unstable();
        addresses.dedup();
        let without_query = self.claimed.list_without_query;
        self.store
            .save_addresses(self.lease(), &addresses, without_query)
            .await?;
        Ok(self.own(&addresses))
    }

    async fn aliases(&self) -> Result<Vec<String>, Failure> {
        if self.config.sync.read_aliases {
            self.gmail.send_as().await
        } else {
            Ok(Vec::new())
        }
    }

    /// Of all mailboxes of the user: what one of them sent may be found in another.
    fn own(&self, addresses: &[String]) -> HashSet<String> {
        let all = addresses
            .iter()
            .chain(&self.claimed.other_addresses)
            .chain([&self.claimed.email])
            .map(String::as_str);
        comparable(all)
    }
}
