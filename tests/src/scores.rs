//! Scores as JSON, to be compared with what was computed by hand.

use serde_json::Value;
use uuid::Uuid;

use crate::{Crm, Database};

/// A small CRM around 2024-06-15, the same on every run.
pub const SAMPLE: &str = include_str!("sample.sql");

/// Columns of a score that differ from run to run.
const PASSING: &str = "'{id,created_at,updated_at,last_calculated_at}'::text[]";

impl Crm<'_> {
    /// Changes a row: `crm.set("deals", deal, "stage_id = NULL")`.
    pub fn set(&mut self, table: &str, id: Uuid, assignments: &str) {
        self.0.query(
            &format!("UPDATE {table} SET {assignments} WHERE id = $1"),
            &[&id],
        );
    }

    /// A meeting about a deal.
    pub fn deal_meeting(&mut self, user: Uuid, deal: Uuid, days_ago: f64) -> Uuid {
        let contact = self.contact(user);
        let meeting = self.meeting(user, contact, days_ago);
        self.0.query(
            "INSERT INTO deal_meetings (deal_id, meeting_id) VALUES ($1, $2)",
            &[&deal, &meeting],
        );
        meeting
    }

    /// An activity of the user for a deal.
    pub fn activity(&mut self, user: Uuid, deal: Uuid, days_ago: f64) -> Uuid {
        self.add(
            "INSERT INTO activities (id, user_id, deal_id, created_at)
             VALUES ($1, $2, $3, now() - $4 * interval '1 day')",
            &[&user, &deal, &days_ago],
        )
    }

    /// An e-mail about a deal.
    pub fn deal_mail(&mut self, user: Uuid, deal: Uuid, direction: &str, days_ago: f64) -> Uuid {
        let event_type = match direction {
            "inbound" => "email_received",
            _ => "email_sent",
        };
        self.add(
            "INSERT INTO communication_events (id, user_id, deal_id, event_type, direction, event_timestamp)
             VALUES ($1, $2, $3, $4, $5, now() - $6 * interval '1 day')",
            &[&user, &deal, &event_type, &direction, &days_ago],
        )
    }

    /// Scores the user's deals, then the relationships, all of them.
    pub fn refresh(&mut self, user: Uuid) {
        self.0
            .query("SELECT refresh_deal_health_scores($1, 0)", &[&user]);
        self.0
            .query("SELECT refresh_relationship_health_scores($1, 0)", &[&user]);
    }

    /// A deal's row of scores, without what differs from run to run.
    pub fn deal_score(&mut self, deal: Uuid) -> Value {
        self.0.value(
            &format!("SELECT to_jsonb(s) - {PASSING} FROM deal_health_scores s WHERE deal_id = $1"),
            &[&deal],
        )
    }

    /// A contact's row of scores, without what differs from run to run.
    pub fn contact_score(&mut self, contact: Uuid) -> Value {
        self.0.value(
            &format!("SELECT to_jsonb(s) - {PASSING} FROM relationship_health_scores s WHERE contact_id = $1"),
            &[&contact],
        )
    }

    /// A company's row of scores of a user, without what differs from run to run.
    pub fn company_score(&mut self, user: Uuid, company: Uuid) -> Value {
        self.0.value(
            &format!(
                "SELECT to_jsonb(s) - {PASSING} FROM relationship_health_scores s
                 WHERE user_id = $1 AND company_id = $2"
            ),
            &[&user, &company],
        )
    }

    /// Scores what a test computes by the rules of thumb, whatever ships as the default.
    pub fn ghost_by_rules(&mut self) {
        self.0
            .run("UPDATE crm_health.settings SET value = 'rules' WHERE name = 'ghost_model'");
    }
}

/// All score rows of both tables in a fixed order, without what differs from run to run.
pub fn all_scores(db: &mut Database) -> Value {
    db.value(
        &format!(
            "SELECT jsonb_build_object(
               'deals', (SELECT coalesce(jsonb_agg(to_jsonb(d) - {PASSING} ORDER BY d.deal_id), '[]') FROM deal_health_scores d),
               'relationships', (SELECT coalesce(jsonb_agg(to_jsonb(r) - {PASSING} ORDER BY r.user_id, r.contact_id, r.company_id), '[]')
                                 FROM relationship_health_scores r))"
        ),
        &[],
    )
}
