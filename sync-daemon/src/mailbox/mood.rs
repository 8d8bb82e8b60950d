//! Reading stored mail with the language model: after a mailbox is synced, before its scores are refreshed.
//!
//! Mail that is stored is unread until a model has answered, so that nothing is asked twice and nothing is lost: what a
//! run does not get to, for time, cost or failure, the next one does, newest first.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::anthropic::{Anthropic, Finding, Patience, Stopped, Unread};
use crate::config::Config;
use crate::failpoint;
use crate::failure::Failure;
use crate::pulse::Pulse;
use crate::sentiment::{MailText, Reading, ReadingCounts, read_with_lexicon};
use crate::store::{Lease, Store};

/// One mailbox's unread mail.
pub struct MoodPass<'a> {
    /// The database.
    pub store: &'a Store,
    /// The model.
    pub reader: &'a Anthropic,
    /// Settings.
    pub config: &'a Config,
    /// The mailbox.
    pub lease: &'a Lease,
    /// Shutdown.
    pub stop: &'a CancellationToken,
    /// Signs of life.
    pub pulse: &'a Pulse,
}

/// What a pass did.
#[derive(Default)]
pub struct Read {
    /// By the language model.
    pub by_model: ReadingCounts,
    /// By the lexicon in its place.
    pub by_lexicon: ReadingCounts,
    /// Events that have a reading now.
    pub events: i64,
}

impl MoodPass<'_> {
    /// Reads what is unread. `texts`: of this run's mail, what is not stored. A failure is logged and ends the pass.
    pub async fn run(&self, texts: HashMap<String, MailText>) -> Read {
        let mut read = Read::default();
        if let Err(error) = self.read(texts, &mut read).await {
            tracing::warn!(%error, "mail could not be read for its mood; a later run does it");
        }
        read
    }

    async fn read(
        &self,
        mut texts: HashMap<String, MailText>,
        read: &mut Read,
    ) -> Result<(), Failure> {
        let settings = &self.config.anthropic;
        let ids: Vec<String> = texts.keys().cloned().collect();
        let unread = self.store.unread_mail(
            self.lease.key.user_id,
            settings.max_age_days,
            self.config.sentiment.sent_mail,
            &ids,
            i64::from(settings.max_mails_per_run),
        );
        let mut unread = unread.await?;
        for mail in &mut unread {
            if let Some(text) = texts.remove(&mail.message_id) {
                mail.text = text;
            }
        }
        let until = Instant::now() + Duration::from_secs(settings.max_seconds_per_mailbox);
        let patience = Patience {
            stop: self.stop,
            pulse: self.pulse,
            until,
        };
        for mails in unread.chunks(settings.batch_size) {
            match self.ask(mails, &patience).await {
                Ok(findings) => self.keep(mails, findings, read).await?,
                Err(stopped) => self.stand_in(mails, stopped.as_ref(), read).await?,
            }
        }
        Ok(())
    }

    /// The findings, or why there are none; nothing to tell if that was told before.
    async fn ask(
        &self,
        mails: &[Unread],
        patience: &Patience<'_>,
    ) -> Result<Vec<Finding>, Option<Stopped>> {
        if self.reader.is_closed() {
            return Err(None);
        }
        if self.stop.is_cancelled() || Instant::now() >= patience.until {
            return Err(Some(Stopped::TimeUp));
        }
        let findings = self.reader.read(mails, patience).await;
        findings.map_err(|stopped| {
            self.reader.close(&stopped);
            Some(stopped)
        })
    }

    async fn keep(
        &self,
        mails: &[Unread],
        findings: Vec<Finding>,
        read: &mut Read,
    ) -> Result<(), Failure> {
        let mut readings = Vec::with_capacity(mails.len());
        for (mail, finding) in mails.iter().zip(findings) {
            let (score, details) = match finding {
                Finding::Judged((score, details)) => (score, Some(details)),
                Finding::Refused => (None, None),
                Finding::Left => {
                    read.by_model.left += 1;
                    continue;
                }
            };
            let reading = Reading {
                score,
                model: Cow::Owned(self.reader.model().to_owned()),
                details,
            };
            read.by_model.add(&reading);
            readings.push((mail.message_id.as_str(), reading));
        }
        failpoint::pass("mail_read");
        read.events += self.store.keep_readings(self.lease, &readings).await?;
        Ok(())
    }

    /// The lexicon in place of a model that fails, where the settings say so.
    async fn stand_in(
        &self,
        mails: &[Unread],
        stopped: Option<&Stopped>,
        read: &mut Read,
    ) -> Result<(), Failure> {
        let outage = stopped.is_none_or(Stopped::is_outage);
        if !(outage && self.config.anthropic.lexicon_stands_in) {
            read.by_model.left += mails.len() as u64;
            return Ok(());
        }
        let mut readings = Vec::with_capacity(mails.len());
        for mail in mails {
            if let Some(reading) = read_with_lexicon(&mail.text) {
                read.by_lexicon.add(&reading);
                readings.push((mail.message_id.as_str(), reading));
            }
        }
        read.events += self.store.keep_readings(self.lease, &readings).await?;
        Ok(())
    }
}
