//! Rows of a CRM, a line each.

use postgres::types::ToSql;
use uuid::Uuid;

use crate::Database;

/// Adds rows to a test's CRM. Instants are given in days (a fraction is allowed) before now;
/// a negative number is in the future.
pub struct Crm<'a>(pub &'a mut Database);

impl Crm<'_> {
    /// A user who logged in so many days ago.
    pub fn user(&mut self, login_days_ago: f64) -> Uuid {
        self.add(
            "INSERT INTO profiles (id, last_login_at) VALUES ($1, now() - $2 * interval '1 day')",
            &[&login_days_ago],
        )
    }

    /// A contact of the user.
    pub fn contact(&mut self, user: Uuid) -> Uuid {
        self.add("INSERT INTO contacts (id, owner_id, email) VALUES ($1, $2, concat($1::uuid, '@example.com'))", &[&user])
    }

    /// A company, and a contact of the user there.
    pub fn company_contact(&mut self, user: Uuid) -> (Uuid, Uuid) {
        let company = self.add(
            "INSERT INTO companies (id, name) VALUES ($1, 'Company')",
            &[],
        );
        let contact = self.contact(user);
        self.0.query(
            "UPDATE contacts SET company_id = $2 WHERE id = $1",
            &[&contact, &company],
        );
        (company, contact)
    }

    /// An active deal of the user, in a stage (by name) since so many days.
    pub fn deal(&mut self, user: Uuid, stage: &str, days_in_stage: f64) -> Uuid {
        self.add(
            "INSERT INTO deals (id, owner_id, name, value, status, stage_id, created_at, stage_changed_at)
             VALUES ($1, $2, 'Deal', 1000, 'active', (SELECT id FROM deal_stages WHERE name = $3),
                     now() - 400 * interval '1 day', now() - $4 * interval '1 day')",
            &[&user, &stage, &days_in_stage],
        )
    }

    /// An interaction of the user with a contact.
    pub fn event(
        &mut self,
        user: Uuid,
        contact: Uuid,
        event_type: &str,
        direction: &str,
        days_ago: f64,
    ) -> Uuid {
        self.add(
            "INSERT INTO communication_events (id, user_id, contact_id, event_type, direction, event_timestamp)
             VALUES ($1, $2, $3, $4, $5, now() - $6 * interval '1 day')",
            &[&user, &contact, &event_type, &direction, &days_ago],
        )
    }

    /// Sent mail.
    pub fn sent(&mut self, user: Uuid, contact: Uuid, days_ago: f64) -> Uuid {
        self.event(user, contact, "email_sent", "outbound", days_ago)
    }

    /// Received mail.
    pub fn received(&mut self, user: Uuid, contact: Uuid, days_ago: f64) -> Uuid {
        self.event(user, contact, "email_received", "inbound", days_ago)
    }

    /// A meeting of the user with a contact.
    pub fn meeting(&mut self, user: Uuid, contact: Uuid, days_ago: f64) -> Uuid {
        self.add(
            "INSERT INTO meetings (id, owner_user_id, primary_contact_id, meeting_start)
             VALUES ($1, $2, $3, now() - $4 * interval '1 day')",
            &[&user, &contact, &days_ago],
        )
    }

    /// Inserts a row whose first parameter is a new id, and returns the id.
    pub fn add(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Uuid {
        let id = Uuid::new_v4();
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&id];
        all.extend_from_slice(parameters);
        self.0.query(sql, &all);
        id
    }
}
