//! What is told beyond the failures of mailboxes.

use super::RunError;
use super::engine::Engine;
use super::report::Tally;
use super::request::{RunKind, RunRequest};
use crate::failure::Failure;
use crate::store::{Finding, Unclaimed};

/// The names of what no [`Failure`] tells, for metrics that begin at zero.
pub(super) const CODES: [&str; 3] = ["extension_missing", "internal", "integrations_hidden"];

pub(super) fn extension_missing() -> RunError {
    RunError {
        user_id: None,
        code: "extension_missing".to_owned(),
        reason: "mail came in, but the extension crm_health is not installed: replies are not \
            linked and scores not refreshed (CREATE EXTENSION crm_health)"
            .to_owned(),
    }
}

pub(super) fn broken_off() -> RunError {
    RunError {
        user_id: None,
        code: "internal".to_owned(),
        reason: "the work on a mailbox broke off; its lease runs out and it is tried again"
            .to_owned(),
    }
}

/// While no integration is visible, nothing can be synced, and nobody is known to have disconnected.
pub(super) fn integrations_hidden(mailboxes: i64) -> RunError {
    let Finding { problem, mend } = Finding::integrations_hidden(mailboxes);
    RunError {
        user_id: None,
        code: "integrations_hidden".to_owned(),
        reason: format!("{problem}: {mend}"),
    }
}

impl Engine {
    /// Whoever asks for a user by name is told why nothing happened.
    pub(super) async fn explain_unclaimed(
        &self,
        request: &RunRequest,
        started: chrono::DateTime<chrono::Utc>,
        tally: &mut Tally,
    ) {
        let Some(users) = request.users.as_deref() else {
            return;
        };
        if tally.repeat_in.is_some() || tally.has("interrupted") {
            // What cut the run short is told already, and is the reason.
            return;
        }
        let left = match request.kind {
            RunKind::Now => self.store.unclaimed(users, started).await,
            RunKind::Backfill => self.store.unfinished_backfills(users).await,
            RunKind::Since(_) | RunKind::Retry => return,
        };
        let again = match request.kind {
            RunKind::Backfill => "; the history waits: run the backfill again then",
            _ => "",
        };
        for left in left.unwrap_or_default() {
            let told = tally.errors.iter().any(|e| e.user_id == Some(left.user_id));
            if !told {
                tally.errors.push(RunError {
                    user_id: Some(left.user_id),
                    reason: reason_of(&left, again),
                    code: left.reason,
                });
            }
        }
    }
}

fn reason_of(left: &Unclaimed, again: &str) -> String {
    let until = left
        .until
        .map(|t| format!(" until {}", t.format("%F %T UTC")))
        .unwrap_or_default();
    match left.reason.as_str() {
        "not_connected" => "no Gmail mailbox is connected: crm-health-sync connect".to_owned(),
        "reconnect_required" => Failure::ReconnectRequired.to_string(),
        "busy" => format!("another daemon is syncing the mailbox{until}{again}"),
        reason => format!("the mailbox is paused ({reason}){until}{again}"),
    }
}
