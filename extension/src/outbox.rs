//! Writes notifications into the outbox, many in one statement.

use pgrx::datum::{JsonB, Uuid};
use pgrx::prelude::*;
use serde_json::{Value, json};

use crate::error::Result;

/// What somebody should hear of. Texts are plain, and cut where they are too long.
pub(crate) struct Notification {
    pub(crate) kind: &'static str,
    pub(crate) user: Uuid,
    pub(crate) subject_type: &'static str,
    pub(crate) subject: Uuid,
    pub(crate) severity: &'static str,
    pub(crate) title: String,
    pub(crate) detail: Option<String>,
    pub(crate) next_step: Option<String>,
    pub(crate) data: Value,
}

/// Writes them, as the owner of the extension: call it in no [`AsOwner`](crate::owner::AsOwner).
pub(crate) fn post(notifications: &[Notification]) -> Result<()> {
    if notifications.is_empty() {
        return Ok(());
    }
    let rows: Vec<Value> = notifications
        .iter()
        .map(|n| {
            json!({
                "kind": n.kind, "user_id": n.user.to_string(), "subject_type": n.subject_type,
                "subject_id": n.subject.to_string(), "severity": n.severity, "title": n.title,
                "detail": n.detail, "next_step": n.next_step, "data": n.data,
            })
        })
        .collect();
    if crate::citus::tell(&rows) {
        return Ok(());
    }
    post_rows(&rows)
}

/// Writes those that were made on another server, likewise.
pub(crate) fn post_rows(rows: &[Value]) -> Result<()> {
    if rows.is_empty() || !is_there()? {
        return Ok(());
    }
    Spi::connect_mut(|client| {
        client.update(
            "INSERT INTO crm_health.notifications
               (kind, user_id, subject_type, subject_id, severity, title, detail, next_step, data)
             SELECT n.kind, n.user_id, n.subject_type, n.subject_id, n.severity, crm_health.cut_text(n.title, 300),
                    crm_health.cut_text(n.detail, 2000), crm_health.cut_text(n.next_step, 1000), n.data
             FROM jsonb_to_recordset($1) AS n (
               kind text, user_id uuid, subject_type text, subject_id text, severity text, title text,
               detail text, next_step text, data jsonb)",
            None,
            &[JsonB(Value::Array(rows.to_vec())).into()],
        )?;
        Ok(())
    })
}

/// The outbox came with 0.2.0: until ALTER EXTENSION … UPDATE there is none.
pub(crate) fn is_there() -> Result<bool> {
    let found: Option<bool> =
        Spi::get_one("SELECT to_regclass('crm_health.notifications') IS NOT NULL")?;
    Ok(found == Some(true))
}
