//! What runs by itself: the schedule, each time once, and in between the retries.
//!
//! Contract: a scheduled run that was cut short is not done. It is repeated after a time, and at once when the
//! configuration was reloaded; mailboxes that had their turn are not due again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rand::Rng;
use tokio_util::sync::CancellationToken;

use super::{Runner, Schedule};
use crate::run::{Engine, RunKind, RunRequest};

/// How often mailboxes are looked for whose pause is over or whose daemon died.
const RETRY_EVERY: Duration = Duration::from_secs(30);

/// Nothing is tried before its end: the last run was cut short by what does not mend itself at once.
struct Hold {
    /// A reloaded configuration ends it.
    engine: Arc<Engine>,
    /// So does the next time of the schedule.
    due: Option<DateTime<Utc>>,
    until: Instant,
}

struct Timetable {
    /// The last time of the schedule whose run came to its end.
    // What was missed while nothing ran is made up for: mailboxes synced since are not due.
    done: Option<DateTime<Utc>>,
    /// When the run of a time of the schedule may start.
    delay: Option<(DateTime<Utc>, Instant)>,
    retried: Instant,
    hold: Option<Hold>,
}

/// Starts what is due, one run after the other.
pub(super) async fn keep_schedule(runner: Arc<Runner>, stop: CancellationToken) {
    let mut table = Timetable {
        done: None,
        delay: None,
        retried: Instant::now(),
        hold: None,
    };
    while !stop.is_cancelled() {
        // A run that is on may be another kind: joining it would not be enough.
        if !runner.is_busy().await {
            let engine = runner.engine();
            engine.pulse.beat();
            let due = last_due(&engine);
            if let Some(kind) = table.next(&engine, due) {
                table.run(&runner, engine, due, kind).await;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Timetable {
    /// What is to be started now.
    fn next(&mut self, engine: &Arc<Engine>, due: Option<DateTime<Utc>>) -> Option<RunKind> {
        let now = Instant::now();
        self.hold.take_if(|hold| {
            hold.until <= now || hold.due != due || !Arc::ptr_eq(&hold.engine, engine)
        });
        if self.hold.is_some() {
            return None;
        }
        if let Some(tick) = due.filter(|_| due != self.done) {
            let at = match self.delay {
                Some((known, at)) if known == tick => at,
                _ => now + jitter(engine),
            };
            self.delay = Some((tick, at));
            return (now >= at).then_some(RunKind::Since(tick));
        }
        (self.retried.elapsed() >= RETRY_EVERY).then_some(RunKind::Retry)
    }

    async fn run(
        &mut self,
        runner: &Arc<Runner>,
        engine: Arc<Engine>,
        due: Option<DateTime<Utc>>,
        kind: RunKind,
    ) {
        let scheduled = kind != RunKind::Retry;
        let request = RunRequest {
            triggered_by: if scheduled { "schedule" } else { "retry" }.to_owned(),
            kind,
            users: None,
            since: None,
        };
        let report = runner.sync(request).await;
        self.retried = Instant::now();
        // No report: the run broke off, or the process is going down.
        let repeat_in = report.map_or(Some(RETRY_EVERY), |report| report.repeat_in);
        if let Some(wait) = repeat_in {
            tracing::info!(
                seconds = wait.as_secs(),
                "the run was cut short: it is repeated after this time, or at a reload"
            );
            let until = Instant::now() + wait;
            self.hold = Some(Hold { engine, due, until });
        } else if scheduled {
            self.done = due;
        }
    }
}

fn last_due(engine: &Engine) -> Option<DateTime<Utc>> {
    Schedule::parse(&engine.config.sync.schedule)
        .ok()?
        .last(Utc::now())
}

fn jitter(engine: &Engine) -> Duration {
    let longest = engine.config.sync.jitter_seconds as f64;
    Duration::from_secs_f64(longest * rand::rng().random::<f64>())
}
