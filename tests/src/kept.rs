//! What an installation holds: configuration, models, runs, scores. For tests of what loses none of it.

use postgres::Client;

use crate::{Crm, Database};

/// What a user configured: one row changed in each table, and one added.
pub const CONFIGURE: &str = "
    UPDATE crm_health.settings SET value = '30' WHERE name = 'active_window_days';
    UPDATE crm_health.stage_thresholds SET critical_days = 99 WHERE stage = 'SQL';
    INSERT INTO crm_health.stage_thresholds (stage, optimal_days, warning_days, critical_days)
      VALUES ('Demo, it''s \"new\"', 1, 2, 3), ('Gone', 1, 2, 3);
    DELETE FROM crm_health.stage_thresholds WHERE stage = 'Gone';
    UPDATE crm_health.signal_weights SET weight = 0.5 WHERE model = 'deal' AND signal = 'sentiment';
    UPDATE crm_health.status_cutoffs SET min_score = CASE status WHEN 'healthy' THEN 22 WHEN 'warning' THEN 21 ELSE 20 END
      WHERE model = 'deal';
    UPDATE crm_health.settings SET value = '31' WHERE name = 'active_window_days';";

/// Configures an installation, and lets a run of one user's scores be logged as `before`.
pub fn configure_and_score(db: &mut Database) {
    let mut crm = Crm(db);
    let user = crm.user(20.0);
    let contact = crm.contact(user);
    crm.deal(user, "SQL", 50.0);
    crm.sent(user, contact, 2.0);
    db.run(CONFIGURE);
    db.run("CALL crm_health.refresh_active_users('before')");
}

/// The whole configuration, with what ships told from what was changed.
pub fn configuration(client: &mut Client) -> String {
    text(
        client,
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
           SELECT format('setting %s %s %s %s', name, value, shipped, changed_at) AS line FROM crm_health.settings
           UNION ALL SELECT format('stage %s %s %s %s %s %s', stage, optimal_days, warning_days, critical_days, shipped, changed_at) FROM crm_health.stage_thresholds
           UNION ALL SELECT format('weight %s %s %s %s %s', model, signal, weight, shipped, changed_at) FROM crm_health.signal_weights
           UNION ALL SELECT format('cutoff %s %s %s %s %s', model, status, min_score, shipped, changed_at) FROM crm_health.status_cutoffs) c",
    )
}

/// Scores and history, to the last column.
pub fn scores(client: &mut Client) -> String {
    text(
        client,
        "SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM (
           SELECT to_jsonb(d) FROM deal_health_scores d UNION ALL
           SELECT to_jsonb(r) FROM relationship_health_scores r UNION ALL
           SELECT to_jsonb(h) FROM deal_health_history h UNION ALL
           SELECT to_jsonb(h) FROM relationship_health_history h) t",
    )
}

/// The one text of a query.
///
/// # Panics
/// Where it fails, or returns anything else.
pub fn text(client: &mut Client, sql: &str) -> String {
    client
        .query_one(sql, &[])
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        .get(0)
}
