//! `sync`: once, now.

use super::show::progress_bar;
use super::{engine, exit_of, stop_on_signal};
use crate::cli::{Exit, SyncArgs};
use crate::config::Config;
use crate::run::{Report, RunKind, RunRequest};

pub(crate) async fn sync(config: Config, args: SyncArgs) -> Exit {
    let engine = match engine(config) {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    let request = RunRequest {
        triggered_by: "cli".to_owned(),
        kind: RunKind::Now,
        users: (!args.user.is_empty()).then_some(args.user),
        since: args.since,
    };
    let stop = stop_on_signal();
    let (bar, on_step) = progress_bar();
    let report = engine.run(&request, &stop, on_step).await;
    bar.finish_and_clear();
    print_report(&report);
    exit_of(&report)
}

pub(super) fn print_report(report: &Report) {
    match serde_json::to_string(report) {
        Ok(json) => println!("{json}"),
        Err(error) => eprintln!("crm-health-sync: the report cannot be written: {error}"),
    }
}
