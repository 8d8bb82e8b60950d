//! What follows from new scores: statuses that worsened are told of, alerts are raised.
//!
//! Time moves on here: a score as of an instant before the one it replaces looks back, and nothing
//! follows from it.

use std::collections::HashSet;

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;

use super::template::Template;
use super::{Kind, Scored, alerts, transitions};
use crate::crm::Crm;
use crate::error::Result;
use crate::outbox::Notification;

/// What is known of the targets before they are scored.
pub(super) struct Before {
    statuses: transitions::Statuses,
    looking_back: HashSet<Uuid>,
}

/// What a refresh goes by.
pub(super) struct Refresh<'a> {
    pub(super) kind: Kind,
    pub(super) crm: &'a Crm,
    pub(super) users: &'a [Uuid],
    pub(super) as_of: TimestampWithTimeZone,
    pub(super) config: &'a serde_json::Value,
}

impl<'a> Refresh<'a> {
    pub(super) fn new(
        kind: Kind,
        crm: &'a Crm,
        users: &'a [Uuid],
        as_of: TimestampWithTimeZone,
        config: &'a serde_json::Value,
    ) -> Self {
        Self {
            kind,
            crm,
            users,
            as_of,
            config,
        }
    }
}

impl Before {
    /// Notes it. Called by the owner of the scores, under the users' locks.
    pub(super) fn note(refresh: &Refresh<'_>, targets: &[Scored]) -> Result<Self> {
        Ok(Self {
            statuses: transitions::Statuses::of(
                refresh.kind,
                targets.iter().map(|target| target.status.as_deref()),
            ),
            looking_back: looking_back(refresh)?,
        })
    }

    /// What a statement said of the targets that it has scored: the statuses they had, and those of
    /// which the score was as of a later instant.
    pub(super) fn new(statuses: transitions::Statuses, looking_back: HashSet<Uuid>) -> Self {
        Self {
            statuses,
            looking_back,
        }
    }

    /// Raises alerts, and returns what is to be told.
    pub(super) fn follow(
        &self,
        refresh: &Refresh<'_>,
        targets: &[Scored],
        quiet_days: i32,
    ) -> Result<Vec<Notification>> {
        let moves_on = |target: &Scored| {
            self.looking_back.is_empty() || !self.looking_back.contains(&subject(target))
        };
        let mut told = transitions::told(refresh, &self.statuses, targets, &moves_on)?;
        if refresh.kind == Kind::Deals {
            told.extend(alerts::raise(refresh, targets, &moves_on, quiet_days)?);
        }
        Ok(told)
    }
}

/// Ends the alerts of those of the users who have no deal to be scored any more.
pub(super) fn leave(
    kind: Kind,
    crm: &Crm,
    users: &[Uuid],
    targets: &[Scored],
    as_of: TimestampWithTimeZone,
) -> Result<()> {
    match kind {
        Kind::Deals => alerts::leave(crm, users, targets, as_of),
        Kind::Relationships => Ok(()),
    }
}

/// Whose score it is: the deal's, the contact's or the company's.
pub(super) fn subject(target: &Scored) -> Uuid {
    target.id.or(target.company).expect("a score is somebody's")
}

/// Whose scores are as of a later instant. Nothing is looked up for an instant that is not past.
fn looking_back(refresh: &Refresh<'_>) -> Result<HashSet<Uuid>> {
    if refresh.as_of >= pgrx::datum::datetime_support::now() {
        return Ok(HashSet::new());
    }
    let (table, id) = match refresh.kind {
        Kind::Deals => ("deal_health_scores", "s.deal_id"),
        Kind::Relationships => (
            "relationship_health_scores",
            "coalesce(s.contact_id, s.company_id)",
        ),
    };
    let statement = Template::default()
        .with("scores", refresh.crm.score_table(table)?.qualified())
        .with("id", id)
        .fill(
            include_str!("../../../sql/refresh/scored_later.sql"),
            refresh.crm,
        )?;
    Spi::connect(|client| {
        let rows = client.select(
            statement.as_str(),
            None,
            &[refresh.users.to_vec().into(), refresh.as_of.into()],
        )?;
        let mut later = HashSet::new();
        for row in rows {
            later.extend(row.get::<Uuid>(1)?);
        }
        Ok(later)
    })
}
