//! The calls: each under the day's cost limit and the minute's number of requests, repeated where that helps.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::Rng;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::answer::{Judged, read_usage};
use super::retry::{Fault, classify, network};
use super::stopped::Stopped;
use super::{Batch, MAX_ANSWER_BYTES, Unread, Usage, read_answer};
use crate::config::{Anthropic as Settings, Config};
use crate::gmail::{install_tls_provider, read_limited};
use crate::pulse::Pulse;
use crate::run::Metrics;
use crate::store::{Reserved, Store};

/// So many unusable answers in a row, and it is not the mails that are to blame.
const MAX_UNUSABLE: u32 = 5;

/// The API in the hands of one daemon.
pub struct Anthropic {
    http: reqwest::Client,
    key: HeaderValue,
    settings: Settings,
    store: Store,
    metrics: Arc<Metrics>,
    unusable: AtomicU32,
    /// Not asked before this instant.
    closed_until: Mutex<Option<Instant>>,
}

/// How long one mailbox's mail may be waited for.
pub struct Patience<'a> {
    /// Shutdown.
    pub stop: &'a CancellationToken,
    /// Signs of life.
    pub pulse: &'a Pulse,
    /// No wait goes beyond this.
    pub until: Instant,
}

/// What came of one mail.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A reading.
    Judged(Judged),
    /// Asked alone, it got no usable answer, while others did.
    Refused,
    /// No usable answer, and nothing to tell whether the mail is to blame.
    Left,
}

impl Anthropic {
    /// None unless a key is configured and mail is to be read.
    ///
    /// # Errors
    /// The key cannot be a header, or this machine's TLS set-up is unusable.
    pub fn new(
        config: &Config,
        store: Store,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Self>, String> {
        let Some(key) = config.anthropic_key() else {
            return Ok(None);
        };
        let mut key = HeaderValue::from_str(key.expose_secret().trim()).map_err(|_| {
            "CRM_HEALTH_ANTHROPIC_API_KEY has characters that no key has".to_owned()
        })?;
        key.set_sensitive(true);
        install_tls_provider();
        let settings = config.anthropic.clone();
        let http = reqwest::Client::builder()
            .user_agent(concat!("crm-health-sync/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(settings.request_timeout_seconds))
            .build()
            .map_err(|e| format!("TLS: {e}"))?;
        Ok(Some(Self {
            http,
            key,
            settings,
            store,
            metrics,
            unusable: AtomicU32::new(0),
            closed_until: Mutex::new(None),
        }))
    }

    /// The model that is asked.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.settings.model
    }

    /// Whether it is not to be asked for now.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let until = *self
            .closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Stops asking for a while, and says so once.
    pub fn close(&self, stopped: &Stopped) {
        let Some(time) = stopped.pause() else { return };
        let mut until = self
            .closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if until.is_none_or(|until| until <= now) {
            tracing::warn!(
                reason = stopped.code(),
                seconds = time.as_secs(),
                "mail is not read by Anthropic for now: {stopped}"
            );
            self.metrics.count_model_stop(stopped.code());
        }
        *until = Some(now + time);
    }

    /// One finding for each mail, in their order.
    ///
    /// # Errors
    /// Why no mail can be read now; none of these was.
    pub async fn read(
        &self,
        mails: &[Unread],
        patience: &Patience<'_>,
    ) -> Result<Vec<Finding>, Stopped> {
        if let Some(judged) = self.ask(mails, patience).await? {
            return Ok(judged.into_iter().map(Finding::Judged).collect());
        }
        // One mail may have spoiled it for all: alone, each can only spoil its own answer.
        let mut findings = Vec::with_capacity(mails.len());
        for mail in mails {
            let alone = self.ask(std::slice::from_ref(mail), patience).await?;
            let judged = alone.and_then(|one| one.into_iter().next());
            findings.push(judged.map_or(Finding::Refused, Finding::Judged));
        }
        if findings.iter().all(|f| *f == Finding::Refused) {
            findings.fill(Finding::Left);
        }
        Ok(findings)
    }

    /// Whether the API knows the key and the model; costs nothing.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn check(&self) -> Result<(), String> {
        let path = format!("/v1/models/{}", self.settings.model);
        let sent = self.send(self.http.get(self.url(&path))).await;
        sent.map(|_| ())
            .map_err(|fault| Stopped::from(fault).to_string())
    }

    /// The readings of all; none if the answer is unusable.
    async fn ask(
        &self,
        mails: &[Unread],
        patience: &Patience<'_>,
    ) -> Result<Option<Vec<Judged>>, Stopped> {
        let batch = Batch { mails };
        let body = batch.body(&self.settings.model);
        let most = Usage {
            input_tokens: Batch::input_tokens_at_most(&body),
            output_tokens: u64::from(batch.max_tokens()),
        };
        let answer = self.send_paid(&body, most, patience).await?;
        match read_answer(&answer, mails.len()) {
            Ok(judged) => {
                self.unusable.store(0, Ordering::Relaxed);
                Ok(Some(judged))
            }
            Err(reason) => {
                tracing::debug!(
                    mails = mails.len(),
                    "an answer of Anthropic is not used: {reason}"
                );
                if self.unusable.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_UNUSABLE {
                    self.unusable.store(0, Ordering::Relaxed);
                    return Err(Stopped::Unusable(reason));
                }
                Ok(None)
            }
        }
    }

    /// Sends until an answer comes, each try paid for.
    async fn send_paid(
        &self,
        body: &str,
        most: Usage,
        patience: &Patience<'_>,
    ) -> Result<Vec<u8>, Stopped> {
        let ceiling = self.settings.price(most);
        let mut tries = 0;
        loop {
            let day = self.reserve(ceiling, patience).await?;
            let request = self
                .http
                .post(self.url("/v1/messages"))
                .header("content-type", "application/json")
                .body(body.to_owned());
            let sent = self.send(request).await;
            let usage = match &sent {
                // Whoever does not say what it cost has cost what it can have cost.
                Ok(answer) => Some(read_usage(answer).unwrap_or(most)),
                Err(Fault::Lost(_)) => Some(most),
                Err(_) => None,
            };
            let usage = usage.unwrap_or_default();
            self.metrics.count_tokens(usage);
            let price = self.settings.price(usage);
            self.store.settle_cost(day, ceiling, price, usage).await?;
            let (wait, fault) = match sent {
                Ok(answer) => return Ok(answer),
                Err(fault @ Fault::Passing { wait, .. }) => (wait.unwrap_or_default(), fault),
                Err(fault @ Fault::Lost(_)) => (Duration::ZERO, fault),
                Err(fault) => return Err(fault.into()),
            };
            let wait = wait.max(self.backoff(tries));
            tries += 1;
            if tries >= self.settings.max_tries || !patience.allows(wait) {
                return Err(fault.into());
            }
            patience.wait(wait).await?;
        }
    }

    /// Takes the cost from what is left of the day, and a place among the requests of the minute.
    async fn reserve(
        &self,
        ceiling: f64,
        patience: &Patience<'_>,
    ) -> Result<chrono::NaiveDate, Stopped> {
        let spacing = 60.0 / f64::from(self.settings.requests_per_minute);
        let longest = patience.until.saturating_duration_since(Instant::now());
        let reserved = self
            .store
            .reserve_cost(
                ceiling,
                self.settings.daily_cap_usd,
                spacing,
                longest.as_secs_f64(),
            )
            .await?;
        match reserved {
            Reserved::Granted { day, wait } => {
                if let Err(stopped) = patience.wait(wait).await {
                    let none = Usage::default();
                    self.store.settle_cost(day, ceiling, 0.0, none).await?;
                    return Err(stopped);
                }
                Ok(day)
            }
            Reserved::OverCap => Err(Stopped::Cap),
            Reserved::TooBusy => Err(Stopped::TimeUp),
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Fault> {
        let response = request
            .header("x-api-key", self.key.clone())
            .header("anthropic-version", &self.settings.version)
            .send()
            .await
            .map_err(|e| network(&e))?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).cloned();
        let Ok((body, truncated)) = read_limited(response, MAX_ANSWER_BYTES).await else {
            return Err(Fault::Lost("the answer is larger than is read"));
        };
        if !status.is_success() {
            let retry_after = retry_after.as_ref().and_then(|v| v.to_str().ok());
            return Err(classify(status.as_u16(), retry_after, &body));
        }
        if truncated {
            return Err(Fault::Lost("the answer was cut off"));
        }
        Ok(body)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.base_url.trim_end_matches('/'))
    }

    fn backoff(&self, tries: u32) -> Duration {
        let doubled = self
            .settings
            .backoff_first_ms
            .saturating_mul(1 << tries.min(16));
        let step = Duration::from_millis(doubled.min(self.settings.backoff_cap_ms));
        step.mul_f64(1.0 + rand::rng().random::<f64>() / 2.0)
    }
}

impl Patience<'_> {
    fn allows(&self, wait: Duration) -> bool {
        Instant::now() + wait < self.until
    }

    async fn wait(&self, time: Duration) -> Result<(), Stopped> {
        if time.is_zero() || self.pulse.wait(time, self.stop).await {
            Ok(())
        } else {
            Err(Stopped::Interrupted)
        }
    }
}
