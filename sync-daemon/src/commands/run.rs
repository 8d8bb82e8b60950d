//! `run`: the service.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{engine, stop_on_signal};
use crate::cli::Exit;
use crate::config::{Config, Environment};
use crate::service::{Reload, serve};

pub(crate) async fn run(config: Config, file: Option<PathBuf>) -> Exit {
    if config.secrets.cron_secret.is_none() {
        tracing::warn!("CRM_HEALTH_CRON_SECRET is not set: the cron endpoints are closed");
    }
    if config.secrets.token_key.is_none() {
        tracing::warn!("CRM_HEALTH_TOKEN_KEY is not set: tokens are stored in the clear");
    }
    let engine = match engine(config) {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    // Files named by the environment are read anew too. Credentials of a systemd unit are copies that stay as they were
    // at its start: those take a restart.
    let reload: Reload =
        Box::new(move || Config::load(file.as_deref(), &Environment::of_process()));
    let (sender, hangups) = mpsc::channel(1);
    // Before anyone is told that the service is ready: a signal that nobody waits for ends the process.
    if let Ok(mut hangup) = signal(SignalKind::hangup()) {
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                // A full channel holds a reload that is still to come.
                let _ = sender.try_send(());
            }
        });
    }
    match serve(engine, reload, hangups, stop_on_signal()).await {
        Ok(()) => Exit::Success,
        Err(error) => {
            eprintln!("crm-health-sync: cannot listen: {error}");
            Exit::Config
        }
    }
}
