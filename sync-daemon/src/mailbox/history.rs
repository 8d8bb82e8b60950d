//! Backfill: old mail, slice by slice backwards, after the live mail and in short shifts.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::drain::Limits;
use super::pages::Pages;
use super::{MailboxSync, Progress, Step};
use crate::failpoint;
use crate::failure::Failure;
use crate::gmail::{MessageFilter, settle};
use crate::matching::ContactIndex;
use crate::store::{BackfillState, Page};

/// The span of mail listed at once (seconds); an interrupted backfill repeats no more than that.
const SLICE: i64 = 7 * 86_400;

/// A backfill gives the mailbox back after this time, so that live mail never waits long.
const SHIFT: Duration = Duration::from_secs(20);

impl MailboxSync<'_> {
    /// One shift of history. Known mail is read again: that is how contacts added since get theirs.
    pub(super) async fn backfill(
        &self,
        contacts: &ContactIndex,
        own: &HashSet<String>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let key = self.lease().key;
        let end = Instant::now() + SHIFT;
        let limits = Limits {
            history: true,
            messages: u64::MAX,
            until: Some(end),
        };
        loop {
            self.drain_within(contacts, own, limits, progress).await?;
            if progress.capped {
                (progress.capped, progress.more_to_do) = (false, true);
                return Ok(());
            }
            let Some(state) = self.store.backfill_state(key).await? else {
                return Ok(());
            };
            if state.listed && self.store.backfill_finished(key).await? {
                return Ok(());
            }
            if Instant::now() >= end {
                progress.more_to_do = true;
                return Ok(());
            }
            self.list_slice(state).await?;
            self.interrupted()?;
        }
    }

    async fn list_slice(&self, state: BackfillState) -> Result<(), Failure> {
        if state.listed {
            return Ok(());
        }
        let from = (state.done_down_to - SLICE).max(state.since);
        // Gmail compares whole seconds, both ends excluded: one second of overlap loses nothing.
        let filter = MessageFilter {
            after: Some(from - 1),
            before: Some(state.done_down_to + 1),
        };
        let mut pages = Pages::default();
        loop {
            let answer = self
                .gmail
                .list(filter, pages.token())
                .await
                .map_err(settle)?;
            let record = Page {
                ids: &answer.ids,
                backfill: true,
                history_id: None,
                full: false,
                quota_units: self.gmail.user.level(),
                started: self.claimed.now_epoch,
            };
            let added = self.store.record_page(self.lease(), &record).await?;
            (self.on_batch)(&Step::Discovered(added));
            failpoint::pass("page_recorded");
            if !pages.turn(answer.next).map_err(settle)? {
                break;
            }
            self.interrupted()?;
        }
        self.store.backfill_slice_done(self.lease(), from).await?;
        failpoint::pass("slice_done");
        Ok(())
    }
}
