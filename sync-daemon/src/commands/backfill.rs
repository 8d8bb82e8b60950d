//! `backfill`: old mail, in shifts, until all of it is in.

use super::show::progress_bar;
use super::sync::print_report;
use super::{engine, exit_of, fail, stop_on_signal};
use crate::cli::{BackfillArgs, Exit};
use crate::config::Config;
use crate::run::{RunKind, RunRequest};

pub(crate) async fn backfill(config: Config, args: BackfillArgs) -> Exit {
    let engine = match engine(config) {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    let users = (!args.all).then_some(args.user);
    let requested = async {
        engine.store.ensure_mailboxes(users.as_deref()).await?;
        engine
            .store
            .request_backfill(users.as_deref(), args.days)
            .await
    };
    match requested.await {
        Ok(0) => {
            eprintln!("crm-health-sync: no connected mailbox: crm-health-sync status");
            return Exit::SomeFailed;
        }
        Ok(_) => {}
        Err(failure) => return fail(&failure),
    }
    let request = RunRequest {
        triggered_by: "backfill".to_owned(),
        kind: RunKind::Backfill,
        users,
        since: None,
    };
    let stop = stop_on_signal();
    let (bar, on_step) = progress_bar();
    // A run claims each mailbox shift after shift until its backfill is done or fails.
    let report = engine.run(&request, &stop, on_step).await;
    bar.finish_and_clear();
    print_report(&report);
    exit_of(&report)
}
