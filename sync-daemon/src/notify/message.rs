//! What is said of notifications, in words of our own.

use std::collections::BTreeMap;

use crate::config::Severity;
use crate::store::{Attention, Batch};

/// What goes out in one message.
pub(super) enum Outgoing<'a> {
    /// Notifications.
    Batch(&'a Batch),
    /// What needs attention; `more`: beyond those listed.
    Digest { listed: &'a [Attention], more: bool },
    /// A trial of the channel.
    Test,
}

/// In a line: how many of each severity.
pub(super) fn headline(batch: &Batch) -> String {
    let mut by_severity: BTreeMap<Severity, i64> = BTreeMap::new();
    for count in &batch.counts {
        *by_severity
            .entry(Severity::named(&count.severity))
            .or_default() += count.count;
    }
    let parts: Vec<String> = by_severity
        .iter()
        .rev()
        .map(|(severity, count)| match severity {
            Severity::Critical => format!("{count} critical"),
            Severity::Warning if *count == 1 => "1 warning".to_owned(),
            Severity::Warning => format!("{count} warnings"),
            Severity::Info => format!("{count} for information"),
        })
        .collect();
    format!("crm_health: {}", parts.join(", "))
}

/// What is in the message beyond the first `told` items, by kind; `None`: nothing.
pub(super) fn and_more(batch: &Batch, told: usize) -> Option<String> {
    let mut left: BTreeMap<&str, i64> = BTreeMap::new();
    for count in &batch.counts {
        *left.entry(&count.kind).or_default() += count.count;
    }
    for item in batch.items.iter().take(told) {
        *left.entry(&item.kind).or_default() -= 1;
    }
    left.retain(|_, count| *count > 0);
    let total: i64 = left.values().sum();
    let kinds: Vec<String> = left
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind_in_words(kind)))
        .collect();
    (total > 0).then(|| format!("and {total} more: {}", kinds.join(", ")))
}

/// A mark that is seen before anything is read.
pub(super) fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
        Severity::Info => "🔵",
    }
}

/// The mark of a status of deals or contacts.
pub(super) fn mark_of_status(status: &str) -> &'static str {
    match status {
        "critical" | "stalled" | "ghost" => "🔴",
        "healthy" => "🟢",
        _ => "🟠",
    }
}

fn kind_in_words(kind: &str) -> &str {
    match kind {
        "deal_status" => "on deals that changed",
        "relationship_status" => "on contacts that changed",
        "alert_raised" => "alerts",
        "mailbox_reconnect" => "mailboxes to reconnect",
        "run_failed" => "failed runs",
        other => other,
    }
}
