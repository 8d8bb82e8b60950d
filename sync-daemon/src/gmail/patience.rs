//! Patience: quota before each call, one token refresh on 401, backoff on what passes.

use std::time::Duration;

use rand::Rng;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use super::api::Gmail;
use super::client::Answer;
use super::fault::Fault;
use super::json::parse;
use crate::failure::Failure;

impl Gmail {
    /// One call, repeated as its faults ask for.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        cost: u32,
        request: &(dyn Fn() -> RequestBuilder + Sync),
    ) -> Result<T, Fault> {
        let (mut tries, mut renewed, mut waited) = (0, false, Duration::ZERO);
        loop {
            self.pay(cost).await.map_err(Fault::Final)?;
            let token = self.tokens.access().await.map_err(Fault::Final)?;
            let answer = self.client.send(request(), token.expose_secret()).await;
            self.pulse.beat();
            let wait = match answer.and_then(|a| decode(&a)) {
                Ok(value) => return Ok(value),
                Err(Fault::Unauthorized) if !renewed => {
                    renewed = true;
                    self.tokens.renew(&token).await.map_err(Fault::Final)?;
                    continue;
                }
                Err(Fault::RateLimited { wait }) => self.rate_wait(wait, tries, waited)?,
                Err(Fault::Backend(_)) if tries + 1 < self.config.google.max_tries => {
                    self.backoff(tries)
                }
                Err(fault) => return Err(fault),
            };
            tries += 1;
            waited += wait;
            self.pause(wait).await.map_err(Fault::Final)?;
        }
    }

    /// How long to wait for a rate limit: Gmail's wish or the backoff.
    ///
    /// # Errors
    /// More than a run waits: the mailbox is rescheduled.
    pub fn rate_wait(
        &self,
        wish: Option<Duration>,
        tries: u32,
        waited: Duration,
    ) -> Result<Duration, Fault> {
        let wait = wish.unwrap_or_default().max(self.backoff(tries));
        let cap = Duration::from_secs(self.config.google.max_rate_wait_seconds);
        if waited + wait > cap {
            return Err(Fault::Final(Failure::RateLimited {
                wait: wait.max(Duration::from_secs(1)),
            }));
        }
        Ok(wait)
    }

    /// Backoff with jitter: between the full step and one and a half.
    #[must_use]
    pub fn backoff(&self, tries: u32) -> Duration {
        self.config
            .google
            .backoff(tries)
            .mul_f64(1.0 + rand::rng().random::<f64>() / 2.0)
    }

    /// Waits; ends early on shutdown.
    ///
    /// # Errors
    /// [`Failure::Interrupted`].
    pub async fn pause(&self, time: Duration) -> Result<(), Failure> {
        if self.pulse.wait(time, &self.stop).await {
            Ok(())
        } else {
            Err(Failure::Interrupted)
        }
    }

    /// Takes the units of a call from both buckets, waiting for them if need be.
    pub(super) async fn pay(&self, cost: u32) -> Result<(), Failure> {
        while let Err(wait) = self.user.take(f64::from(cost)) {
            self.pause(wait).await?;
        }
        while let Some(wait) = self.project.take(f64::from(cost), self.backfill).await? {
            self.pause(wait).await?;
        }
        Ok(())
    }
}

fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T, Fault> {
    if answer.truncated {
        return Err(Fault::Backend("the answer was cut off".to_owned()));
    }
    parse(&answer.body)
}
