//! Prometheus metrics.

use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::{ExtensionMetrics, Report, explain, gauges};
use crate::anthropic::Usage;
use crate::failure::Failure;
use crate::notify::NotifyMetrics;
use crate::sentiment::ReadingCounts;
use crate::store::Summary;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RunLabels {
    trigger: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Class {
    class: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReadingLabels {
    model: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MessageOutcome {
    outcome: &'static str,
}

/// All metrics of the daemon.
pub struct Metrics {
    registry: Registry,
    /// Those of the extension, read now and then.
    pub extension: ExtensionMetrics,
    runs: Family<RunLabels, Counter>,
    messages: Family<MessageOutcome, Counter>,
    errors: Family<Class, Counter>,
    /// Gmail's quota units spent.
    pub quota_units: Counter,
    run_seconds: Histogram,
    mailbox_seconds: Histogram,
    readings: Family<ReadingLabels, Counter>,
    tokens: Family<Direction, Counter>,
    model_stops: Family<Class, Counter>,
    /// When a run of this process last succeeded (epoch); 0: never.
    last_success: AtomicI64,
    pub(crate) notify: NotifyMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.05, 2.0, 16));
        let mut metrics = Self {
            registry: Registry::with_prefix("crm_health_sync"),
            extension: ExtensionMetrics::default(),
            runs: Family::default(),
            messages: Family::default(),
            errors: Family::default(),
            quota_units: Counter::default(),
            run_seconds: seconds(),
            mailbox_seconds: seconds(),
            readings: Family::default(),
            tokens: Family::default(),
            model_stops: Family::default(),
            last_success: AtomicI64::new(0),
            notify: NotifyMetrics::default(),
        };
        metrics.register();
        metrics.begin_at_zero();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("runs", "Finished runs", self.runs.clone());
        r.register(
            "messages",
            "Messages dealt with, by outcome",
            self.messages.clone(),
        );
        r.register(
            "errors",
            "Errors of mailboxes and runs, by class",
            self.errors.clone(),
        );
        r.register(
            "quota_units",
            "Gmail quota units spent",
            self.quota_units.clone(),
        );
        let unit = || Unit::Seconds;
        r.register_with_unit(
            "run_duration",
            "Duration of a run",
            unit(),
            self.run_seconds.clone(),
        );
        r.register_with_unit(
            "mailbox_duration",
            "Duration of one mailbox's sync",
            unit(),
            self.mailbox_seconds.clone(),
        );
        r.register(
            "sentiment_mails",
            "Mails read for their mood, by model and outcome",
            self.readings.clone(),
        );
        r.register(
            "sentiment_tokens",
            "Tokens of the language model that reads mail",
            self.tokens.clone(),
        );
        r.register(
            "sentiment_stops",
            "How often reading by the language model was stopped for a while, by reason",
            self.model_stops.clone(),
        );
        self.notify.register(r);
    }

    /// Classes that alerts look at are there from the start: `increase()` does not see the sample with which one appears.
    fn begin_at_zero(&self) {
        for code in Failure::CODES.iter().copied().chain(explain::CODES) {
            let class = code.to_owned();
            drop(self.errors.get_or_create(&Class { class }));
        }
    }

    /// Counts a finished run.
    pub fn count_run(&self, report: &Report, seconds: f64) {
        let outcome = if report.success { "success" } else { "errors" };
        let trigger = report.triggered_by.clone();
        self.runs
            .get_or_create(&RunLabels { trigger, outcome })
            .inc();
        self.run_seconds.observe(seconds);
        for error in &report.errors {
            self.errors
                .get_or_create(&Class {
                    class: error.code.clone(),
                })
                .inc();
        }
        if report.success {
            self.last_success
                .store(report.timestamp.timestamp(), Ordering::Relaxed);
        }
        let d = &report.details;
        for (outcome, count) in [
            (
                "matched",
                d.messages_seen
                    - d.messages_unmatched
                    - d.messages_skipped
                    - d.messages_gone
                    - d.messages_poison,
            ),
            ("unmatched", d.messages_unmatched),
            ("skipped", d.messages_skipped),
            ("gone", d.messages_gone),
            ("poison", d.messages_poison),
        ] {
            let count = u64::try_from(count).unwrap_or_default();
            self.messages
                .get_or_create(&MessageOutcome { outcome })
                .inc_by(count);
        }
    }

    /// Counts mails that a model read.
    pub fn count_readings(&self, model: &str, counts: &ReadingCounts) {
        for (outcome, count) in counts.by_outcome() {
            let model = model.to_owned();
            self.readings
                .get_or_create(&ReadingLabels { model, outcome })
                .inc_by(count);
        }
    }

    /// Counts tokens of the language model.
    pub fn count_tokens(&self, usage: Usage) {
        for (direction, tokens) in [
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
        ] {
            self.tokens
                .get_or_create(&Direction { direction })
                .inc_by(tokens);
        }
    }

    /// Counts that the language model is not asked for a while.
    pub fn count_model_stop(&self, code: &str) {
        let class = code.to_owned();
        self.model_stops.get_or_create(&Class { class }).inc();
    }

    /// Notes the time of one mailbox.
    pub fn count_mailbox(&self, seconds: f64) {
        self.mailbox_seconds.observe(seconds);
    }

    /// The text format, with the gauges of what the database gave. `extension`: the text of the extension's metrics.
    #[must_use]
    pub fn render(&self, summary: Option<&Summary>, extension: &str) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode_registry(&mut text, &self.registry);
        let last_success = Some(self.last_success.load(Ordering::Relaxed)).filter(|at| *at > 0);
        text.push_str(&gauges::render(summary, last_success));
        text.push_str(extension);
        let _ = encode_eof(&mut text);
        text
    }
}
