//! Draining the ledger: batch after batch is fetched, and written while the next one is fetched.
//!
//! An id comes off the ledger when its mail was stored, skipped or gone. A part that failed is tried again alone; one
//! that Gmail refuses, while it gives others, is set aside after three tries; everything else waits for the next sync.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use super::judge::{Judge, Verdict};
use super::{MailboxSync, Progress, Step};
use crate::failpoint;
use crate::failure::Failure;
use crate::matching::ContactIndex;
use crate::store::BatchWrite;

/// Ids read from the ledger at once; bounds memory, whatever the mailbox holds.
const LEDGER_PAGE: u64 = 500;

/// An id on its way.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: String,
    /// How often the message itself was refused or unreadable, ever.
    pub(super) attempts: i16,
    /// How often it was tried in vain in this sync.
    pub(super) tries: u32,
}

/// How much a drain may do.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Also the ids of a backfill.
    pub(super) history: bool,
    pub(super) messages: u64,
    pub(super) until: Option<Instant>,
}

struct Drain<'a> {
    sync: &'a MailboxSync<'a>,
    judge: Judge<'a>,
    limits: Limits,
    queue: VecDeque<Item>,
    taken: u64,
}

impl MailboxSync<'_> {
    pub(super) async fn drain(
        &self,
        contacts: &ContactIndex,
        own: &HashSet<String>,
        history: bool,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let messages = self.config.sync.max_messages_per_run;
        self.drain_within(
            contacts,
            own,
            Limits {
                history,
                messages,
                until: None,
            },
            progress,
        )
        .await
    }

    pub(super) async fn drain_within(
        &self,
        contacts: &ContactIndex,
        own: &HashSet<String>,
        limits: Limits,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let judge = Judge::new(self, contacts, own);
        let mut drain = Drain {
            sync: self,
            judge,
            limits,
            queue: VecDeque::new(),
            taken: 0,
        };
        let outcome = drain.run(progress).await;
        progress.given_up = drain.judge.given_up.take();
        outcome?;
        progress.given_up.clone().map_or(Ok(()), Err)
    }
}

impl Drain<'_> {
    async fn run(&mut self, progress: &mut Progress) -> Result<(), Failure> {
        let mut unwritten: Option<BatchWrite> = None;
        loop {
            if self.queue.is_empty() {
                // The ledger is read only when it says what is really left.
                write(self.sync, unwritten.take(), progress).await?;
                if !self.refill(progress).await? {
                    return write(self.sync, self.judge.close(), progress).await;
                }
            }
            let batch = self.next_batch();
            let ids: Vec<String> = batch.iter().map(|item| item.id.clone()).collect();
            let (answer, written) = tokio::join!(
                self.sync.gmail.batch(&ids),
                write(self.sync, unwritten.take(), progress)
            );
            written?;
            failpoint::pass("batch_fetched");
            let Verdict {
                write: fresh,
                again,
                wait,
                stop,
            } = self.judge.weigh(batch, answer);
            self.queue.extend(again);
            unwritten = Some(fresh);
            if let Some(failure) = stop.or(self.sync.interrupted().err()) {
                write(self.sync, unwritten, progress).await?;
                return Err(failure);
            }
            if self.judge.token_refused() {
                self.sync.gmail.renew_token().await?;
            }
            if !wait.is_zero() {
                write(self.sync, unwritten.take(), progress).await?;
                self.sync.gmail.pause(wait).await?;
            }
        }
    }

    fn next_batch(&mut self) -> Vec<Item> {
        let size = self.judge.batch_size.min(self.queue.len());
        self.queue.drain(..size).collect()
    }

    /// Reads on in the ledger; false when the drain is over.
    async fn refill(&mut self, progress: &mut Progress) -> Result<bool, Failure> {
        // What was given up is still in the ledger, and would come again at once.
        if self.judge.is_done() {
            return Ok(false);
        }
        let overtime = self.limits.until.is_some_and(|end| Instant::now() >= end);
        let left = if overtime {
            0
        } else {
            self.limits.messages.saturating_sub(self.taken)
        };
        let limit = i64::try_from(left.clamp(1, LEDGER_PAGE)).unwrap_or(1);
        let key = self.sync.lease().key;
        let next = self
            .sync
            .store
            .next_pending(key, limit, self.limits.history)
            .await?;
        if left == 0 || next.is_empty() {
            progress.capped = !next.is_empty();
            return Ok(false);
        }
        self.taken += next.len() as u64;
        let items = next.into_iter().map(|p| Item {
            id: p.id,
            attempts: p.attempts,
            tries: 0,
        });
        self.queue.extend(items);
        Ok(true)
    }
}

async fn write(
    sync: &MailboxSync<'_>,
    batch: Option<BatchWrite>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let Some(mut batch) = batch else {
        return Ok(());
    };
    batch.quota_units = sync.gmail.user.level();
    batch.keeps_mood = sync.keeps_mood;
    let stored = sync.store.store_batch(sync.lease(), &batch).await?;
    failpoint::pass("batch_stored");
    sync.gmail.pulse.beat();
    progress.add(&batch.counts, stored);
    progress.readings.merge(batch.readings);
    let room =
        (sync.config.anthropic.max_mails_per_run as usize).saturating_sub(progress.texts.len());
    progress.texts.extend(batch.texts.into_iter().take(room));
    let dealt_with = batch.done.len() + batch.failed.iter().filter(|f| f.poison).count();
    (sync.on_batch)(&Step::Stored(i64::try_from(dealt_with).unwrap_or(i64::MAX)));
    Ok(())
}

impl Progress {
    fn add(&mut self, counts: &crate::store::BatchCounts, stored: crate::store::StoredBatch) {
        self.events += stored.events;
        self.messages += stored.messages;
        self.contacts.extend(stored.contacts);
        self.counts.seen += counts.seen;
        self.counts.unmatched += counts.unmatched;
        self.counts.skipped += counts.skipped;
        self.counts.gone += counts.gone;
        self.counts.poison += counts.poison;
        self.counts.units += counts.units;
    }
}
