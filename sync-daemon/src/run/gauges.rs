//! Gauges of what the database has: made anew for each scrape, so that none outlives what it tells of.
//!
//! Contract: where the database does not answer they are missing, and `crm_health_sync_database_up` is 0.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use crate::store::Summary;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct State {
    state: String,
}

/// The text of all gauges, without the end mark. `last_success`: the newest that this process knows of (epoch).
pub(super) fn render(summary: Option<&Summary>, last_success: Option<i64>) -> String {
    let mut registry = Registry::with_prefix("crm_health_sync");
    registry.register(
        "database_up",
        "1 where the database gave the figures of this scrape",
        ConstGauge::new(i64::from(summary.is_some())),
    );
    if let Some(summary) = summary {
        register(&mut registry, summary);
    }
    // 0 says that there never was one, which only the database knows.
    let logged = summary.map(|summary| summary.last_success.unwrap_or(0));
    if let Some(at) = last_success.max(logged) {
        registry.register_with_unit(
            "last_success_timestamp",
            "When a run last ended without errors (epoch), whichever daemon did it; 0: never",
            Unit::Seconds,
            ConstGauge::new(at),
        );
    }
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = encode_registry(&mut text, &registry);
    text
}

fn register(registry: &mut Registry, summary: &Summary) {
    let mailboxes = summary.mailboxes.iter();
    registry.register(
        "mailboxes",
        "Mailboxes by state",
        by_state(mailboxes.map(|(state, count, _)| (state, *count))),
    );
    let pending = summary.pending.iter();
    registry.register(
        "ledger_messages",
        "Messages in the ledger by state",
        by_state(pending.map(|(state, count)| (state, *count))),
    );
    let lags = summary.mailboxes.iter().map(|(.., seconds)| *seconds);
    registry.register_with_unit(
        "lag",
        "Longest time since a good sync of an active mailbox; since it was known where there was none",
        Unit::Seconds,
        ConstGauge::new(lags.fold(0.0, f64::max)),
    );
    registry.register(
        "sentiment_cost_today_usd",
        "What the language model cost today (UTC), over all daemons",
        ConstGauge::new(summary.model_cost_usd),
    );
    crate::notify::register_gauges(registry, &summary.channels);
}

fn by_state<'a>(counts: impl Iterator<Item = (&'a String, i64)>) -> Family<State, Gauge> {
    let family = Family::<State, Gauge>::default();
    for (state, count) in counts {
        let state = state.clone();
        family.get_or_create(&State { state }).set(count);
    }
    family
}
