//! The extension's outbox without the extension, as its own SQL makes it, and rounds of delivery.

use std::time::Duration;

use crm_health_sync::notify::Notifier;
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::World;
use super::receiver::Receiver;

const NOTIFICATIONS: &str = include_str!("../../../sql/extension/notifications.sql");

/// The statement of the extension's file that begins so, to where it ends.
fn statement(begins: &str, ends: &str) -> &'static str {
    let start = NOTIFICATIONS.find(begins).expect(begins);
    let length = NOTIFICATIONS[start..].find(ends).expect(ends) + ends.len();
    &NOTIFICATIONS[start..start + length]
}

impl World {
    /// A world with an outbox, and channels `slack` and `webhook` that lead to a receiver.
    pub(crate) async fn with_outbox(settings: &str) -> (Self, Receiver) {
        let mut world = Self::with(settings).await;
        let receiver = Receiver::start().await;
        world.set_variable("CRM_HEALTH_CHANNEL_SLACK_URL", &receiver.url("slack"));
        world.set_variable("CRM_HEALTH_CHANNEL_WEBHOOK_URL", &receiver.url("hook"));
        world.set_variable("CRM_HEALTH_CHANNEL_WEBHOOK_SECRET", SIGNING_SECRET);
        world.make_outbox().await;
        (world, receiver)
    }

    pub(crate) async fn make_outbox(&self) {
        self.execute("CREATE SCHEMA IF NOT EXISTS crm_health").await;
        self.execute(statement("CREATE TABLE crm_health.notifications", ");\n"))
            .await;
        let bell = statement("CREATE FUNCTION crm_health.ring_bell()", "$$;\n");
        self.execute(bell).await;
        let trigger = statement("CREATE TRIGGER ring_bell", "crm_health.ring_bell();");
        self.execute(trigger).await;
        self.execute(
            "CREATE FUNCTION crm_health.require_trusted() RETURNS void LANGUAGE sql AS 'SELECT'",
        )
        .await;
        for name in ["cut_text", "post_notification"] {
            let function = format!("CREATE FUNCTION crm_health.{name}(");
            self.execute(statement(&function, "$$;\n")).await;
        }
    }

    /// So many notifications of that severity about a user.
    pub(crate) async fn post(&self, user: Option<Uuid>, severity: &str, title: &str, count: i64) {
        let sql = "INSERT INTO crm_health.notifications (kind, user_id, subject_type, subject_id, severity, title)
                   SELECT 'alert_raised', $1, 'deal', 'd', $2, $3 FROM generate_series(1, $4)";
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .bind(user)
            .bind(severity)
            .bind(title)
            .bind(count)
            .execute(&self.pool)
            .await
            .expect(sql);
    }

    /// A daemon of its own that makes rounds.
    pub(crate) fn notifier(&self) -> Notifier {
        Notifier::new(self.engine()).expect("channels")
    }

    /// One round, as by a daemon that was just started.
    pub(crate) async fn round(&self) -> Duration {
        round(&self.notifier()).await
    }

    /// As if so many seconds had passed for all that waits.
    pub(crate) async fn let_pass(&self, seconds: i64) {
        self.execute(&format!(
            "UPDATE crm_health_sync.deliveries SET taken_at = taken_at - interval '{seconds} s' WHERE state = 'waiting';
             UPDATE crm_health_sync.channels SET next_attempt_at = next_attempt_at - interval '{seconds} s',
                    lease_until = lease_until - interval '{seconds} s'"
        ))
        .await;
    }

    /// Deliveries as (channel, state, how many).
    pub(crate) async fn deliveries(&self) -> Vec<(String, String, i64)> {
        let sql = "SELECT channel, state, count(*) FROM crm_health_sync.deliveries GROUP BY 1, 2 ORDER BY 1, 2";
        sqlx::query_as(sql).fetch_all(&self.pool).await.expect(sql)
    }

    /// State and reason of a channel.
    pub(crate) async fn channel(&self, name: &str) -> (String, Option<String>) {
        let sql = "SELECT state, reason FROM crm_health_sync.channels WHERE name = $1";
        let query = sqlx::query_as(sql).bind(name);
        query.fetch_one(&self.pool).await.expect(sql)
    }
}

pub(crate) const SIGNING_SECRET: &str = "signing-secret-of-the-tests";

pub(crate) async fn round(notifier: &Notifier) -> Duration {
    notifier
        .round(&CancellationToken::new())
        .await
        .expect("a round")
}
