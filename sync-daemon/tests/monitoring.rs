//! The alert rules and the Grafana dashboard: read by promtool, made of metrics that are exported, firing when they should.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crm_health_sync::run::{Metrics, Report, RunDetails, RunError};
use crm_health_sync::store::{ChannelState, Summary};
use serde_json::{Value, json};

fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn promtool(arguments: &[&str], file: &Path) {
    let output = Command::new("promtool")
        .args(arguments)
        .arg(file)
        .output()
        .expect("promtool, which scripts/setup.sh brings: run by `make test` or scripts/test.sh");
    assert!(output.status.success(), "{output:?}");
}

fn temporary(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("crm-health-{}-{name}", std::process::id()));
    std::fs::write(&path, text).expect("a temporary file");
    path
}

fn panels() -> Vec<String> {
    let dashboard: Value =
        serde_json::from_str(&read(&deployed("grafana/crm-health.json"))).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"));
    targets
        .map(|target| target["expr"].as_str().expect("a query").to_owned())
        .collect()
}

fn waiting_channel() -> ChannelState {
    let now = chrono::Utc::now();
    ChannelState {
        name: "slack".to_owned(),
        state: "failing".to_owned(),
        reason: None,
        last_delivered_at: None,
        last_digest_at: now,
        next_attempt_at: None,
        now,
        leased: false,
        pause: 0.0,
        waiting: 2,
        critical: 0,
        age: 90_000.0,
        critical_age: 0.0,
        behind: 90_000.0,
        begun: true,
    }
}

/// Every name that /metrics can have.
fn exported() -> BTreeSet<String> {
    let metrics = Metrics::default();
    let error = RunError {
        user_id: None,
        code: "database".to_owned(),
        reason: String::new(),
    };
    let report = Report {
        success: false,
        users_processed: 0,
        emails_synced: 0,
        contacts_with_emails: 0,
        errors: vec![error],
        triggered_by: "test".to_owned(),
        timestamp: chrono::Utc::now(),
        details: RunDetails::default(),
        repeat_in: None,
    };
    metrics.count_run(&report, 1.0);
    let summary = Summary {
        mailboxes: vec![("ok".to_owned(), 1, 1.0)],
        pending: vec![("waiting".to_owned(), 1)],
        channels: vec![waiting_channel()],
        ..Summary::default()
    };
    let text = metrics.render(Some(&summary), "");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let mut names: BTreeSet<String> = samples
        .filter_map(|line| Some(line.split(['{', ' ']).next()?.to_owned()))
        .collect();
    names.insert("crm_health_sync_extension_metrics_up".to_owned());
    // The view's list of metrics; tests/tests/metrics.rs reads the view itself.
    let view = read(&deployed("../../sql/extension/metrics.sql"));
    let listed = view.lines().filter_map(|line| {
        line.trim()
            .strip_prefix("('crm_health_")?
            .split('\'')
            .next()
    });
    names.extend(listed.map(|name| format!("crm_health_{name}")));
    names
}

#[test]
fn rules_and_panels_are_promql_of_metrics_that_are_exported() {
    let rules = deployed("prometheus/crm-health.rules.yml");
    promtool(&["check", "rules"], &rules);
    let recorded: Vec<Value> = panels()
        .iter()
        .enumerate()
        .map(|(n, expr)| json!({"record": format!("panel:{n}"), "expr": expr}))
        .collect();
    let group = json!({"groups": [{"name": "panels", "rules": recorded}]});
    promtool(
        &["check", "rules"],
        &temporary("panels.json", &group.to_string()),
    );
    let exported = exported();
    let rules = read(&rules);
    let expressions = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .map(str::to_owned);
    let mut seen = 0;
    for expression in expressions.chain(panels()) {
        for word in expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            if word.starts_with("crm_health_") {
                assert!(
                    exported.contains(word),
                    "{word} of {expression} is not among {exported:#?}"
                );
                seen += 1;
            }
        }
    }
    assert!(
        seen > 20,
        "only {seen} metrics were found in the rules and panels"
    );
}

#[test]
fn alerts_fire_when_they_should_and_not_before() {
    let series = |name: &str, values: &str| json!({"series": name, "values": values});
    let alert = |name: &str, at: &str, labels: Option<Value>| json!({"eval_time": at, "alertname": name, "exp_alerts": labels.map_or(json!([]), |l| json!([{"exp_labels": l}]))});
    let severity = |s: &str| json!({"severity": s});
    let reconnect = json!({"severity": "warning", "state": "reconnect_required"});
    let waiting = json!({"severity": "warning", "channel": "slack"});
    let tests = json!({"rule_files": [deployed("prometheus/crm-health.rules.yml")], "evaluation_interval": "1m", "tests": [{
        "interval": "1m",
        "input_series": [
            // The 26 hours are over at the 40th minute.
            series("crm_health_last_success_age_seconds", "91200+60x120"),
            series("crm_health_sync_mailboxes{state=\"reconnect_required\"}", "0x9 2x200"),
            series("crm_health_score_tables_usable", "1x200"),
            series("crm_health_last_run_errors", "0x200"),
            // As after a restart: the classes are there, and one is met.
            series("crm_health_sync_errors_total{class=\"project_quota\"}", "0x59 1x200"),
            series("crm_health_sync_last_success_timestamp_seconds", "0x2000"),
            series("crm_health_sync_database_up{instance=\"a\"}", "1x20 0x30 1x200"),
            series("crm_health_sync_extension_metrics_up{instance=\"a\"}", "1x20 0x200"),
            // The 24 hours are over at the 144th minute.
            series("crm_health_sync_notifications_oldest_waiting_seconds{channel=\"slack\"}", "0+600x200"),
        ],
        "promql_expr_test": [],
        "alert_rule_test": [
            alert("CrmHealthRefreshOverdue", "39m", None),
            alert("CrmHealthRefreshOverdue", "50m", Some(severity("critical"))),
            alert("CrmHealthMailboxReconnect", "60m", None),
            alert("CrmHealthMailboxReconnect", "80m", Some(reconnect)),
            alert("CrmHealthScoresUnusable", "80m", None),
            alert("CrmHealthRefreshErrors", "80m", None),
            alert("CrmHealthSyncQuotaExhausted", "59m", None),
            alert("CrmHealthSyncQuotaExhausted", "62m", Some(json!({"severity": "warning", "class": "project_quota"}))),
            alert("CrmHealthSyncNeverSucceeded", "1559m", None),
            alert("CrmHealthSyncNeverSucceeded", "1561m", Some(severity("critical"))),
            alert("CrmHealthSyncOverdue", "1900m", None),
            alert("CrmHealthDatabaseAway", "30m", None),
            alert("CrmHealthDatabaseAway", "40m", Some(json!({"severity": "critical", "instance": "a"}))),
            alert("CrmHealthDatabaseAway", "52m", None),
            // While the database is away, that alone is told.
            alert("CrmHealthExtensionMetricsUnreadable", "50m", None),
            alert("CrmHealthExtensionMetricsUnreadable", "70m", Some(json!({"severity": "warning", "instance": "a"}))),
            alert("CrmHealthNotificationsWaiting", "150m", None),
            alert("CrmHealthNotificationsWaiting", "170m", Some(waiting)),
        ],
    }]});
    let mut text = tests.to_string();
    // What is said is for people: the test looks at the labels alone.
    let rules = read(&deployed("prometheus/crm-health.rules.yml"));
    let bare: Vec<&str> = rules
        .lines()
        .filter(|l| {
            !["annotations:", "summary:", "description:"]
                .iter()
                .any(|a| l.trim().starts_with(a))
        })
        .collect();
    let bare = temporary("bare.rules.yml", &bare.join("\n"));
    text = text.replace(
        &deployed("prometheus/crm-health.rules.yml")
            .display()
            .to_string(),
        &bare.display().to_string(),
    );
    promtool(&["test", "rules"], &temporary("rules-test.json", &text));
}
