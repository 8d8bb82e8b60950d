//! The commands, one file each.

pub(crate) mod backfill;
mod channels;
pub(crate) mod check;
pub(crate) mod connect;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod run;
mod show;
pub(crate) mod status;
pub(crate) mod sync;

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::Exit;
use crate::config::Config;
use crate::failure::Failure;
use crate::run::{Engine, Report};

/// An engine for one command, or what to say and how to exit.
fn engine(config: Config) -> Result<Arc<Engine>, Exit> {
    Engine::new(Arc::new(config), Arc::default(), Arc::default())
        .map(Arc::new)
        .map_err(|f| fail(&f))
}

fn fail(failure: &Failure) -> Exit {
    eprintln!("crm-health-sync: {failure}");
    match failure {
        Failure::Database(_) => Exit::Database,
        Failure::Operator(_) | Failure::ProjectQuota | Failure::ProjectPaused { .. } => {
            Exit::Google
        }
        Failure::Interrupted => Exit::Interrupted,
        Failure::Token(_) | Failure::Configuration(_) => Exit::Config,
        _ => Exit::SomeFailed,
    }
}

/// A token that SIGTERM and SIGINT cancel, from here on.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return stop;
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        token.cancel();
    });
    stop
}

fn exit_of(report: &Report) -> Exit {
    let has = |code: &str| {
        report
            .errors
            .iter()
            .any(|e| e.user_id.is_none() && e.code == code)
    };
    if report.success {
        Exit::Success
    } else if has("operator_error") || has("project_quota") {
        Exit::Google
    } else if has("database") {
        Exit::Database
    } else if report.errors.iter().all(|e| e.code == "interrupted") {
        Exit::Interrupted
    } else {
        Exit::SomeFailed
    }
}
