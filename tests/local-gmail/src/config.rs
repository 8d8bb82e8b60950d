//! How a local Gmail is set up. Everything here can be given before the start; latency and quota
//! can also be changed while it runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The settings of one server. `Config::default()` listens on a free port of 127.0.0.1, answers at
/// once and has no quota limits; requests are then checked only if `discovery` is set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The one OAuth client that the token endpoint knows.
    pub client_id: String,
    /// That client's secret.
    pub client_secret: String,
    /// Google's API description (`gmail.v1.json`); with it every request and answer is checked.
    pub discovery: Option<PathBuf>,
    /// Artificial waiting.
    pub latency: Latency,
    /// Costs and limits.
    pub quota: Quota,
    /// Life of an access token, in seconds.
    pub access_token_seconds: i64,
    /// Whether batch answers come in another order than asked.
    pub shuffle_batches: bool,
    /// Greatest number of history records looked at for one page, below `maxResults`: small
    /// values make many pages, some of them empty.
    pub history_page_limit: Option<usize>,
    /// How many of the latest requests are remembered.
    pub request_log: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            client_id: "local-client".to_owned(),
            client_secret: "local-secret".to_owned(),
            discovery: None,
            latency: Latency::default(),
            quota: Quota::default(),
            access_token_seconds: 3599,
            shuffle_batches: true,
            history_page_limit: None,
            request_log: 1000,
        }
    }
}

impl Config {
    /// The default settings, with requests and answers checked against this API description.
    pub fn checked(discovery: impl Into<PathBuf>) -> Self {
        Self {
            discovery: Some(discovery.into()),
            ..Self::default()
        }
    }
}

/// Artificial waiting, in milliseconds. All zero by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Waited once in every HTTP request, token endpoint included.
    pub round_trip_ms: u64,
    /// Waited in every single API call on top.
    pub service_ms: u64,
    /// Waited in every batch on top, whatever its number of parts.
    pub batch_ms: u64,
}

/// What a call costs, in quota units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitCosts {
    /// `users.getProfile`.
    pub profile: u64,
    /// `users.messages.list`.
    pub list: u64,
    /// `users.messages.get`.
    pub get: u64,
    /// `users.history.list`.
    pub history: u64,
    /// `users.settings.sendAs.list`.
    pub send_as: u64,
}

impl Default for UnitCosts {
    fn default() -> Self {
        Self {
            profile: 1,
            list: 5,
            get: 20,
            history: 2,
            send_as: 1,
        }
    }
}

/// Costs and limits. The default counts units and refuses nothing but too much concurrency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// What calls cost.
    pub costs: UnitCosts,
    /// Units of one mailbox in a minute.
    pub per_user_per_minute: Option<u64>,
    /// Units of all mailboxes in a minute.
    pub per_project_per_minute: Option<u64>,
    /// Units of all mailboxes in a day.
    pub per_project_per_day: Option<u64>,
    /// Calls of one mailbox at a time; each part of a batch is one.
    pub concurrent_per_user: Option<u32>,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            costs: UnitCosts::default(),
            per_user_per_minute: None,
            per_project_per_minute: None,
            per_project_per_day: None,
            concurrent_per_user: Some(50),
        }
    }
}

impl Quota {
    /// The published limits of a project made since May 2026.
    pub fn new_project() -> Self {
        Self {
            per_user_per_minute: Some(6_000),
            per_project_per_minute: Some(1_200_000),
            per_project_per_day: Some(80_000_000),
            ..Self::default()
        }
    }

    /// The published limits of an older project.
    pub fn older_project() -> Self {
        Self {
            costs: UnitCosts {
                get: 5,
                ..UnitCosts::default()
            },
            per_user_per_minute: Some(15_000),
            per_project_per_minute: Some(1_200_000),
            ..Self::default()
        }
    }
}
