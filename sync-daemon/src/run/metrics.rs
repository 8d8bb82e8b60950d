//! Prometheus metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::{ExtensionMetrics, Report};
use crate::anthropic::Usage;
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
struct State {
    state: String,
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
    units: Counter,
    run_seconds: Histogram,
    mailbox_seconds: Histogram,
    readings: Family<ReadingLabels, Counter>,
    tokens: Family<Direction, Counter>,
    model_stops: Family<Class, Counter>,
    model_cost: Gauge<f64, std::sync::atomic::AtomicU64>,
    mailboxes: Family<State, Gauge>,
    pending: Family<State, Gauge>,
    lag: Gauge<f64, std::sync::atomic::AtomicU64>,
    last_success: Gauge,
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
            units: Counter::default(),
            run_seconds: seconds(),
            mailbox_seconds: seconds(),
            readings: Family::default(),
            tokens: Family::default(),
            model_stops: Family::default(),
            model_cost: Gauge::default(),
            mailboxes: Family::default(),
            pending: Family::default(),
            lag: Gauge::default(),
            last_success: Gauge::default(),
            notify: NotifyMetrics::default(),
        };
        metrics.register();
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
        r.register("quota_units", "Gmail quota units spent", self.units.clone());
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
        r.register(
            "sentiment_cost_today_usd",
            "What the language model cost today (UTC), over all daemons",
            self.model_cost.clone(),
        );
        r.register("mailboxes", "Mailboxes by state", self.mailboxes.clone());
        r.register(
            "ledger_messages",
            "Messages in the ledger by state",
            self.pending.clone(),
        );
        r.register_with_unit(
            "lag",
            "Longest time since a good sync of an active mailbox",
            unit(),
            self.lag.clone(),
        );
        r.register_with_unit(
            "last_success_timestamp",
            "When a run last ended without errors (epoch)",
            unit(),
            self.last_success.clone(),
        );
        self.notify.register(r);
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
            self.last_success.set(report.timestamp.timestamp());
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

    /// The text format, with fresh gauges where the database gave them. `extension`: the text of the extension's metrics.
    #[must_use]
    pub fn render(&self, summary: Option<&Summary>, units_spent: u64, extension: &str) -> String {
        let counted = self.units.get();
        self.units.inc_by(units_spent.saturating_sub(counted));
        if let Some(summary) = summary {
            self.set_gauges(summary);
        }
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode_registry(&mut text, &self.registry);
        text.push_str(extension);
        let _ = encode_eof(&mut text);
        text
    }

    fn set_gauges(&self, summary: &Summary) {
        self.mailboxes.clear();
        self.pending.clear();
        let mut lag = 0.0_f64;
        for (state, count, seconds) in &summary.mailboxes {
            self.mailboxes
                .get_or_create(&State {
                    state: state.clone(),
                })
                .set(*count);
            lag = lag.max(*seconds);
        }
        for (state, count) in &summary.pending {
            self.pending
                .get_or_create(&State {
                    state: state.clone(),
                })
                .set(*count);
        }
        self.lag.set(lag);
        self.model_cost.set(summary.model_cost_usd);
        self.notify.set_gauges(&summary.channels);
    }
}
