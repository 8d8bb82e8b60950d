//! What follows from new events: threads, reply flags, scores.

use uuid::Uuid;

use crate::failpoint;
use crate::failure::Failure;
use crate::store::{RefreshCounts, Store};

/// What is to be done after a sync wrote events.
pub struct FollowUp<'a> {
    /// The database.
    pub store: &'a Store,
    /// Whether scores are to be refreshed.
    pub refresh: bool,
    /// Whether the extension is there to do it.
    pub has_extension: bool,
}

impl FollowUp<'_> {
    /// Links threads and replies and refreshes the user's scores, in this order.
    ///
    /// # Errors
    /// The step that failed, with the reason; it is due again with the next sync.
    pub async fn run(&self, user: Uuid) -> Result<RefreshCounts, (&'static str, Failure)> {
        self.store
            .link_threads(user)
            .await
            .map_err(|e| ("link_failed", e))?;
        failpoint::pass("threads_linked");
        if !self.has_extension {
            return Ok(RefreshCounts::default());
        }
        self.store
            .link_replies(user)
            .await
            .map_err(|e| ("link_failed", e))?;
        failpoint::pass("replies_linked");
        if !self.refresh {
            return Ok(RefreshCounts::default());
        }
        let counts = self
            .store
            .refresh_scores(user, 0)
            .await
            .map_err(|e| ("refresh_failed", e))?;
        failpoint::pass("scores_refreshed");
        Ok(counts)
    }
}
