//! A round: take over what is new in the outbox, then serve each channel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use rand::Rng;
use tokio_util::sync::CancellationToken;

use super::hours::Hours;
use super::message::Outgoing;
use super::plan::{Manner, Step, next_step};
use super::post::{Poster, Undelivered};
use super::target::Target;
use crate::config::{Config, LOG, Severity};
use crate::failpoint;
use crate::failure::Failure;
use crate::run::Engine;
use crate::store::{BatchWish, ChannelLease, ChannelState, Routing, TurnEnd};

/// Notifications in one message to a program, and in one go to the log.
const PAGE: i64 = 100;

/// A channel that is set up wrongly is tried again after so long, in case it was mended at the other end.
const MISCONFIGURED_PAUSE: Duration = Duration::from_secs(3_600);

/// A lease outlives the longest request by so long.
const LEASE_MARGIN: Duration = Duration::from_secs(60);

/// Everything that rounds need, for one configuration.
pub struct Notifier {
    engine: Arc<Engine>,
    poster: Poster,
    targets: BTreeMap<String, Target>,
    routing: Routing,
    hours: Hours,
}

/// Whether there may be more to send at once.
enum Turn {
    More,
    Done,
}

impl Notifier {
    /// Prepares the channels; nothing is connected yet.
    ///
    /// # Errors
    /// The TLS set-up is unusable.
    pub fn new(engine: Arc<Engine>) -> Result<Self, Failure> {
        let notify = &engine.config.notify;
        let poster =
            Poster::new(notify).map_err(|e| Failure::Configuration(format!("TLS: {e}")))?;
        let hours = Hours::of(notify).map_err(|e| Failure::Configuration(e.to_string()))?;
        let targets = Target::all(&engine.config);
        let routing = routing(&engine.config, &targets);
        Ok(Self {
            poster,
            targets,
            routing,
            hours,
            engine,
        })
    }

    /// Somebody changed the configuration: channels that were set up wrongly are tried at once.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub async fn begin(&self) -> Result<(), Failure> {
        let names = &self.routing.set_up;
        self.engine.store.ensure_channels(names).await?;
        self.engine.store.retry_misconfigured(names).await
    }

    /// One round; returns how long the next one can wait if no bell rings.
    ///
    /// # Errors
    /// [`Failure::Database`]: nothing is lost, the next round does it.
    pub async fn round(&self, stop: &CancellationToken) -> Result<Duration, Failure> {
        let (store, notify) = (&self.engine.store, &self.engine.config.notify);
        let poll = Duration::from_secs(notify.poll_seconds);
        if !notify.enabled || !store.has_outbox().await? {
            return Ok(poll);
        }
        store.take_in(&self.routing).await?;
        for channel in store
            .expire_deliveries(self.routing.max_age_seconds)
            .await?
        {
            self.engine.metrics.notify.count_expired(&channel);
        }
        store.ensure_channels(&self.routing.set_up).await?;
        let states = store.channel_states().await?;
        // Each for itself: one that hangs holds up no other.
        let waits = join_all(states.iter().map(|state| self.serve(state, stop))).await;
        Ok(waits.into_iter().flatten().fold(poll, Duration::min))
    }

    /// Serves a channel as far as it can be now; how long until it can be more.
    async fn serve(&self, state: &ChannelState, stop: &CancellationToken) -> Option<Duration> {
        let target = self.targets.get(&state.name)?;
        match self.serve_target(target, state, stop).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(channel = %target.name, %error, "notifications wait for the database");
                None
            }
        }
    }

    async fn serve_target(
        &self,
        target: &Target,
        state: &ChannelState,
        stop: &CancellationToken,
    ) -> Result<Option<Duration>, Failure> {
        self.send_digest_if_due(target, state).await?;
        let critical_only = match next_step(state, self.manner(target), &self.hours) {
            Step::Rest => return Ok(None),
            Step::Wait(wait) => return Ok(Some(wait)),
            Step::Send { critical_only } => critical_only,
        };
        while !stop.is_cancelled() {
            if let Turn::Done = self.send_batch(target, critical_only).await? {
                break;
            }
        }
        // What failed says itself when it is due again.
        Ok(Some(Duration::from_secs(
            self.engine.config.notify.backoff_first_seconds,
        )))
    }

    fn manner(&self, target: &Target) -> Manner {
        let notify = &self.engine.config.notify;
        Manner {
            group: Duration::from_secs(if target.is_log() {
                0
            } else {
                notify.group_seconds
            }),
            always_on: target.is_log(),
            critical_breaks_quiet: notify.critical_breaks_quiet,
        }
    }

    fn wish(&self, target: &Target, critical_only: bool) -> BatchWish {
        let in_pages = target.is_log() || target.is_for_programs();
        let told = i64::try_from(self.engine.config.notify.max_items).unwrap_or(PAGE);
        BatchWish {
            limit: in_pages.then_some(PAGE),
            critical_only,
            repeat_unknown: target.is_for_programs(),
            items: if in_pages { PAGE } else { told },
        }
    }

    async fn send_batch(&self, target: &Target, critical_only: bool) -> Result<Turn, Failure> {
        let store = &self.engine.store;
        let Some(lease) = self.lease(target, None).await? else {
            return Ok(Turn::Done);
        };
        let wish = self.wish(target, critical_only);
        let Some(batch) = store.begin_batch(&lease, wish).await? else {
            store
                .release_channel(&lease, &TurnEnd::fine(false, None))
                .await?;
            return Ok(Turn::Done);
        };
        failpoint::pass("batch_begun");
        let sent = target
            .send(&self.poster, batch.id, &Outgoing::Batch(&batch))
            .await;
        failpoint::pass("batch_posted");
        let outcome = outcome(&sent);
        self.engine
            .metrics
            .notify
            .count_message(&target.name, outcome, batch.size);
        match sent {
            Ok(()) => {
                store.batch_delivered(&target.name, batch.id).await?;
                failpoint::pass("batch_noted");
                store
                    .release_channel(&lease, &TurnEnd::fine(true, None))
                    .await?;
                let full = wish.limit.is_some_and(|limit| batch.size >= limit);
                Ok(if full { Turn::More } else { Turn::Done })
            }
            Err(undelivered) => {
                let unknown = target.is_for_programs()
                    && matches!(undelivered, Undelivered::Passing { unknown: true, .. });
                let reason = undelivered.to_string();
                store
                    .batch_failed(&target.name, batch.id, &reason, unknown)
                    .await?;
                self.give_up_for_now(&lease, &undelivered, batch.size)
                    .await?;
                Ok(Turn::Done)
            }
        }
    }

    async fn send_digest_if_due(
        &self,
        target: &Target,
        state: &ChannelState,
    ) -> Result<(), Failure> {
        let Some(due) = self.hours.last_digest(state.now) else {
            return Ok(());
        };
        let quiet = !target.is_log() && self.hours.is_quiet(state.now);
        if state.last_digest_at >= due || state.leased || state.pause > 0.0 || quiet {
            return Ok(());
        }
        let Some(lease) = self.lease(target, Some(due)).await? else {
            return Ok(());
        };
        self.send_digest(target, &lease, due).await
    }

    async fn send_digest(
        &self,
        target: &Target,
        lease: &ChannelLease,
        due: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let store = &self.engine.store;
        let most = self.engine.config.notify.max_items;
        let limit = i32::try_from(most).unwrap_or(i32::MAX).saturating_add(1);
        let found = match store.attention(&target.name, &self.routing, limit).await {
            Ok(found) => found,
            Err(failure) => {
                let passing = Undelivered::Passing {
                    reason: format!("the digest cannot be read: {failure}"),
                    unknown: false,
                };
                return self.give_up_for_now(lease, &passing, 0).await;
            }
        };
        let Some(found) = found else {
            // Nobody's notifications go there.
            return store
                .release_channel(lease, &TurnEnd::fine(false, Some(due)))
                .await;
        };
        let digest = Outgoing::Digest {
            listed: &found[..found.len().min(most)],
            more: found.len() > most,
        };
        let sent = target.send(&self.poster, lease.digest_id, &digest).await;
        failpoint::pass("digest_posted");
        self.engine
            .metrics
            .notify
            .count_message(&target.name, outcome(&sent), 0);
        match sent {
            Ok(()) => {
                store
                    .release_channel(lease, &TurnEnd::fine(true, Some(due)))
                    .await
            }
            Err(undelivered) => self.give_up_for_now(lease, &undelivered, 0).await,
        }
    }

    async fn lease(
        &self,
        target: &Target,
        digest: Option<DateTime<Utc>>,
    ) -> Result<Option<ChannelLease>, Failure> {
        let timeout = Duration::from_secs(self.engine.config.notify.request_timeout_seconds);
        let seconds = (timeout + LEASE_MARGIN).as_secs_f64();
        self.engine
            .store
            .lease_channel(&target.name, &self.engine.owner, seconds, digest)
            .await
    }

    /// Notes the failure, tells of it once, and lets the channel rest.
    async fn give_up_for_now(
        &self,
        lease: &ChannelLease,
        undelivered: &Undelivered,
        size: i64,
    ) -> Result<(), Failure> {
        let (state, pause) = match undelivered {
            Undelivered::Limited { wait } => ("failing", *wait),
            Undelivered::Passing { .. } => ("failing", self.backoff(lease.failures)),
            Undelivered::Misconfigured { .. } => ("misconfigured", MISCONFIGURED_PAUSE),
        };
        tracing::warn!(
            channel = %lease.channel, notifications = size, pause_seconds = pause.as_secs(),
            error = %undelivered, "notifications were not delivered"
        );
        let end = TurnEnd {
            state,
            reason: Some(undelivered.to_string()),
            pause_seconds: Some(pause.as_secs_f64()),
            delivered: false,
            digest: None,
        };
        self.engine.store.release_channel(lease, &end).await
    }

    /// Doubles with each failure, with jitter, so that daemons and channels do not come back all at once.
    fn backoff(&self, failures: i32) -> Duration {
        let notify = &self.engine.config.notify;
        let doublings = u32::try_from(failures).unwrap_or(0).min(16);
        let longest = notify
            .backoff_first_seconds
            .saturating_mul(1 << doublings)
            .min(notify.backoff_cap_seconds);
        Duration::from_secs(longest).mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

fn outcome(sent: &Result<(), Undelivered>) -> &'static str {
    match sent {
        Ok(()) => "delivered",
        Err(Undelivered::Limited { .. }) => "limited",
        Err(Undelivered::Passing { .. }) => "failed",
        Err(Undelivered::Misconfigured { .. }) => "misconfigured",
    }
}

fn routing(config: &Config, targets: &BTreeMap<String, Target>) -> Routing {
    let notify = &config.notify;
    let usable = |names: &[String]| -> Vec<String> {
        let names = names.iter().filter(|name| targets.contains_key(*name));
        names.cloned().collect()
    };
    let or = |names: Vec<String>, otherwise: &[String]| {
        if names.is_empty() {
            otherwise.to_vec()
        } else {
            names
        }
    };
    let default = or(usable(&notify.default_channels), &[LOG.to_owned()]);
    let operators = or(usable(&notify.operator_channels), &default);
    Routing {
        default,
        operators,
        set_up: targets.keys().cloned().collect(),
        max_age_seconds: f64::from(notify.max_age_hours) * 3_600.0,
        min_rank: match notify.min_severity {
            Severity::Info => 1,
            Severity::Warning => 2,
            Severity::Critical => 3,
        },
    }
}
