//! Statuses that turned bad: a notification for each, once.

use std::collections::HashMap;

use pgrx::datum::Uuid;
use pgrx::prelude::*;
use serde_json::json;

use super::after::{Refresh, subject};
use super::template::Template;
use super::{Kind, Scored};
use crate::attention;
use crate::error::Result;
use crate::outbox::Notification;

/// Statuses of a kind, from good to bad; those from `FIRST_TOLD` on are told of.
const DEAL: [&str; 4] = ["healthy", "warning", "critical", "stalled"];
const RELATIONSHIP: [&str; 4] = ["healthy", "at_risk", "critical", "ghost"];
const FIRST_TOLD: usize = 2;

/// How bad each target's status is; `None` where it has none yet, or one that is not known.
pub(super) struct Statuses(Vec<Option<usize>>);

impl Statuses {
    pub(super) fn of<'a>(kind: Kind, statuses: impl Iterator<Item = Option<&'a str>>) -> Self {
        Self(statuses.map(|status| badness(kind, status)).collect())
    }
}

fn scale(kind: Kind) -> [&'static str; 4] {
    match kind {
        Kind::Deals => DEAL,
        Kind::Relationships => RELATIONSHIP,
    }
}

fn badness(kind: Kind, status: Option<&str>) -> Option<usize> {
    let status = status?;
    scale(kind).iter().position(|known| *known == status)
}

/// Whether a status is bad, and worse than the one before; nothing is worse than a first one.
pub(crate) fn worsens(kind: Kind, before: Option<&str>, now: &str) -> bool {
    let (before, now) = (badness(kind, before), badness(kind, Some(now)));
    before
        .zip(now)
        .is_some_and(|(before, now)| is_told(before, now))
}

fn is_told(before: usize, now: usize) -> bool {
    now > before && now >= FIRST_TOLD
}

/// A target whose status worsened.
struct Worsened<'a> {
    target: &'a Scored,
    before: usize,
    now: usize,
}

/// What is to be told of the targets that were bad neither before nor now alike. A first score has
/// no status before it: an import, or a fresh installation, tells of none.
pub(super) fn told(
    refresh: &Refresh<'_>,
    before: &Statuses,
    targets: &[Scored],
    moves_on: &dyn Fn(&Scored) -> bool,
) -> Result<Vec<Notification>> {
    let kind = refresh.kind;
    let worsened: Vec<Worsened<'_>> = targets
        .iter()
        .zip(&before.0)
        .filter(|(target, _)| !target.fresh && moves_on(target))
        .filter_map(|(target, before)| {
            let (before, now) = ((*before)?, badness(kind, target.status.as_deref())?);
            is_told(before, now).then_some(Worsened {
                target,
                before,
                now,
            })
        })
        .collect();
    if worsened.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<Uuid> = worsened.iter().map(|one| subject(one.target)).collect();
    let names = names(refresh, &named)?;
    let unexplained = worsened.iter().filter(|one| one.target.reasons.is_none());
    let targets: Vec<_> = unexplained
        .map(|one| (one.target.user, one.target.id, one.target.company))
        .collect();
    let found = attention::reasons(kind, refresh.crm, &targets, refresh.as_of, refresh.config)?;
    let mut found = found.into_iter();
    let notifications = worsened.iter().map(|one| {
        let known = one.target.reasons.clone();
        let reasons = known.or_else(|| found.next()).unwrap_or_default();
        one.notification(kind, &names, &reasons)
    });
    Ok(notifications.collect())
}

impl Worsened<'_> {
    fn notification(
        &self,
        kind: Kind,
        names: &HashMap<Uuid, String>,
        reasons: &[String],
    ) -> Notification {
        let subject = subject(self.target);
        let (status, previous) = (scale(kind)[self.now], scale(kind)[self.before]);
        let (notice, subject_type, unnamed) = match (kind, self.target.id) {
            (Kind::Deals, _) => ("deal_status", "deal", "Unnamed deal"),
            (Kind::Relationships, Some(_)) => ("relationship_status", "contact", "Unnamed contact"),
            (Kind::Relationships, None) => ("relationship_status", "company", "Unnamed company"),
        };
        let name = names.get(&subject).map_or(unnamed, String::as_str);
        let score = self.target.score.unwrap_or_default();
        Notification {
            kind: notice,
            user: self.target.user,
            subject_type,
            subject,
            severity: if self.now == FIRST_TOLD {
                "warning"
            } else {
                "critical"
            },
            title: format!("{}: {}", short(name), news(status)),
            detail: Some(format!("Score {score}. {}", sentences(reasons))),
            next_step: Some(next_step(subject_type, status).to_owned()),
            data: json!({"status": status, "previous": previous, "health_score": score}),
        }
    }
}

/// A name that leaves room for the news.
fn short(name: &str) -> String {
    const MOST: usize = 200;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    let kept: String = name.chars().take(MOST - 1).collect();
    format!("{kept}…")
}

fn news(status: &str) -> &'static str {
    match status {
        "stalled" => "the deal has stalled",
        "ghost" => "likely to send nothing any more",
        _ => "turned critical",
    }
}

fn next_step(subject_type: &str, status: &str) -> &'static str {
    match (subject_type, status) {
        ("deal", "stalled") => "Call to find out whether it is alive; else close it",
        ("deal", _) => "Agree with the buyer on the next step and its date",
        ("contact", "ghost") => "Write with something new to say, or call; send no reminder",
        ("contact", _) => "Get in touch this week",
        _ => "Get in touch with another contact there",
    }
}

/// Clauses as sentences.
fn sentences(clauses: &[String]) -> String {
    let sentences: Vec<String> = clauses
        .iter()
        .map(|clause| {
            let mut letters = clause.trim_end_matches('.').chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string());
            format!("{}{}.", first.unwrap_or_default(), letters.as_str())
        })
        .collect();
    sentences.join(" ")
}

fn names(refresh: &Refresh<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let text = match refresh.kind {
        Kind::Deals => include_str!("../../../sql/refresh/names_of_deals.sql"),
        Kind::Relationships => include_str!("../../../sql/refresh/names_of_contacts.sql"),
    };
    let statement = Template::default().fill(text, refresh.crm)?;
    Spi::connect(|client| {
        let rows = client.select(statement.as_str(), None, &[ids.to_vec().into()])?;
        let mut names = HashMap::new();
        for row in rows {
            if let (Some(id), Some(name)) = (row.get::<Uuid>(1)?, row.get::<String>(2)?) {
                names.insert(id, name);
            }
        }
        Ok(names)
    })
}
