//! What becomes of each part of a batch answer.

use std::collections::HashSet;
use std::time::Duration;

use super::drain::Item;
use super::{Event, MailboxSync, events_of, text_of};
use crate::failure::Failure;
use crate::gmail::fault::Fault;
use crate::gmail::{Batch, Message, settle};
use crate::matching::ContactIndex;
use crate::sentiment::{is_read, read_with_lexicon};
use crate::store::{BatchWrite, FailedMessage};

/// A message that was refused or unreadable so often is set aside.
const POISON_ATTEMPTS: i16 = 3;

/// Weighs the answers of one sync; remembers what came before.
pub(super) struct Judge<'a> {
    sync: &'a MailboxSync<'a>,
    contacts: &'a ContactIndex,
    own: &'a HashSet<String>,
    /// Parts in the next batch.
    pub(super) batch_size: usize,
    /// Why parts were left in the ledger after all tries.
    pub(super) given_up: Option<Failure>,
    /// Gmail answered for a message: one that it refuses is refused for itself.
    answers: bool,
    /// Refused before it answered for any, with its reasons: they wait for what the others show.
    doubtful: Vec<(Item, String)>,
    /// Rounds in a row in which the token was refused, or a limit hit.
    refused_rounds: u32,
    limited_rounds: u32,
    limited_time: Duration,
}

/// What to do after a batch.
#[derive(Default)]
pub(super) struct Verdict {
    /// To be written.
    pub(super) write: BatchWrite,
    /// To be tried again.
    pub(super) again: Vec<Item>,
    /// Not before this time.
    pub(super) wait: Duration,
    /// The mailbox stops here.
    pub(super) stop: Option<Failure>,
}

/// What the parts of one batch had in common.
#[derive(Default)]
struct Round {
    refused: bool,
    limited: Option<Option<Duration>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        sync: &'a MailboxSync<'a>,
        contacts: &'a ContactIndex,
        own: &'a HashSet<String>,
    ) -> Self {
        Self {
            sync,
            contacts,
            own,
            batch_size: sync.config.sync.batch_size,
            given_up: None,
            answers: false,
            doubtful: Vec::new(),
            refused_rounds: 0,
            limited_rounds: 0,
            limited_time: Duration::ZERO,
        }
    }

    /// Whether the last batch met a token that Gmail refuses.
    pub(super) fn token_refused(&self) -> bool {
        self.refused_rounds > 0
    }

    pub(super) fn weigh(&mut self, batch: Vec<Item>, answer: Result<Batch, Fault>) -> Verdict {
        let mut verdict = Verdict::default();
        let units = i64::from(self.sync.config.quota.message_units);
        verdict.write.counts.units = units * i64::try_from(batch.len()).unwrap_or(0);
        let mut round = Round::default();
        match answer {
            Err(Fault::TooLarge) if batch.len() > 1 => {
                self.batch_size = (batch.len() / 2).max(1);
                verdict.again = batch;
            }
            Err(Fault::TooLarge) => {
                let fault = Fault::BadRequest("larger than is read".to_owned());
                self.weigh_parts(batch, |_| Err(fault.clone()), &mut round, &mut verdict);
            }
            Err(Fault::NotFound | Fault::BadRequest(_)) => {
                verdict.stop = Some(Failure::Refused("the batch request".to_owned()));
            }
            Err(fault) => self.weigh_parts(batch, |_| Err(fault.clone()), &mut round, &mut verdict),
            Ok(mut parts) => {
                let part = |id: &str| parts.remove(id).unwrap_or(Err(Fault::Missing));
                self.weigh_parts(batch, part, &mut round, &mut verdict);
            }
        }
        self.close_round(&round, &mut verdict);
        verdict
    }

    fn weigh_parts(
        &mut self,
        batch: Vec<Item>,
        mut part: impl FnMut(&str) -> Result<Message, Fault>,
        round: &mut Round,
        verdict: &mut Verdict,
    ) {
        for item in batch {
            match part(&item.id) {
                Ok(message) => {
                    self.answers = true;
                    self.accept(item, &message, verdict);
                }
                Err(Fault::NotFound) => {
                    self.answers = true;
                    verdict.write.counts.seen += 1;
                    verdict.write.counts.gone += 1;
                    verdict.write.done.push(item.id);
                }
                Err(Fault::BadRequest(reason)) => self.doubtful.push((item, reason)),
                Err(Fault::Unauthorized) => {
                    round.refused = true;
                    verdict.again.push(item);
                }
                Err(Fault::RateLimited { wait }) => {
                    round.limited = Some(round.limited.flatten().max(wait));
                    verdict.again.push(item);
                }
                Err(fault @ (Fault::Backend(_) | Fault::Missing | Fault::TooLarge)) => {
                    self.try_again(item, fault, verdict);
                }
                Err(fault @ (Fault::Scope | Fault::Final(_))) => verdict.stop = Some(settle(fault)),
            }
        }
        if self.answers {
            for (item, reason) in self.doubtful.drain(..) {
                refuse(item, reason, verdict);
            }
        }
    }

    /// Whether the ledger would only give what was given up in this sync.
    pub(super) fn is_done(&self) -> bool {
        self.given_up.is_some() || !self.doubtful.is_empty()
    }

    /// Of a sync in which Gmail refused every message: several are left as they are, for it must be Gmail; one alone counts
    /// as tried once.
    pub(super) fn close(&mut self) -> Option<BatchWrite> {
        let (item, reason) = self.doubtful.pop()?;
        let told = Failure::Backend(format!("it refuses every message that waits ({reason})"));
        let mut verdict = Verdict::default();
        if std::mem::take(&mut self.doubtful).is_empty() {
            refuse(item, reason, &mut verdict);
        }
        if verdict.write.counts.poison == 0 {
            self.given_up.get_or_insert(told);
        }
        Some(verdict.write)
    }

    fn accept(&self, item: Item, message: &Message, verdict: &mut Verdict) {
        let counts = &mut verdict.write.counts;
        counts.seen += 1;
        if message.is_skipped() {
            counts.skipped += 1;
        } else {
            let mut events = events_of(message, self.contacts, self.own);
            counts.unmatched += i64::from(events.is_empty());
            self.read(message, &mut events, &mut verdict.write);
            if !self.sync.config.sync.keep_subjects {
                events.iter_mut().for_each(|event| event.subject = None);
            }
            verdict.write.events.extend(events);
        }
        verdict.write.done.push(item.id);
    }

    /// Reads the mood of a mail, once for all contacts that it names; what the language model reads is read afterwards.
    fn read(&self, message: &Message, events: &mut [Event], write: &mut BatchWrite) {
        let Some(first) = events.first() else { return };
        let outbound = first.direction == "outbound";
        if !self.sync.keeps_mood || !is_read(&self.sync.config.sentiment, first.automated, outbound)
        {
            return;
        }
        let text = text_of(message);
        if text.is_absent() {
            return;
        }
        if self.sync.config.anthropic_key().is_some() {
            if !self.sync.config.sync.keep_subjects || text.snippet.is_some() {
                write.texts.push((message.id.clone(), text));
            }
            return;
        }
        let Some(reading) = read_with_lexicon(&text) else {
            return;
        };
        write.readings.add(&reading);
        for event in events {
            event.reading = Some(reading.clone());
        }
    }

    /// The same part again, after a backoff; after all tries it stays in the ledger.
    fn try_again(&mut self, mut item: Item, fault: Fault, verdict: &mut Verdict) {
        item.tries += 1;
        if item.tries >= self.sync.config.google.max_tries {
            self.given_up = Some(settle(fault));
            return;
        }
        verdict.wait = verdict.wait.max(self.sync.gmail.backoff(item.tries - 1));
        verdict.again.push(item);
    }

    /// Limits halve the batches, refused tokens are renewed once, and a good round mends both.
    fn close_round(&mut self, round: &Round, verdict: &mut Verdict) {
        let progressed = !verdict.write.done.is_empty();
        if round.refused {
            self.refused_rounds += 1;
            if self.refused_rounds > 1 {
                verdict.stop.get_or_insert(Failure::AuthRejected);
            }
        } else {
            self.refused_rounds = 0;
        }
        let Some(wish) = round.limited else {
            if progressed {
                (self.limited_rounds, self.limited_time) = (0, Duration::ZERO);
                self.batch_size = (self.batch_size + 2).min(self.sync.config.sync.batch_size);
            }
            return;
        };
        self.batch_size = (self.batch_size / 2).max(1);
        match self
            .sync
            .gmail
            .rate_wait(wish, self.limited_rounds, self.limited_time)
        {
            Ok(wait) => {
                self.limited_rounds += 1;
                self.limited_time += wait;
                verdict.wait = verdict.wait.max(wait);
            }
            Err(fault) => {
                verdict.stop.get_or_insert(settle(fault));
            }
        }
    }
}

/// Tried again at once; set aside when that does not help.
fn refuse(item: Item, reason: String, verdict: &mut Verdict) {
    let attempts = item.attempts + 1;
    let poison = attempts >= POISON_ATTEMPTS;
    verdict.write.counts.seen += i64::from(poison);
    verdict.write.counts.poison += i64::from(poison);
    verdict.write.failed.push(FailedMessage {
        id: item.id.clone(),
        attempts,
        poison,
        reason,
    });
    if !poison {
        verdict.again.push(Item { attempts, ..item });
    }
}
