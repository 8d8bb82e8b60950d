//! One mailbox's view of Gmail: which calls there are, and what they ask for.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::batch;
use super::client::GmailClient;
use super::fault::{Fault, settle};
use super::parts::{Batch, sort_parts};
use super::types::{HistoryAnswer, ListAnswer, Message, Profile, SendAsAnswer, has_skipped_label};
use crate::config::Config;
use crate::failure::Failure;
use crate::oauth::TokenSource;
use crate::pulse::Pulse;
use crate::quota::{ProjectQuota, UserBucket};

const MESSAGE_FIELDS: &str = "id,threadId,labelIds,internalDate,payload/headers";

/// The most entries of a page.
pub const PAGE_SIZE: u32 = 500;

/// Gmail for one mailbox, for the length of one sync.
pub struct Gmail {
    /// The pool.
    pub client: GmailClient,
    /// Settings.
    pub config: Arc<Config>,
    /// The mailbox's token.
    pub tokens: TokenSource,
    /// The mailbox's quota.
    pub user: UserBucket,
    /// The project's quota.
    pub project: Arc<ProjectQuota>,
    /// Signs of life.
    pub pulse: Arc<Pulse>,
    /// Shutdown: waits end at once.
    pub stop: CancellationToken,
    /// Whether this is a backfill, which steps back for live mail.
    pub backfill: bool,
}

/// Which messages to list, by time (epoch seconds). Empty: all.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageFilter {
    /// Not before.
    pub after: Option<i64>,
    /// Before.
    pub before: Option<i64>,
}

impl MessageFilter {
    fn query(self) -> Option<String> {
        let after = self.after.map(|t| format!("after:{}", t.max(0)));
        let before = self.before.map(|t| format!("before:{}", t.max(0)));
        let terms: Vec<String> = after.into_iter().chain(before).collect();
        (!terms.is_empty()).then(|| terms.join(" "))
    }
}

/// One page of ids.
pub struct ListPage {
    /// Message ids, newest first.
    pub ids: Vec<String>,
    /// Where the next page is.
    pub next: Option<String>,
}

/// One page of changes.
pub struct HistoryPage {
    /// Ids that may be new correspondence.
    pub ids: Vec<String>,
    /// Where the next page is.
    pub next: Option<String>,
    /// The cursor, on the last page.
    pub history_id: Option<String>,
}

impl Gmail {
    /// The mailbox's address and its current history id.
    ///
    /// # Errors
    /// Why the mailbox must stop.
    pub async fn profile(&self) -> Result<(String, String), Failure> {
        let request = || {
            let request = self.client.get("/gmail/v1/users/me/profile");
            request.query(&[("fields", "emailAddress,historyId")])
        };
        let profile: Profile = self
            .call(self.config.quota.profile_units, &request)
            .await
            .map_err(settle)?;
        Ok((profile.email_address, profile.history_id))
    }

    /// The mailbox's aliases; none if the grant does not allow to read them.
    ///
    /// # Errors
    /// Why the mailbox must stop.
    pub async fn send_as(&self) -> Result<Vec<String>, Failure> {
        let request = || {
            let request = self.client.get("/gmail/v1/users/me/settings/sendAs");
            request.query(&[("fields", "sendAs/sendAsEmail")])
        };
        let answer = self
            .call::<SendAsAnswer>(self.config.quota.send_as_units, &request)
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .send_as
                .into_iter()
                .map(|s| s.send_as_email)
                .collect()),
            Err(Fault::Scope | Fault::NotFound | Fault::Final(Failure::Forbidden(_))) => Ok(vec![]),
            Err(fault) => Err(settle(fault)),
        }
    }

    /// A page of message ids.
    ///
    /// # Errors
    /// [`Fault::Scope`] where `q` is not allowed, [`Fault::BadRequest`] for a page token that expired.
    pub async fn list(&self, filter: MessageFilter, page: Option<&str>) -> Result<ListPage, Fault> {
        let request = || {
            let mut request = self.client.get("/gmail/v1/users/me/messages").query(&[
                ("maxResults", PAGE_SIZE.to_string().as_str()),
                ("fields", "messages(id),nextPageToken"),
            ]);
            if let Some(query) = filter.query() {
                request = request.query(&[("q", query)]);
            }
            if let Some(page) = page {
                request = request.query(&[("pageToken", page)]);
            }
            request
        };
        let answer: ListAnswer = self.call(self.config.quota.list_units, &request).await?;
        let ids = answer
            .messages
            .into_iter()
            .filter(|m| !has_skipped_label(&m.label_ids));
        Ok(ListPage {
            ids: ids.map(|m| m.id).filter(|id| is_id(id)).collect(),
            next: answer.next_page_token,
        })
    }

    /// A page of `size` changes since `start`, at most.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when `start` is too old, [`Fault::TooLarge`] when the page is more than is read.
    pub async fn history(
        &self,
        start: &str,
        page: Option<&str>,
        size: u32,
    ) -> Result<HistoryPage, Fault> {
        let request = || {
            let mut request = self.client.get("/gmail/v1/users/me/history").query(&[
                ("startHistoryId", start),
                ("maxResults", size.to_string().as_str()),
                ("historyTypes", "messageAdded"),
                ("historyTypes", "labelAdded"),
                ("historyTypes", "labelRemoved"),
            ]);
            if let Some(page) = page {
                request = request.query(&[("pageToken", page)]);
            }
            request
        };
        let answer: HistoryAnswer = self.call(self.config.quota.history_units, &request).await?;
        let ids = answer
            .history
            .into_iter()
            .flat_map(super::types::HistoryRecord::discovered);
        Ok(HistoryPage {
            ids: ids.filter(|id| is_id(id)).collect(),
            next: answer.next_page_token,
            history_id: answer.history_id,
        })
    }

    /// The time of one message (epoch seconds), for listings that cannot be limited by Gmail.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when it is gone.
    pub async fn message_time(&self, id: &str) -> Result<i64, Fault> {
        let path = format!("/gmail/v1/users/me/messages/{id}");
        let request = || {
            self.client
                .get(&path)
                .query(&[("format", "minimal"), ("fields", "id,internalDate")])
        };
        let message: Message = self.call(self.config.quota.message_units, &request).await?;
        Ok(message.internal_date / 1000)
    }

    /// Fetches the messages in one request. Each id has its own outcome; only what concerns all is an error.
    ///
    /// # Errors
    /// A fault of the batch as a whole, or why the mailbox must stop.
    pub async fn batch(&self, ids: &[String]) -> Result<Batch, Fault> {
        let cost = self.config.quota.message_units * u32::try_from(ids.len()).unwrap_or(u32::MAX);
        self.pay(cost).await.map_err(Fault::Final)?;
        let boundary = format!("batch_{}", uuid::Uuid::new_v4().simple());
        let body = batch::request_body(&boundary, ids, |id| self.message_path(id));
        let request = self
            .client
            .post("/batch/gmail/v1")
            .header(
                "Content-Type",
                format!("multipart/mixed; boundary={boundary}"),
            )
            .body(body);
        let token = self.tokens.access().await.map_err(Fault::Final)?;
        let answer = self.client.send(request, token.expose_secret()).await;
        self.pulse.beat();
        Ok(sort_parts(ids, &answer?))
    }

    /// Makes sure that the token Gmail has just refused is not used again.
    ///
    /// # Errors
    /// Why no other token can be had.
    pub async fn renew_token(&self) -> Result<(), Failure> {
        let rejected = self.tokens.access().await?;
        self.tokens.renew(&rejected).await.map(|_| ())
    }

    fn message_path(&self, id: &str) -> String {
        let headers: String = self
            .wanted_headers()
            .map(|name| format!("&metadataHeaders={name}"))
            .collect();
        let snippet = if self.config.reads_snippets() {
            "%2Csnippet"
        } else {
            ""
        };
        format!(
            "/gmail/v1/users/me/messages/{id}?format=metadata{headers}&fields={}{snippet}&prettyPrint=false",
            MESSAGE_FIELDS.replace(',', "%2C").replace('/', "%2F")
        )
    }

    fn wanted_headers(&self) -> impl Iterator<Item = &'static str> {
        const ALWAYS: [&str; 10] = [
            "From",
            "To",
            "Cc",
            "Bcc",
            "Reply-To",
            "Message-ID",
            "List-Unsubscribe",
            "List-Id",
            "Precedence",
            "Auto-Submitted",
        ];
        let subject = self.config.reads_subjects().then_some("Subject");
        ALWAYS.into_iter().chain(subject)
    }
}

/// Ids become part of a path and of a header: nothing but plain characters gets there.
fn is_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !id.is_empty() && id.len() <= 128 && id.bytes().all(plain)
}
