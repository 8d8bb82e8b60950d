//! What the outside-process tests share: databases to work in, servers to kill, rows to score.
//!
//! `make test` starts one server with a template database (the extension and the CRM tables) and
//! names it in the environment. A test takes a copy of the template, so that tests run side by
//! side and none sees another's rows.
#![forbid(unsafe_code)]

pub mod citus;
pub mod cluster;
pub mod crm;
pub mod database;
pub mod fits;
pub mod kept;
pub mod scores;
pub mod session;

pub use citus::CitusCluster;
pub use cluster::Cluster;
pub use crm::Crm;
pub use database::Database;

/// A setting that `make test` puts into the environment.
///
/// # Panics
/// Where it is missing: the tests need a server, and say how to get one.
#[must_use]
pub fn environment(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests by `make test`, or scripts/test.sh with arguments of cargo test"))
}
