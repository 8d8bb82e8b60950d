//! Snapshots: when one is written, what it says, and what stays untouched when nothing happened.

use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};
use uuid::Uuid;

const DAY: &str = "2024-06-15 12:00:00+00";

/// Scores everything of a user as of an instant.
fn refresh_as_of(db: &mut Database, user: Uuid, at: &str) {
    for kind in ["deals", "relationships"] {
        db.query(
            &format!("SELECT crm_health.refresh_{kind}(ARRAY[$1::uuid], 0, '{at}')"),
            &[&user],
        );
    }
}

/// A contact with one inbound mail on 2024-06-14.
fn contact_with_mail(db: &mut Database) -> (Uuid, Uuid) {
    let mut crm = Crm(db);
    crm.ghost_by_rules();
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    let mail = crm.received(user, contact, 0.0);
    crm.set(
        "communication_events",
        mail,
        "event_timestamp = '2024-06-14 12:00+00'",
    );
    (user, contact)
}

fn relationship_history(db: &mut Database) -> Vec<Value> {
    db.query(
        "SELECT to_jsonb(h) - '{id,user_id,relationship_health_id,snapshot_at}'::text[]
         FROM relationship_health_history h ORDER BY snapshot_at, h.ctid",
        &[],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

#[test]
fn the_first_score_of_a_contact_is_a_scheduled_snapshot_of_all_it_has() {
    let mut db = Database::new();
    let (user, contact) = contact_with_mail(&mut db);
    refresh_as_of(&mut db, user, DAY);
    let rows: i64 = db.value(
        "SELECT count(*) FROM relationship_health_history h
         JOIN relationship_health_scores s ON s.id = h.relationship_health_id
         WHERE s.contact_id = $1 AND h.user_id = $2 AND h.snapshot_at = $3::text::timestamptz AND h.snapshot_reason = 'scheduled'
           AND h.changes_from_previous IS NULL
           AND (h.overall_health_score, h.health_status, h.communication_frequency_score, h.response_behavior_score,
                h.engagement_quality_score, h.sentiment_score, h.meeting_pattern_score, h.is_ghost_risk,
                coalesce(h.ghost_probability_percent, -1))
             = (s.overall_health_score, s.health_status, s.communication_frequency_score, s.response_behavior_score,
                s.engagement_quality_score, s.sentiment_score, s.meeting_pattern_score, s.is_ghost_risk,
                coalesce(s.ghost_probability_percent, -1))",
        &[&contact, &user, &DAY],
    );
    assert_eq!(rows, 1);
    assert_eq!(relationship_history(&mut db).len(), 1);
}

#[test]
fn a_contact_who_falls_silent_and_comes_back_is_told_by_reasons() {
    let mut db = Database::new();
    let (user, contact) = contact_with_mail(&mut db);
    // One event in 30 days, no baseline: 6.25 + 15 + 10 + 7.5 + 2.5 = 41.25.
    refresh_as_of(&mut db, user, DAY);
    // Silent for 16 days: a ghost, with the same score.
    refresh_as_of(&mut db, user, "2024-06-30 12:00:00+00");
    // No event in 30 days: the score falls to 35.
    refresh_as_of(&mut db, user, "2024-08-01 12:00:00+00");
    let mut crm = Crm(&mut db);
    for day in 1..=8 {
        let mail = crm.received(user, contact, 0.0);
        crm.set(
            "communication_events",
            mail,
            &format!("event_timestamp = '2024-08-10 12:00+00'::timestamptz + {day} * interval '1 hour', response_time_hours = 1"),
        );
    }
    refresh_as_of(&mut db, user, "2024-08-11 12:00:00+00");
    // Fewer now, but not silent and not far from before.
    refresh_as_of(&mut db, user, "2024-08-24 12:00:00+00");
    let told: Vec<Value> = relationship_history(&mut db)
        .iter()
        .map(|row| {
            json!([
                row["overall_health_score"],
                row["health_status"],
                row["snapshot_reason"],
                row["changes_from_previous"]["overall_health_score_delta"],
                row["changes_from_previous"]["ghost_risk_changed"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([41, "critical", "scheduled", null, null]),
            json!([41, "ghost", "ghost_detected", 0, true]),
            json!([35, "ghost", "scheduled", -6, false]),
            // 25 + 30 + 10 + 7.5 + 2.5
            json!([75, "healthy", "recovery", 40, true]),
        ],
        "nothing changed after the recovery"
    );
}

#[test]
fn a_great_leap_is_a_major_change_and_says_from_where_to_where() {
    let mut db = Database::new();
    let (user, contact) = contact_with_mail(&mut db);
    refresh_as_of(&mut db, user, DAY);
    let mut crm = Crm(&mut db);
    let meeting = crm.meeting(user, contact, 0.0);
    crm.set(
        "meetings",
        meeting,
        "meeting_start = '2024-06-15 10:00+00', sentiment_score = 0.5",
    );
    // Engagement 90, sentiment 75, pattern 50: 6.25 + 15 + 18 + 11.25 + 5 = 55.5.
    refresh_as_of(&mut db, user, "2024-06-15 18:00:00+00");
    // The cut-offs move by two points and the status with them.
    db.run("UPDATE crm_health.status_cutoffs SET min_score = 60 WHERE model = 'relationship' AND status = 'at_risk'");
    refresh_as_of(&mut db, user, "2024-06-15 20:00:00+00");
    let rows = relationship_history(&mut db);
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1]["snapshot_reason"], "major_change");
    assert_eq!(
        rows[1]["changes_from_previous"],
        json!({"overall_health_score_delta": 15, "status_changed": true, "ghost_risk_changed": false,
               "previous_status": "critical", "new_status": "at_risk"})
    );
    assert_eq!(rows[2]["snapshot_reason"], "scheduled");
    assert_eq!(
        rows[2]["changes_from_previous"]["overall_health_score_delta"],
        0
    );
    assert_eq!(rows[2]["changes_from_previous"]["new_status"], "critical");
}

#[test]
fn a_deal_has_a_snapshot_for_each_change_and_none_between() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 0.0);
    crm.set(
        "deals",
        deal,
        "stage_changed_at = '2024-06-10 12:00+00', created_at = '2024-06-01'",
    );
    for day in [15, 16, 17, 20, 20] {
        refresh_as_of(&mut db, user, &format!("2024-06-{day} 12:00:00+00"));
    }
    let rows: Vec<(i32, i32, String)> = db
        .query(
            "SELECT h.overall_health_score, h.stage_velocity_score, to_char(h.snapshot_at AT TIME ZONE 'UTC', 'MM-DD')
             FROM deal_health_history h WHERE deal_id = $1 ORDER BY snapshot_at",
            &[&deal],
        )
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    // 62.5 with a velocity of 100; ten days in the stage make it 83, and the score 57.4.
    assert_eq!(
        rows,
        [(63, 100, "06-15".to_owned()), (57, 83, "06-20".to_owned())]
    );
}

#[test]
fn a_refresh_that_changes_nothing_moves_the_time_of_calculation_alone() {
    let mut db = Database::new();
    let (user, _) = contact_with_mail(&mut db);
    let mut crm = Crm(&mut db);
    let deal = crm.deal(user, "SQL", 0.0);
    crm.set(
        "deals",
        deal,
        "stage_changed_at = '2024-06-14 12:00+00', created_at = '2024-06-01'",
    );
    refresh_as_of(&mut db, user, DAY);
    let before = rows_of_scores(&mut db);
    db.run("UPDATE deal_health_scores SET last_calculated_at = '2020-01-01'; UPDATE relationship_health_scores SET last_calculated_at = '2020-01-01'");
    refresh_as_of(&mut db, user, DAY);
    assert_eq!(rows_of_scores(&mut db), before, "updated_at stays too");
    let histories: i64 = db.value(
        "SELECT (SELECT count(*) FROM deal_health_history) + (SELECT count(*) FROM relationship_health_history)",
        &[],
    );
    assert_eq!(histories, 2);
}

#[test]
fn a_refresh_that_changes_something_moves_updated_at() {
    let mut db = Database::new();
    let (user, contact) = contact_with_mail(&mut db);
    refresh_as_of(&mut db, user, DAY);
    let updated = "SELECT updated_at::text FROM relationship_health_scores";
    let before: String = db.value(updated, &[]);
    // The score stays as it is, one of its columns does not.
    let mut crm = Crm(&mut db);
    let deal = crm.deal(user, "SQL", 0.0);
    crm.set("deals", deal, &format!("primary_contact_id = '{contact}'"));
    refresh_as_of(&mut db, user, DAY);
    assert_ne!(db.value::<String>(updated, &[]), before);
    assert_eq!(
        relationship_history(&mut db).len(),
        1,
        "no snapshot, for the score is the same"
    );
}

#[test]
fn a_refresh_of_every_score_updates_each_in_place() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    db.query(
        "INSERT INTO contacts (owner_id, email) SELECT $1, n || '@example.com' FROM generate_series(1, 300) n",
        &[&user],
    );
    db.query(
        "INSERT INTO deals (owner_id, name, value, created_at) SELECT $1, 'Deal', 1, '2024-06-01' FROM generate_series(1, 300) n",
        &[&user],
    );
    refresh_as_of(&mut db, user, "2024-06-15 12:00:00+00");
    // What the transaction itself counts is there at once, on every major.
    db.run("BEGIN");
    refresh_as_of(&mut db, user, "2024-06-16 12:00:00+00");
    let updates: Vec<(String, i64, i64)> = db
        .query(
            "SELECT relname::text, n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables
             WHERE relname IN ('deal_health_scores', 'relationship_health_scores') ORDER BY 1",
            &[],
        )
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    assert_eq!(
        updates,
        [
            ("deal_health_scores".to_owned(), 300, 300),
            ("relationship_health_scores".to_owned(), 300, 300)
        ]
    );
}

#[test]
fn calling_again_never_doubles_a_row() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.company_contact(user);
    crm.contact(user);
    crm.deal(user, "SQL", 5.0);
    // Not even under the older key, to which two NULLs are never the same.
    db.run(
        "ALTER TABLE relationship_health_scores DROP CONSTRAINT IF EXISTS relationship_health_scores_user_id_contact_id_key,
                                                DROP CONSTRAINT IF EXISTS relationship_health_scores_user_id_company_id_key;
         DROP INDEX IF EXISTS relationship_health_scores_user_id_contact_id_key, relationship_health_scores_user_id_company_id_key;
         CREATE UNIQUE INDEX older_key ON relationship_health_scores (user_id, contact_id, company_id)",
    );
    for _ in 0..3 {
        Crm(&mut db).refresh(user);
    }
    let rows: i64 = db.value(
        "SELECT (SELECT count(*) FROM relationship_health_scores) * 10 + (SELECT count(*) FROM deal_health_scores)",
        &[],
    );
    assert_eq!(rows, 31, "two contacts, a company; a deal");
}

fn rows_of_scores(db: &mut Database) -> Value {
    db.value(
        "SELECT jsonb_build_array((SELECT jsonb_agg(to_jsonb(d)) FROM deal_health_scores d),
                                  (SELECT jsonb_agg(to_jsonb(r)) FROM relationship_health_scores r))",
        &[],
    )
}

/// Ids that begin with the time: the index of a long history takes a day's snapshots at its end.
#[test]
fn the_ids_of_snapshots_are_in_the_order_of_time_where_they_are_uuids() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    db.query(
        "INSERT INTO contacts (owner_id, email) SELECT $1, n || '@example.com' FROM generate_series(1, 300) n",
        &[&user],
    );
    refresh_as_of(&mut db, user, DAY);
    let (all, of_time): (i64, i64) = {
        let rows = db.query(
            "SELECT count(DISTINCT h.id), count(*) FILTER (WHERE h.id::text LIKE '________-____-7___-____-____________'
               AND abs(extract(epoch FROM now()) * 1000 - ('x' || replace(left(h.id::text, 13), '-', ''))::bit(48)::bigint) < 600000)
             FROM relationship_health_history h",
            &[],
        );
        (rows[0].get(0), rows[0].get(1))
    };
    assert_eq!((all, of_time), (300, 300));
    // Another kind of id is the table's own matter.
    db.run(
        "DELETE FROM relationship_health_scores;
         ALTER TABLE relationship_health_history DROP COLUMN id;
         ALTER TABLE relationship_health_history ADD id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    );
    refresh_as_of(&mut db, user, DAY);
    let kept: i64 = db.value(
        "SELECT count(*) FROM relationship_health_history WHERE id > 0",
        &[],
    );
    assert_eq!(kept, 300);
}
