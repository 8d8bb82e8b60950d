//! The extension's metrics, as its view `crm_health.metrics` gives them, for `/metrics`.
//!
//! Contract: read at most once a minute, whoever scrapes; where they cannot be read there are none, and a gauge says so.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::sync::Mutex;

use crate::store::Store;

/// How long a reading is good.
const FRESH: Duration = Duration::from_secs(60);

/// One sample of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name of the metric.
    pub name: String,
    /// What it means.
    pub help: String,
    /// Labels in order of their names.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

/// The last reading.
#[derive(Default)]
pub struct ExtensionMetrics(Mutex<Option<(Instant, String)>>);

impl ExtensionMetrics {
    /// The text of all samples, without the end mark.
    pub async fn render(&self, store: &Store) -> String {
        let mut kept = self.0.lock().await;
        if let Some((at, text)) = kept.as_ref()
            && at.elapsed() < FRESH
        {
            return text.clone();
        }
        let text = render(store.extension_metrics().await.ok().as_deref());
        *kept = Some((Instant::now(), text.clone()));
        text
    }
}

fn render(samples: Option<&[Sample]>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Reading(samples.unwrap_or_default().to_vec())));
    let up = ConstGauge::new(i64::from(samples.is_some()));
    registry.register(
        "crm_health_sync_extension_metrics_up",
        "1 where the extension's metrics could be read",
        up,
    );
    let mut text = String::new();
    // Writing to a String does not fail; a sample that cannot be written leaves what stands before it.
    let _ = encode_registry(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Reading(Vec<Sample>);

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut families: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
        for sample in self.0.iter().filter(|sample| is_name(&sample.name)) {
            families.entry(&sample.name).or_default().push(sample);
        }
        for (name, samples) in families {
            let help = samples[0].help.replace('\n', " ");
            let metric = encoder.encode_descriptor(
                name,
                help.trim_end_matches('.'),
                None,
                MetricType::Gauge,
            )?;
            encode_all(metric, &samples)?;
        }
        Ok(())
    }
}

fn encode_all(mut metric: MetricEncoder<'_>, samples: &[&Sample]) -> Result<(), fmt::Error> {
    if let [only] = samples
        && only.labels.is_empty()
    {
        return ConstGauge::new(only.value).encode(metric);
    }
    for sample in samples {
        let labels: Vec<(String, String)> = sample.labels.clone().into_iter().collect();
        ConstGauge::new(sample.value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

/// Ours, and one that the text format allows.
fn is_name(name: &str) -> bool {
    name.starts_with("crm_health_")
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_grouped_and_their_labels_escaped() {
        let sample = |name: &str, status: &str, value| Sample {
            name: name.to_owned(),
            help: "Scores".to_owned(),
            labels: BTreeMap::from([("status".to_owned(), status.to_owned())]),
            value,
        };
        let samples = [
            sample("crm_health_scores", "a\"b\n", 1.0),
            sample("bad name", "x", 2.0),
            sample("crm_health_scores", "ok", 3.5),
        ];
        let text = render(Some(&samples));
        assert_eq!(
            text.matches("# TYPE crm_health_scores gauge").count(),
            1,
            "{text}"
        );
        assert!(
            text.contains("crm_health_scores{status=\"a\\\"b\\n\"} 1.0"),
            "{text}"
        );
        assert!(
            text.contains("crm_health_scores{status=\"ok\"} 3.5"),
            "{text}"
        );
        assert!(!text.contains("bad name"), "{text}");
        assert!(
            text.contains("crm_health_sync_extension_metrics_up 1"),
            "{text}"
        );
        assert!(render(None).contains("crm_health_sync_extension_metrics_up 0"));
    }
}
