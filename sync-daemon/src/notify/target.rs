//! The channels of a configuration, and sending to them.

use std::collections::BTreeMap;

use chrono::Utc;
use secrecy::SecretString;
use uuid::Uuid;

use super::message::Outgoing;
use super::post::{Poster, Undelivered};
use super::webhook::{Body, DELIVERY, SIGNATURE, TIMESTAMP, sign};
use super::{message, slack};
use crate::config::{ChannelKind, Config, LOG};
use crate::store::{Attention, Batch, Notification};

/// Where messages go to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name of the channel.
    pub name: String,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    Log,
    Slack(SecretString),
    Webhook {
        url: SecretString,
        secret: SecretString,
    },
}

impl Target {
    /// The channels that are set up, and the log.
    #[must_use]
    pub fn all(config: &Config) -> BTreeMap<String, Self> {
        let mut targets = BTreeMap::new();
        for (name, channel) in &config.notify.channels {
            let Some(secrets) = config.secrets.channels.get(name) else {
                continue;
            };
            let url = secrets.url.clone();
            let end = match (channel.kind, &secrets.signing) {
                (ChannelKind::Slack, _) => End::Slack(url),
                (ChannelKind::Webhook, Some(secret)) => End::Webhook {
                    url,
                    secret: secret.clone(),
                },
                (ChannelKind::Webhook, None) => continue,
            };
            let name = name.clone();
            targets.insert(name.clone(), Self { name, end });
        }
        let log = Self {
            name: LOG.to_owned(),
            end: End::Log,
        };
        targets.insert(LOG.to_owned(), log);
        targets
    }

    /// Whether it is this daemon's own log: nobody is disturbed by it, and it is never away.
    #[must_use]
    pub fn is_log(&self) -> bool {
        matches!(self.end, End::Log)
    }

    /// A program reads each notification, and knows a message again by its id; people read one message of many.
    #[must_use]
    pub fn is_for_programs(&self) -> bool {
        matches!(self.end, End::Webhook { .. })
    }

    /// Sends a trial message.
    ///
    /// # Errors
    /// [`Undelivered`]
    pub async fn test(&self, poster: &Poster) -> Result<(), Undelivered> {
        self.send(poster, Uuid::new_v4(), &Outgoing::Test).await
    }

    pub(super) async fn send(
        &self,
        poster: &Poster,
        id: Uuid,
        outgoing: &Outgoing<'_>,
    ) -> Result<(), Undelivered> {
        match &self.end {
            End::Log => {
                log(outgoing);
                Ok(())
            }
            End::Slack(url) => {
                let body = slack::payload(outgoing).to_string().into_bytes();
                poster.post(ChannelKind::Slack, url, &[], body).await
            }
            End::Webhook { url, secret } => {
                let now = Utc::now();
                let body = Body::new(outgoing, &self.name, id, now);
                let body = serde_json::to_vec(&body).map_err(|e| Undelivered::Passing {
                    reason: format!("cannot be written as JSON: {e}"),
                    unknown: false,
                })?;
                let timestamp = now.timestamp();
                let headers = [
                    (TIMESTAMP, timestamp.to_string()),
                    (SIGNATURE, sign(secret, timestamp, &body)),
                    (DELIVERY, id.to_string()),
                ];
                poster.post(ChannelKind::Webhook, url, &headers, body).await
            }
        }
    }
}

fn log(outgoing: &Outgoing<'_>) {
    match outgoing {
        Outgoing::Batch(batch) => log_batch(batch),
        Outgoing::Digest { listed, more } => {
            tracing::info!(listed = listed.len(), more, "needs attention today");
            listed.iter().for_each(log_attention);
        }
        Outgoing::Test => tracing::info!("a test notification"),
    }
}

fn log_batch(batch: &Batch) {
    batch.items.iter().for_each(log_notification);
    if let Some(more) = message::and_more(batch, batch.items.len()) {
        tracing::info!(more, "notifications");
    }
}

/// Texts from outside are quoted, so that none can look like another line.
fn log_notification(item: &Notification) {
    let user = item.user_id.map(|id| id.to_string());
    tracing::info!(
        id = item.id, kind = %item.kind, severity = %item.severity, user_id = user,
        subject_type = %item.subject_type, subject_id = ?item.subject_id, title = ?item.title,
        detail = item.detail.as_deref().map(tracing::field::debug),
        next_step = item.next_step.as_deref().map(tracing::field::debug),
        "notification"
    );
}

fn log_attention(item: &Attention) {
    tracing::info!(
        kind = %item.kind, user_id = %item.user_id, id = %item.id, name = ?item.name, score = item.health_score,
        status = ?item.health_status, reasons = ?item.reasons, "needs attention"
    );
}
