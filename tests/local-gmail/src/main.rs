//! `local-gmail`: the local Gmail as a program. It prints its URLs as one line of JSON and ends on
//! SIGTERM or ctrl-c.

#![forbid(unsafe_code)]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use local_gmail::{Config, Latency, LocalGmail, Quota};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// A local Gmail on 127.0.0.1, with faults on demand under /__admin.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// JSON file of mailboxes to begin with; may be given more than once.
    #[arg(long)]
    fixture: Vec<PathBuf>,
    /// Google's API description (gmail.v1.json) to check requests and answers against.
    #[arg(long)]
    discovery: Option<PathBuf>,
    /// Milliseconds waited in every HTTP request.
    #[arg(long, default_value_t = 0)]
    latency_round_trip_ms: u64,
    /// Milliseconds waited in every single API call on top.
    #[arg(long, default_value_t = 0)]
    latency_service_ms: u64,
    /// Milliseconds waited in every batch on top.
    #[arg(long, default_value_t = 0)]
    latency_batch_ms: u64,
    /// Quota limits to enforce.
    #[arg(long, value_enum, default_value_t = Limits::Off)]
    quota: Limits,
    /// Life of access tokens, in seconds.
    #[arg(long, default_value_t = 3599)]
    access_token_seconds: i64,
    /// Id of the OAuth client.
    #[arg(long, default_value = "local-client")]
    client_id: String,
    /// Secret of the OAuth client; it guards nothing but invented mail.
    #[arg(long, default_value = "local-secret")]
    client_secret: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Limits {
    /// Units are counted, only too many calls at a time are refused.
    Off,
    /// The limits of a project made since May 2026.
    New,
    /// The limits and costs of an older project.
    Older,
}

impl Arguments {
    fn config(&self) -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            discovery: self.discovery.clone(),
            latency: Latency {
                round_trip_ms: self.latency_round_trip_ms,
                service_ms: self.latency_service_ms,
                batch_ms: self.latency_batch_ms,
            },
            quota: match self.quota {
                Limits::Off => Quota::default(),
                Limits::New => Quota::new_project(),
                Limits::Older => Quota::older_project(),
            },
            access_token_seconds: self.access_token_seconds,
            ..Config::default()
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let gmail = LocalGmail::start(arguments.config()).await?;
    for fixture in &arguments.fixture {
        gmail.load_fixture_file(fixture)?;
    }
    println!("{}", urls(&gmail));
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    gmail.stop().await;
    Ok(())
}

fn urls(gmail: &LocalGmail) -> serde_json::Value {
    json!({
        "base_url": gmail.base_url(),
        "token_url": gmail.token_url(),
        "auth_url": gmail.auth_url(),
        "admin_url": format!("{}/__admin", gmail.base_url()),
        "client_id": gmail.client_id(),
        "client_secret": gmail.client_secret(),
    })
}
