//! Channels of notifications: what `check-config` says of them, and what `status` shows.

use std::collections::BTreeMap;

use super::show::{print_columns, time};
use crate::config::{Config, variables};
use crate::notify::{Poster, Target, Undelivered};
use crate::run::Engine;
use crate::store::{ChannelState, Finding};

const TITLES: [&str; 7] = [
    "CHANNEL",
    "STATE",
    "WAITING",
    "OLDEST",
    "LAST DELIVERED",
    "NEXT ATTEMPT",
    "REASON",
];

/// Channels named by settings that lead nowhere.
pub(super) fn check_settings(config: &Config) -> Vec<Finding> {
    let notify = &config.notify;
    if !notify.enabled {
        return Vec::new();
    }
    // The two that are always declared are set up by who wants them.
    let shipped = ["slack", "webhook"];
    notify
        .channels
        .keys()
        .filter(|name| {
            !shipped.contains(&name.as_str()) && !config.secrets.channels.contains_key(*name)
        })
        .map(|name| Finding {
            problem: format!(
                "channel {name} has no URL: its notifications go to the default channels or the log"
            ),
            mend: format!(
                "set {} or {0}_FILE, or drop [notify.channels.{name}]",
                variables(name).0
            ),
        })
        .collect()
}

/// What the database knows of channels: routes to nowhere, ends that refuse.
pub(super) async fn check_state(engine: &Engine) -> Vec<Finding> {
    let targets = Target::all(&engine.config);
    let names: Vec<String> = targets.keys().cloned().collect();
    let (Ok(unknown), Ok(states)) = (
        engine.store.unknown_routes(&names).await,
        engine.store.channel_states().await,
    ) else {
        // What is wrong with the tables is found elsewhere.
        return Vec::new();
    };
    let routes = unknown.into_iter().map(|name| Finding {
        problem: format!("crm_health_sync.routes leads to channel {name}, which is not set up here: the log gets it"),
        mend: format!("set up [notify.channels.{name}] and {}, or change the routes", variables(&name).0),
    });
    let refused = states
        .into_iter()
        .filter(|s| s.state == "misconfigured" && targets.contains_key(&s.name))
        .map(|s| Finding {
            problem: format!(
                "channel {} refuses notifications, {} wait",
                s.name, s.waiting
            ),
            mend: format!(
                "{}; then restart the service, and try: crm-health-sync check-config --send-test",
                s.reason.unwrap_or_default()
            ),
        });
    routes.chain(refused).collect()
}

/// Sends a test message to each channel; says where it went.
pub(super) async fn send_tests(config: &Config) -> Vec<Finding> {
    let poster = match Poster::new(&config.notify) {
        Ok(poster) => poster,
        Err(error) => {
            return vec![Finding {
                problem: format!("TLS: {error}"),
                mend: "install the package ca-certificates".to_owned(),
            }];
        }
    };
    let mut findings = Vec::new();
    for target in Target::all(config).values().filter(|t| !t.is_log()) {
        let host = config.secrets.channels.get(&target.name).map(|s| s.host());
        match target.test(&poster).await {
            Ok(()) => println!(
                "sent a test to channel {} ({})",
                target.name,
                host.unwrap_or_default()
            ),
            Err(error) => findings.push(refused(&target.name, &error)),
        }
    }
    findings
}

fn refused(channel: &str, error: &Undelivered) -> Finding {
    let (reason, mend) = match error {
        Undelivered::Misconfigured { reason, mend } => (reason.clone(), (*mend).to_owned()),
        other => (
            other.to_string(),
            "check the URL and the way out of this network; try again later".to_owned(),
        ),
    };
    Finding {
        problem: format!("channel {channel}: {reason}"),
        mend,
    }
}

/// All channels, those that this configuration has not set up too: something may wait there.
pub(super) fn print(states: &[ChannelState], config: &Config) {
    let targets: BTreeMap<String, Target> = Target::all(config);
    let row = |s: &ChannelState| {
        let state = if targets.contains_key(&s.name) {
            s.state.as_str()
        } else {
            "not set up"
        };
        [
            s.name.clone(),
            state.to_owned(),
            s.waiting.to_string(),
            if s.waiting == 0 {
                "-".to_owned()
            } else {
                format!("{} min", (s.behind / 60.0).round())
            },
            time(s.last_delivered_at),
            time(s.next_attempt_at),
            s.reason.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    print_columns(TITLES, states.iter().map(row));
}
