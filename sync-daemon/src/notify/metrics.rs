//! Metrics of notifications.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::store::ChannelState;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    channel: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Channel {
    channel: String,
}

type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// Counters of this daemon.
#[derive(Default)]
pub(crate) struct NotifyMetrics {
    notifications: Family<Outcome, Counter>,
    messages: Family<Outcome, Counter>,
}

impl NotifyMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "notifications",
            "Notifications delivered, failed to be (once for each try) or expired, by channel",
            self.notifications.clone(),
        );
        registry.register(
            "messages_sent",
            "Messages with notifications or digests, by channel and outcome",
            self.messages.clone(),
        );
    }

    pub(super) fn count_message(&self, channel: &str, outcome: &'static str, size: i64) {
        let labels = Outcome {
            channel: channel.to_owned(),
            outcome,
        };
        self.messages.get_or_create(&labels).inc();
        let size = u64::try_from(size).unwrap_or_default();
        self.notifications.get_or_create(&labels).inc_by(size);
    }

    pub(super) fn count_expired(&self, channel: &str) {
        let labels = Outcome {
            channel: channel.to_owned(),
            outcome: "expired",
        };
        self.notifications.get_or_create(&labels).inc();
    }
}

/// What the database says of the channels.
pub(crate) fn register_gauges(registry: &mut Registry, channels: &[ChannelState]) {
    let waiting = Family::<Channel, Gauge>::default();
    let oldest = Family::<Channel, Seconds>::default();
    for state in channels {
        let channel = state.name.clone();
        let labels = Channel { channel };
        waiting.get_or_create(&labels).set(state.waiting);
        oldest.get_or_create(&labels).set(state.behind);
    }
    registry.register(
        "notifications_waiting",
        "Notifications that wait to be delivered, by channel",
        waiting,
    );
    registry.register_with_unit(
        "notifications_oldest_waiting",
        "Age of the oldest notification that waits, by channel",
        Unit::Seconds,
        oldest,
    );
}
