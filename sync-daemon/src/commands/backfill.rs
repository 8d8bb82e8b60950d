//! `backfill`: old mail, in shifts, until all of it is in.

use uuid::Uuid;

use super::show::progress_bar;
use super::sync::print_report;
use super::{engine, exit_of, fail, stop_on_signal};
use crate::cli::{BackfillArgs, Exit};
use crate::config::Config;
use crate::failure::Failure;
use crate::run::{RunKind, RunRequest};
use crate::store::Store;

pub(crate) async fn backfill(config: Config, args: BackfillArgs) -> Exit {
    let engine = match engine(config) {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    let stop = stop_on_signal();
    let requested = tokio::select! {
        requested = request(&engine.store, args) => requested,
        () = stop.cancelled() => Err(Failure::Interrupted),
    };
    let users = match requested {
        Ok(Some(users)) => users,
        Ok(None) => {
            eprintln!("crm-health-sync: no connected mailbox: crm-health-sync status");
            return Exit::SomeFailed;
        }
        Err(failure) => return fail(&failure),
    };
    let request = RunRequest {
        triggered_by: "backfill".to_owned(),
        kind: RunKind::Backfill,
        users: Some(users),
        since: None,
    };
    let (bar, on_step) = progress_bar();
    // A run claims each mailbox shift after shift until its backfill is done or fails.
    let report = engine.run(&request, &stop, on_step).await;
    bar.finish_and_clear();
    print_report(&report);
    exit_of(&report)
}

/// Notes what is asked for, and says for whom; `None` where nobody of them has a mailbox.
async fn request(store: &Store, args: BackfillArgs) -> Result<Option<Vec<Uuid>>, Failure> {
    // All are more than the active users, whom a run takes by itself.
    let users = if args.all {
        store.connected_users().await?
    } else {
        args.user
    };
    store.ensure_mailboxes(Some(&users)).await?;
    let mailboxes = store.request_backfill(Some(&users), args.days).await?;
    Ok((mailboxes > 0).then_some(users))
}
