//! Tables of the application's own making: its types stay, and a refresh writes them as they are.

use crm_health_tests::{Crm, Database};
use uuid::Uuid;

const BOTH: &str = "SELECT (SELECT count(*) FROM refresh_deal_health_scores($1, 0))
                         + (SELECT count(*) FROM refresh_relationship_health_scores($1, 0))";

/// A deal that worries, and a contact who gave a signal.
fn user(db: &mut Database) -> Uuid {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 40.0);
    let contact = crm.contact(user);
    crm.sent(user, contact, 3.0);
    crm.sent(user, contact, 2.0);
    crm.received(user, contact, 60.0);
    user
}

fn refreshed(db: &mut Database, user: Uuid) -> i64 {
    db.value(BOTH, &[&user])
}

#[test]
fn words_may_be_enums_everywhere() {
    let mut db = Database::new();
    db.run(
        "DO $$
         DECLARE
           c record;
         BEGIN
           FOR c IN
             SELECT * FROM (VALUES
               ('relationship_health_scores', 'relationship_type', 'contact,company'),
               ('relationship_health_scores', 'health_status', 'healthy,at_risk,critical,ghost'),
               ('relationship_health_history', 'health_status', 'healthy,at_risk,critical,ghost'),
               ('deal_health_scores', 'health_status', 'healthy,warning,critical,stalled'),
               ('ghost_detection_signals', 'severity', 'low,medium,high,critical'),
               ('ghost_detection_signals', 'signal_type', 'email_no_response,response_time_increased,email_opens_declined,meeting_rescheduled_repeatedly,sentiment_declining,thread_dropout,engagement_pattern_break'),
               ('deal_health_alerts', 'severity', 'info,warning,critical'),
               ('deal_health_alerts', 'status', 'active,acknowledged,resolved,dismissed'),
               ('deal_health_alerts', 'action_priority', 'low,medium,high,urgent'),
               ('deal_health_alerts', 'alert_type', 'stage_stall,sentiment_drop,engagement_decline,no_activity,missed_follow_up,close_date_approaching,high_risk')
             ) v (tab, col, words)
           LOOP
             EXECUTE format('CREATE TYPE %I AS ENUM (%s)', c.tab || '_' || c.col,
               (SELECT string_agg(quote_literal(w), ',') FROM unnest(string_to_array(c.words, ',')) w));
             PERFORM pg_temp.retype(c.tab, c.col);
           END LOOP;
         END $$"
            .replace("PERFORM pg_temp.retype(c.tab, c.col)", RETYPE)
            .as_str(),
    );
    let user = user(&mut db);
    assert_eq!(refreshed(&mut db, user), 2);
    let kept: i64 = db.value(
        "SELECT (SELECT count(*) FROM deal_health_alerts WHERE status = 'active')
              + (SELECT count(*) FROM ghost_detection_signals) + (SELECT count(*) FROM relationship_health_history)",
        &[],
    );
    assert!(kept >= 4, "alerts, signals and snapshots: {kept}");
    // What was written is changed and ended, too, one by one as by user.
    db.run("UPDATE deal_health_alerts SET severity = 'info'; UPDATE deal_health_scores SET last_calculated_at = '2020-01-01'");
    db.run("UPDATE deals SET stage_changed_at = now(); DELETE FROM communication_events");
    assert_eq!(refreshed(&mut db, user), 2);
    let open: i64 = db.value(
        "SELECT count(*) FROM ghost_detection_signals WHERE resolved_at IS NULL",
        &[],
    );
    assert_eq!(open, 0);
}

/// Constraints, defaults, indexes and policies on the old type go before it does.
const RETYPE: &str = "EXECUTE (
    SELECT coalesce(string_agg(format('ALTER TABLE %I DROP CONSTRAINT %I CASCADE;', c.tab, o.conname), ''), '')
    FROM pg_constraint o
    WHERE o.conrelid = c.tab::regclass AND o.contype = 'c' AND pg_get_constraintdef(o.oid) LIKE '%' || c.col || '%');
  EXECUTE (
    SELECT coalesce(string_agg(format('DROP INDEX %s;', i.indexrelid::regclass), ''), '')
    FROM pg_index i
    WHERE i.indrelid = c.tab::regclass AND NOT i.indisprimary
      AND pg_get_indexdef(i.indexrelid) LIKE '%' || c.col || '%');
  EXECUTE format('ALTER TABLE %1$I ALTER %2$I DROP DEFAULT, ALTER %2$I TYPE %3$I USING %2$I::text::%3$I',
                 c.tab, c.col, c.tab || '_' || c.col)";

#[test]
fn json_serves_where_jsonb_is_meant() {
    let mut db = Database::new();
    let user = user(&mut db);
    db.run(
        "ALTER TABLE relationship_health_scores
           ALTER last_meaningful_interaction TYPE json USING last_meaningful_interaction::json,
           ALTER ghost_signals DROP DEFAULT, ALTER ghost_signals TYPE json USING ghost_signals::json",
    );
    assert_eq!(refreshed(&mut db, user), 2);
    let before: String = db.value(
        "SELECT updated_at::text FROM relationship_health_scores",
        &[],
    );
    assert_eq!(refreshed(&mut db, user), 2);
    let after: String = db.value(
        "SELECT updated_at::text FROM relationship_health_scores",
        &[],
    );
    assert_eq!(before, after, "nothing changed");
    let signals: i32 = db.value(
        "SELECT json_array_length(ghost_signals) FROM relationship_health_scores",
        &[],
    );
    assert!(signals > 0);
}

#[test]
fn a_generated_column_is_left_to_the_server() {
    let mut db = Database::new();
    let user = user(&mut db);
    db.run(
        "ALTER TABLE relationship_health_scores DROP COLUMN risk_level;
         ALTER TABLE relationship_health_scores ADD risk_level text
           GENERATED ALWAYS AS (CASE WHEN overall_health_score < 50 THEN 'high' ELSE 'low' END) STORED;
         ALTER TABLE deal_health_scores DROP COLUMN risk_level;
         ALTER TABLE deal_health_scores ADD risk_level text
           GENERATED ALWAYS AS (CASE WHEN overall_health_score < 50 THEN 'high' ELSE 'low' END) STORED",
    );
    assert_eq!(refreshed(&mut db, user), 2);
    assert_eq!(refreshed(&mut db, user), 2);
}

/// Times without a zone are in UTC, whatever the session's zone is.
#[test]
fn times_without_a_zone_are_in_utc() {
    let mut db = Database::new();
    db.run(
        "DO $$ BEGIN
           EXECUTE (SELECT string_agg(format('DROP TRIGGER %I ON communication_events;', tgname), '')
                    FROM pg_trigger WHERE tgrelid = 'communication_events'::regclass AND NOT tgisinternal);
         END $$;
         SET timezone = 'UTC';
         ALTER TABLE communication_events ALTER event_timestamp TYPE timestamp;
         ALTER TABLE meetings ALTER meeting_start TYPE timestamp;
         ALTER TABLE deals ALTER stage_changed_at TYPE timestamp;
         ALTER TABLE relationship_health_scores ALTER last_calculated_at TYPE timestamp;
         ALTER TABLE deal_health_scores ALTER last_calculated_at TYPE timestamp",
    );
    let user = user(&mut db);
    db.run(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         SELECT owner_id, id, 'email_received', 'inbound', now() AT TIME ZONE 'UTC' - interval '3 hours' FROM contacts",
    );
    for zone in ["UTC", "America/Los_Angeles", "Pacific/Auckland"] {
        let mut session = db.session();
        let set = format!("SET timezone = '{zone}'");
        session.batch_execute(&set).expect(zone);
        session.query(BOTH, &[&user]).expect("a refresh");
        let days: i32 = db.value(
            "SELECT days_since_last_contact FROM relationship_health_scores",
            &[],
        );
        assert_eq!(days, 0, "in {zone}");
        let zone_after: String = session
            .query_one("SHOW timezone", &[])
            .expect("a setting")
            .get(0);
        assert_eq!(zone_after, zone, "the session's zone is its own");
        for call in [
            "refresh_deal_health_scores",
            "refresh_relationship_health_scores",
        ] {
            let fresh = format!("SELECT count(*) FILTER (WHERE updated) FROM {call}($1, 1)");
            let row = session.query_one(&fresh, &[&user]).expect("fresh scores");
            assert_eq!(row.get::<_, i64>(0), 0, "{call} in {zone}");
        }
    }
}
