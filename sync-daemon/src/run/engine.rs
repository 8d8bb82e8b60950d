//! The engine: everything that lives as long as a configuration, and the loop of a run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::explain;
use super::report::Tally;
use super::worker::{Worked, work};
use super::{Metrics, Report, RunError, RunKind, RunRequest};
use crate::anthropic::Anthropic;
use crate::config::Config;
use crate::failure::Failure;
use crate::gmail::GmailClient;
use crate::mailbox::Step;
use crate::oauth::cipher::Cipher;
use crate::pulse::Pulse;
use crate::quota::ProjectQuota;
use crate::store::{ClaimRequest, Claimed, Due, Purpose, Store};

/// What the database has at the start of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abilities {
    /// The extension, to link replies and to score.
    pub(super) has_extension: bool,
    /// Places for what models find in mail.
    pub(super) keeps_mood: bool,
}

struct Start {
    /// By the database's clock.
    instant: chrono::DateTime<chrono::Utc>,
    abilities: Abilities,
    /// Mailboxes whose integrations are out of sight, all of them.
    hidden: i64,
}

/// Everything that a run needs.
pub struct Engine {
    /// Settings.
    pub config: Arc<Config>,
    /// The database.
    pub store: Store,
    /// The pool of connections to Google.
    pub client: GmailClient,
    /// Keys for tokens at rest.
    pub cipher: Arc<Cipher>,
    /// The language model that reads mail, where a key is configured.
    pub reader: Option<Anthropic>,
    /// The project's quota.
    pub project: Arc<ProjectQuota>,
    /// Signs of life.
    pub pulse: Arc<Pulse>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// Name of this daemon in leases and logs.
    pub owner: String,
}

/// How often a run looks whether a backfill gave a mailbox back.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A shift of a backfill lasts less than this, where all is well.
const WAIT_FOR_SHIFT: Duration = Duration::from_secs(120);

/// What a run shows while it goes on.
pub type OnStep = Arc<dyn Fn(&Step) + Send + Sync>;

impl Engine {
    /// Prepares an engine; nothing is connected yet.
    ///
    /// # Errors
    /// No usable database URL, token key or TLS set-up.
    pub fn new(
        config: Arc<Config>,
        pulse: Arc<Pulse>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Failure> {
        let store = Store::new(&config)?;
        let client = GmailClient::new(&config.google)
            .map_err(|e| Failure::Configuration(format!("TLS: {e}")))?;
        let cipher = Cipher::new(config.secrets.token_key.as_ref())
            .map_err(|e| Failure::Configuration(e.to_string()))?;
        let project = Arc::new(ProjectQuota::new(
            store.clone(),
            &config,
            metrics.quota_units.clone(),
        ));
        let reader = Anthropic::new(&config, store.clone(), Arc::clone(&metrics))
            .map_err(Failure::Configuration)?;
        let owner = format!(
            "{}:{}:{:08x}",
            host_name(),
            std::process::id(),
            rand::random::<u32>()
        );
        Ok(Self {
            config,
            store,
            client,
            cipher: Arc::new(cipher),
            reader,
            project,
            pulse,
            metrics,
            owner,
        })
    }

    /// Runs until no mailbox is due, or `stop`: then batches in flight are finished and leases given back.
    pub async fn run(
        self: &Arc<Self>,
        request: &RunRequest,
        stop: &CancellationToken,
        on_step: OnStep,
    ) -> Report {
        let clock = Instant::now();
        let mut tally = Tally::default();
        let started = tokio::select! {
            started = self.start(request) => started,
            // Nothing is in flight yet, and the database may be away for long.
            () = stop.cancelled() => Err(Failure::Interrupted),
        };
        let started = match started {
            Ok(started) => Some(started),
            Err(failure) => {
                tally.errors.push(RunError::new(None, &failure));
                tally.cut_short(self.repeat_after());
                None
            }
        };
        if let Some(start) = &started {
            // Told with each run that is asked for or due, not with each look in between.
            if start.hidden > 0 && request.kind != RunKind::Retry {
                tally
                    .errors
                    .push(explain::integrations_hidden(start.hidden));
                tally.cut_short(self.repeat_after());
            }
            self.work_through(
                request,
                start.instant,
                start.abilities,
                stop,
                on_step,
                &mut tally,
            )
            .await;
            self.project.return_unused().await;
        }
        let worth_logging = request.kind != RunKind::Retry || !tally.is_empty();
        let report = tally.report(&request.triggered_by, chrono::Utc::now());
        if worth_logging {
            self.metrics
                .count_run(&report, clock.elapsed().as_secs_f64());
            self.log(&report, started.map(|start| start.instant)).await;
        }
        report
    }

    async fn start(&self, request: &RunRequest) -> Result<Start, Failure> {
        let ensured = self.store.ensure_mailboxes(request.users.as_deref());
        let (hidden, now, has_extension, keeps_mood, ()) = tokio::try_join!(
            ensured,
            self.store.now(),
            self.store.has_extension(),
            self.store.keeps_mood(&self.config),
            self.store.learn_event_types()
        )?;
        if self.config.sentiment.enabled && !keeps_mood {
            tracing::warn!(
                "communication_events has no place for the mood of mail, which is not read: see check-config"
            );
        }
        let abilities = Abilities {
            has_extension,
            keeps_mood,
        };
        Ok(Start {
            instant: now,
            abilities,
            hidden,
        })
    }

    async fn work_through(
        self: &Arc<Self>,
        request: &RunRequest,
        started: chrono::DateTime<chrono::Utc>,
        abilities: Abilities,
        stop: &CancellationToken,
        on_step: OnStep,
        tally: &mut Tally,
    ) {
        let run_stop = stop.child_token();
        let mut at_work: JoinSet<Worked> = JoinSet::new();
        let (mut wrote_without_extension, mut left_out) = (false, false);
        let mut waited = Duration::ZERO;
        loop {
            let free = self
                .config
                .sync
                .concurrent_mailboxes
                .saturating_sub(at_work.len());
            let claimed = if run_stop.is_cancelled() {
                left_out |= free > 0;
                Vec::new()
            } else {
                self.claim(request, started, free)
                    .await
                    .unwrap_or_else(|failure| {
                        tally.errors.push(RunError::new(None, &failure));
                        tally.cut_short(self.repeat_after());
                        run_stop.cancel();
                        Vec::new()
                    })
            };
            for mailbox in claimed {
                let engine = Arc::clone(self);
                let stop = run_stop.clone();
                let (request, on_step) = (request.clone(), on_step.clone());
                at_work.spawn(async move {
                    work(&engine, mailbox, &request, abilities, stop, on_step).await
                });
            }
            match at_work.join_next().await {
                Some(Ok(worked)) => {
                    wrote_without_extension |=
                        !abilities.has_extension && worked.progress.events > 0;
                    self.take_in(worked, &run_stop, stop, tally);
                }
                Some(Err(_)) => {
                    tally.errors.push(explain::broken_off());
                    tally.cut_short(self.repeat_after());
                }
                None if self.backfill_in_the_way(request, started, &run_stop).await => {
                    if waited >= WAIT_FOR_SHIFT {
                        tracing::warn!(
                            "a backfill keeps mailboxes from the run, which ends without them"
                        );
                        tally.cut_short(self.repeat_after());
                        break;
                    }
                    self.pulse.wait(LOOK_EVERY, &run_stop).await;
                    waited += LOOK_EVERY;
                }
                None => break,
            }
        }
        if left_out && stop.is_cancelled() && !tally.has("interrupted") {
            tally
                .errors
                .push(RunError::new(None, &Failure::Interrupted));
        }
        if wrote_without_extension && self.config.sync.refresh_scores {
            // Missing scores are one error of the run, not one of each user.
            tally.errors.push(explain::extension_missing());
        }
        self.explain_unclaimed(request, started, tally).await;
    }

    pub(super) fn repeat_after(&self) -> Duration {
        Duration::from_secs(self.config.sync.repeat_after_seconds)
    }

    async fn claim(
        &self,
        request: &RunRequest,
        started: chrono::DateTime<chrono::Utc>,
        free: usize,
    ) -> Result<Vec<Claimed>, Failure> {
        if free == 0 {
            return Ok(Vec::new());
        }
        let purpose = match request.kind {
            RunKind::Backfill => Purpose::Backfill,
            _ => Purpose::Sync,
        };
        let due = request
            .kind
            .finished_before(started)
            .map_or(Due::Retry, Due::FinishedBefore);
        let request = ClaimRequest {
            owner: &self.owner,
            purpose,
            due,
            users: request.users.as_deref(),
            limit: i64::try_from(free).unwrap_or(i64::MAX),
        };
        self.store.claim(&request).await
    }

    fn take_in(
        &self,
        worked: Worked,
        run_stop: &CancellationToken,
        stop: &CancellationToken,
        tally: &mut Tally,
    ) {
        for error in worked.errors {
            // When the run was stopped for one reason, that reason is told, once.
            let echo = run_stop.is_cancelled() && !stop.is_cancelled();
            let known =
                error.user_id.is_none() && tally.errors.iter().any(|e| e.code == error.code);
            if !(echo && error.code == "interrupted" || known) {
                tally.errors.push(error);
            }
        }
        if let Some(repeat_in) = worked.stops_run {
            tally.cut_short(repeat_in);
            run_stop.cancel();
        }
        tally.details.deals_refreshed += worked.refreshed.deals;
        tally.details.relationships_refreshed += worked.refreshed.relationships;
        tally.details.users_refreshed += i64::from(worked.was_refreshed);
        tally.add(worked.user_id, worked.progress);
    }

    /// Live mail waits for a backfill's shift to end, or for the next one to begin, rather than be left out of the run.
    async fn backfill_in_the_way(
        &self,
        request: &RunRequest,
        started: chrono::DateTime<chrono::Utc>,
        stop: &CancellationToken,
    ) -> bool {
        let Some(since) = request.kind.finished_before(started) else {
            return false;
        };
        !stop.is_cancelled()
            && self
                .store
                .busy_with_backfill(since, request.users.as_deref())
                .await
                .unwrap_or(0)
                > 0
    }

    async fn log(&self, report: &Report, started: Option<chrono::DateTime<chrono::Utc>>) {
        tracing::info!(
            trigger = %report.triggered_by, users = report.users_processed,
            emails = report.emails_synced, errors = report.errors.len(), "run finished"
        );
        let Some(started) = started else { return };
        let Ok(json) = serde_json::to_value(report) else {
            return;
        };
        let logged = self
            .store
            .finish_run(&self.owner, &report.triggered_by, started, &json)
            .await;
        if let Err(error) = logged {
            tracing::warn!(%error, "the run could not be logged");
        }
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name.chars().take(64).collect()
    }
}
