//! Raises, changes and ends the alerts of deals that have just been scored.
//!
//! The rules and what they say are the core's ([`crm_health_scoring::alert`]). Here is what it
//! needs: the facts of all deals in one statement, the open alerts of all users in another; and one
//! statement for each thing that follows, where anything does. A CRM without the tables of alerts
//! and rules has none, and its scores are none the worse for it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crm_health_scoring::alert::{
    Alert, AlertSeverity, AlertType, DealFacts, Open, OpenState, Rule, Step, speaking, step,
};
use crm_health_scoring::interaction::Instant;
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};
use serde_json::{Value, json};

use super::Scored;
use super::after::Refresh;
use super::alert_facts;
use super::alert_rules::{self, usable};
use super::alert_statements::{Written, filled, run, write_rows};
use crate::collect::to_instant;
use crate::crm::{Crm, Relation};
use crate::error::Result;
use crate::outbox::Notification;
use crate::raw::value;
use crate::statement::{Kept, Snapshot, Statement, kept};

/// An alert as it stands in the table.
struct Found {
    id: Uuid,
    open: Open,
    /// What it says, as [`Rule::said`] tells it.
    said: Option<u64>,
}

/// The alerts of a deal that are not over, by type.
type OfDeal = [Option<Found>; AlertType::ALL.len()];
type OpenAlerts = HashMap<Uuid, OfDeal>;

/// What follows from a refresh, to be written.
#[derive(Default)]
struct Changes {
    close: Vec<Uuid>,
    change: Vec<Value>,
    raise: Vec<((Uuid, AlertType), Value)>,
    /// What to tell, by deal and type, once it is written.
    tell: HashMap<(Uuid, AlertType), Notification>,
}

/// Brings the alerts of the users up to date, and returns what is to be told.
pub(super) fn raise(
    refresh: &Refresh<'_>,
    targets: &[Scored],
    moves_on: &dyn Fn(&Scored) -> bool,
    quiet_days: i32,
) -> Result<Vec<Notification>> {
    let (Some(table), Some(rules)) = (usable(refresh.crm), alert_rules::read(refresh.crm)?) else {
        return Ok(Vec::new());
    };
    let judged: Vec<&Scored> = targets
        .iter()
        .filter(|target| !target.fresh && moves_on(target))
        .collect();
    let mut found = open_alerts(refresh.crm, table, refresh.users)?;
    let mut changes = Changes::default();
    changes.leave(&mut found, targets);
    changes.judge(refresh, &rules, &judged, &found, quiet_days)?;
    changes.keep_quiet_at_first(refresh.crm, &judged)?;
    changes.write(refresh, table)
}

/// Ends the alerts of those of the users who have no active deal left.
pub(super) fn leave(
    crm: &Crm,
    users: &[Uuid],
    targets: &[Scored],
    as_of: TimestampWithTimeZone,
) -> Result<()> {
    let busy: HashSet<Uuid> = targets.iter().map(|target| target.user).collect();
    let idle: Vec<Uuid> = users
        .iter()
        .copied()
        .filter(|user| !busy.contains(user))
        .collect();
    // SAFETY: reads flags.
    if idle.is_empty() || unsafe { pg_sys::RecoveryInProgress() || pg_sys::XactReadOnly } {
        return Ok(());
    }
    let Some(table) = usable(crm) else {
        return Ok(());
    };
    let text = include_str!("../../../sql/refresh/alerts_leave.sql");
    run(crm, table, text, &[idle.into(), as_of.into()])
}

thread_local! {
    static OPEN: Kept<i64, Statement> = RefCell::default();
}

fn open_alerts(crm: &Crm, table: &Relation, users: &[Uuid]) -> Result<OpenAlerts> {
    Spi::connect(|_| {
        let statement = kept(&OPEN, crm.part, crm.generation, || {
            let text = include_str!("../../../sql/refresh/alerts_open.sql");
            let text = filled(crm, table, text)?;
            Ok(Statement::new(&text, &[pg_sys::UUIDARRAYOID]))
        })?;
        let _snapshot = Snapshot::newest();
        let mut found = OpenAlerts::new();
        // SAFETY: the value and the columns are those of the statement, in this order.
        unsafe {
            let rows = statement.read(&[users.to_vec().into_datum()]);
            rows.each(
                |[id, deal, alert_type, severity, status, dismissed_at, said]| {
                    let (Some(id), Some(deal)) = (value::<Uuid>(id), value::<Uuid>(deal)) else {
                        return;
                    };
                    let alert_type = value::<&str>(alert_type).and_then(AlertType::parse);
                    let severity = value::<&str>(severity).and_then(AlertSeverity::parse);
                    // An alert of another kind is somebody else's.
                    let (Some(alert_type), Some(severity)) = (alert_type, severity) else {
                        return;
                    };
                    let state = match value::<&str>(status) {
                        Some("active") => OpenState::Active,
                        Some("acknowledged") => OpenState::Acknowledged,
                        _ => OpenState::Dismissed(
                            value::<TimestampWithTimeZone>(dismissed_at)
                                .map_or(Instant(i64::MIN), |since| to_instant(since.into())),
                        ),
                    };
                    let said =
                        value::<&str>(said).and_then(|said| u64::from_str_radix(said, 16).ok());
                    let open = Open { severity, state };
                    found.entry(deal).or_default()[alert_type as usize] =
                        Some(Found { id, open, said });
                },
            );
        }
        Ok(found)
    })
}

impl Changes {
    /// Alerts of deals that are no longer scored: won, lost, gone, or somebody else's.
    fn leave(&mut self, found: &mut OpenAlerts, targets: &[Scored]) {
        if found.is_empty() {
            return;
        }
        let scored: HashSet<Uuid> = targets.iter().filter_map(|target| target.id).collect();
        found.retain(|deal, alerts| {
            let stays = scored.contains(deal);
            if !stays {
                self.close
                    .extend(alerts.iter().flatten().map(|alert| alert.id));
            }
            stays
        });
    }

    fn judge(
        &mut self,
        refresh: &Refresh<'_>,
        rules: &[Rule],
        judged: &[&Scored],
        found: &OpenAlerts,
        quiet_days: i32,
    ) -> Result<()> {
        let as_of = to_instant(refresh.as_of.into());
        let none = OfDeal::default();
        let mut scratch = String::new();
        alert_facts::each(refresh, judged, |target, score, facts| {
            let deal = target.id.expect("a deal");
            let open = found.get(&deal).unwrap_or(&none);
            for (rule, open) in speaking(rules, facts).into_iter().zip(open) {
                let before = open.as_ref().map(|found| found.open);
                let now = rule.map(Rule::severity);
                let next = step(before, now, as_of, quiet_days.into());
                let about = About {
                    target,
                    score,
                    facts,
                };
                self.follow(next, &about, rule, open.as_ref(), &mut scratch);
            }
        })
    }

    fn follow(
        &mut self,
        next: Step,
        about: &About<'_>,
        rule: Option<&Rule>,
        open: Option<&Found>,
        scratch: &mut String,
    ) {
        match (next, rule, open) {
            (Step::Resolve, _, Some(open)) => self.close.push(open.id),
            (Step::Raise, Some(rule), _) => self.raise_new(about, rule),
            (Step::RaiseAgain, Some(rule), Some(open)) => {
                self.close.push(open.id);
                self.raise_new(about, rule);
            }
            (Step::Worsen, Some(rule), Some(open)) => {
                let alert = rule.alert(about.facts);
                self.change.push(changed(&alert, open, about.score, true));
                self.tell(about.target, alert);
            }
            // What says what it said is left alone.
            (Step::Restate, Some(rule), Some(open))
                if open.said != Some(rule.said(about.facts, scratch)) =>
            {
                let alert = rule.alert(about.facts);
                self.change.push(changed(&alert, open, about.score, false));
            }
            _ => {}
        }
    }

    fn raise_new(&mut self, about: &About<'_>, rule: &Rule) {
        let (target, alert) = (about.target, rule.alert(about.facts));
        let mut row = document(&alert, about.score);
        row["deal_id"] = json!(target.id.map(|id| id.to_string()));
        row["user_id"] = json!(target.user.to_string());
        row["alert_type"] = json!(alert.alert_type);
        let deal = target.id.expect("a deal");
        self.raise.push(((deal, alert.alert_type), row));
        // A deal that is scored for the first time raises what there is, and tells of none of it:
        // an import, or a fresh installation, is no news.
        if target.score_id.is_some() {
            self.tell(target, alert);
        }
    }

    fn tell(&mut self, target: &Scored, alert: Alert) {
        let deal = target.id.expect("a deal");
        let told = Notification {
            kind: "alert_raised",
            user: target.user,
            subject_type: "deal",
            subject: deal,
            severity: alert.severity.as_str(),
            title: alert.title,
            detail: Some(alert.message),
            next_step: Some(alert.suggested_actions.join("\n")).filter(|step| !step.is_empty()),
            data: json!({"alert_type": alert.alert_type, "rule_name": cut(&alert.rule_name)}),
        };
        self.tell.insert((deal, alert.alert_type), told);
    }

    /// Rules that come to deals long scored, by an upgrade, find much at their first look: all of it
    /// is raised, and none of it is news.
    fn keep_quiet_at_first(&mut self, crm: &Crm, judged: &[&Scored]) -> Result<()> {
        let rules = crm.find("deal_health_rules");
        let Some(rules) = rules.filter(|rules| rules.has("created_at") && !self.tell.is_empty())
        else {
            return Ok(());
        };
        let statement = format!(
            "SELECT (SELECT min(r.created_at)::timestamptz FROM {} r)",
            rules.qualified()
        );
        let first: Option<TimestampWithTimeZone> =
            Spi::connect(|client| client.select(&statement, Some(1), &[])?.first().get_one())?;
        let Some(first) = first.map(pg_sys::TimestampTz::from) else {
            return Ok(());
        };
        let looked_at_first = judged
            .iter()
            .filter(|deal| deal.scored_at.is_some_and(|at| at < first));
        let quiet: HashSet<Uuid> = looked_at_first.filter_map(|deal| deal.id).collect();
        self.tell.retain(|(deal, _), _| !quiet.contains(deal));
        Ok(())
    }

    /// Writes what follows. Only what was written is told, with the alert's id.
    fn write(mut self, refresh: &Refresh<'_>, table: &Relation) -> Result<Vec<Notification>> {
        let (crm, as_of) = (refresh.crm, refresh.as_of);
        if !self.close.is_empty() || !self.raise.is_empty() {
            let text = include_str!("../../../sql/refresh/alerts_lock.sql");
            let deals: Vec<Uuid> = self.raise.iter().map(|((deal, _), _)| *deal).collect();
            run(crm, table, text, &[self.close.clone().into(), deals.into()])?;
        }
        if !self.close.is_empty() {
            let text = include_str!("../../../sql/refresh/alerts_close.sql");
            let close = std::mem::take(&mut self.close);
            let users = refresh.users.to_vec();
            run(
                crm,
                table,
                text,
                &[close.into(), as_of.into(), users.into()],
            )?;
        }
        let mut told = Vec::new();
        let mut tell = |written: Vec<Written>| {
            for (alert, key) in written {
                if let Some(mut notification) = self.tell.remove(&key) {
                    notification.data["alert_id"] = json!(alert.to_string());
                    told.push(notification);
                }
            }
        };
        let change = include_str!("../../../sql/refresh/alerts_change.sql");
        tell(write_rows(crm, table, change, self.change, as_of)?);
        let rows = |raise: &[((Uuid, AlertType), Value)]| -> Vec<Value> {
            raise.iter().map(|(_, row)| row.clone()).collect()
        };
        let take_over = include_str!("../../../sql/refresh/alerts_take_over.sql");
        let taken = write_rows(crm, table, take_over, rows(&self.raise), as_of)?;
        let keys: HashSet<_> = taken.iter().map(|(_, key)| *key).collect();
        tell(taken);
        self.raise.retain(|(key, _)| !keys.contains(key));
        let raise = include_str!("../../../sql/refresh/alerts_raise.sql");
        tell(write_rows(crm, table, raise, rows(&self.raise), as_of)?);
        Ok(told)
    }
}

/// A deal that was judged, its score's id and its facts.
struct About<'a> {
    target: &'a Scored,
    score: Option<Uuid>,
    facts: &'a DealFacts<'a>,
}

/// What an alert says, as a statement reads it.
fn document(alert: &Alert, score: Option<Uuid>) -> Value {
    json!({
        "score_id": score.map(|id| id.to_string()), "severity": alert.severity, "title": alert.title,
        "message": alert.message, "suggested_actions": alert.suggested_actions, "priority": alert.priority,
        "metadata": {"rule_name": alert.rule_name, "said": format!("{:016x}", alert.said)},
    })
}

fn changed(alert: &Alert, open: &Found, score: Option<Uuid>, worsened: bool) -> Value {
    let mut row = document(alert, score);
    row["id"] = json!(open.id.to_string());
    row["status"] = json!(match open.open.state {
        OpenState::Active => "active",
        OpenState::Acknowledged => "acknowledged",
        OpenState::Dismissed(_) => "dismissed",
    });
    row["worsened"] = json!(worsened);
    row
}

fn cut(name: &str) -> String {
    name.chars().take(200).collect()
}
