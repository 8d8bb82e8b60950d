//! Ghost signals as rows: one for each that holds, resolved when it holds no more.

use crm_health_tests::session::{listen, refresh_twice_at_once};
use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};
use uuid::Uuid;

/// Mail without an answer, so that email_no_response holds.
fn silent(db: &mut Database, mails: usize) -> (Uuid, Uuid) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    for mail in 0..mails {
        crm.sent(user, contact, 1.0 + mail as f64);
    }
    (user, contact)
}

fn refresh(db: &mut Database, user: Uuid, days_ahead: i32) {
    db.query(
        "SELECT crm_health.refresh_relationships(ARRAY[$1::uuid], 0, now() + $2::int4 * interval '1 day')",
        &[&user, &days_ahead],
    );
}

/// `type severity open|resolved` of each row about unanswered mail, the oldest first.
fn rows(db: &mut Database) -> Value {
    db.value(
        "SELECT coalesce(jsonb_agg(concat_ws(' ', signal_type, severity, CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'resolved' END)
                                   ORDER BY detected_at), '[]')
         FROM ghost_detection_signals WHERE signal_type = 'email_no_response'",
        &[],
    )
}

#[test]
fn a_signal_is_a_row_that_says_what_the_score_says() {
    let mut db = Database::new();
    let (user, contact) = silent(&mut db, 2);
    refresh(&mut db, user, 0);
    assert_eq!(rows(&mut db), json!(["email_no_response high open"]));
    let (row, signal): (Value, Value) = {
        let found = db.query(
            "SELECT to_jsonb(g), s.ghost_signals -> 0, s.contact_id, s.last_calculated_at = g.detected_at
             FROM ghost_detection_signals g JOIN relationship_health_scores s ON s.id = g.relationship_health_id",
            &[],
        );
        assert_eq!(found[0].get::<_, Uuid>(2), contact);
        assert!(
            found[0].get::<_, bool>(3),
            "detected as of the instant of the score"
        );
        (found[0].get(0), found[0].get(1))
    };
    for key in ["signal_type", "severity", "signal_context", "signal_data"] {
        assert_eq!(row[key], signal[key], "{key}");
    }
    assert_eq!(row["user_id"], user.to_string());
}

#[test]
fn an_unchanged_signal_is_not_rewritten_and_a_changed_one_is_the_same_row() {
    let mut db = Database::new();
    let (user, contact) = silent(&mut db, 2);
    refresh(&mut db, user, 0);
    let version = "SELECT concat(xmin, ' ', ctid) FROM ghost_detection_signals";
    let before: String = db.value(version, &[]);
    refresh(&mut db, user, 0);
    assert_eq!(db.value::<String>(version, &[]), before);
    let id: Uuid = db.value("SELECT id FROM ghost_detection_signals", &[]);
    Crm(&mut db).sent(user, contact, 0.5);
    refresh(&mut db, user, 0);
    assert_eq!(rows(&mut db), json!(["email_no_response critical open"]));
    let row: Value = db.value("SELECT to_jsonb(g) FROM ghost_detection_signals g", &[]);
    assert_eq!(row["id"], id.to_string());
    assert_eq!(row["signal_data"]["unreplied_count"], 3);
}

#[test]
fn an_answer_resolves_it_and_a_new_silence_is_a_new_row() {
    let mut db = Database::new();
    let (user, _) = silent(&mut db, 2);
    refresh(&mut db, user, 0);
    db.run("UPDATE communication_events SET was_replied = true");
    refresh(&mut db, user, 1);
    assert_eq!(rows(&mut db), json!(["email_no_response high resolved"]));
    let after: bool = db.value(
        "SELECT resolved_at > detected_at FROM ghost_detection_signals WHERE signal_type = 'email_no_response'",
        &[],
    );
    assert!(after);
    db.run("UPDATE communication_events SET was_replied = false");
    refresh(&mut db, user, 2);
    assert_eq!(
        rows(&mut db),
        json!([
            "email_no_response high resolved",
            "email_no_response high open"
        ])
    );
}

#[test]
fn a_company_has_no_signals() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (_, contact) = crm.company_contact(user);
    crm.sent(user, contact, 1.0);
    crm.sent(user, contact, 2.0);
    refresh(&mut db, user, 0);
    let of: Value = db.value(
        "SELECT jsonb_agg(s.relationship_type) FROM ghost_detection_signals g
         JOIN relationship_health_scores s ON s.id = g.relationship_health_id",
        &[],
    );
    assert_eq!(of, json!(["contact"]));
}

#[test]
fn one_users_refresh_leaves_another_users_signals_and_those_of_fresh_scores() {
    let mut db = Database::new();
    let (first, _) = silent(&mut db, 2);
    let (second, _) = silent(&mut db, 2);
    refresh(&mut db, first, 0);
    refresh(&mut db, second, 0);
    db.run("UPDATE communication_events SET was_replied = true");
    refresh(&mut db, second, 0);
    let open: Vec<Uuid> = db
        .query(
            "SELECT user_id FROM ghost_detection_signals WHERE resolved_at IS NULL",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(open, [first]);
    db.query("SELECT refresh_relationship_health_scores($1)", &[&first]);
    let open: i64 = db.value(
        "SELECT count(*) FROM ghost_detection_signals WHERE resolved_at IS NULL",
        &[],
    );
    assert_eq!(open, 1, "a fresh score is not looked at again");
}

#[test]
fn an_earlier_instant_resolves_no_later_signal() {
    let mut db = Database::new();
    let (user, _) = silent(&mut db, 2);
    refresh(&mut db, user, 0);
    refresh(&mut db, user, -100);
    assert_eq!(rows(&mut db), json!(["email_no_response high open"]));
}

#[test]
fn two_refreshes_at_once_write_one_row() {
    let mut db = Database::new();
    let (user, _) = silent(&mut db, 2);
    refresh_twice_at_once(&mut db, "refresh_relationships", user);
    assert_eq!(rows(&mut db), json!(["email_no_response high open"]));
}

#[test]
fn without_a_table_of_signals_scores_are_what_they_are_and_a_wrong_one_is_warned_of() {
    let mut db = Database::new();
    let (user, contact) = silent(&mut db, 3);
    refresh(&mut db, user, 0);
    let expected = Crm(&mut db).contact_score(contact);
    for (damage, warning) in [
        ("DROP TABLE ghost_detection_signals", None),
        (
            "ALTER TABLE ghost_detection_signals DROP COLUMN signal_data",
            Some(
                "no ghost signals are kept: table \"public.ghost_detection_signals\" has no column \"signal_data\"",
            ),
        ),
    ] {
        let (mut session, notices) = listen(&db.url());
        session
            .batch_execute(&format!("BEGIN; {damage}"))
            .expect(damage);
        session
            .query(
                "SELECT crm_health.refresh_relationships(ARRAY[$1::uuid], 0)",
                &[&user],
            )
            .expect(damage);
        let score: Value = session
            .query_one(
                "SELECT to_jsonb(s) FROM relationship_health_scores s WHERE contact_id = $1",
                &[&contact],
            )
            .expect(damage)
            .get(0);
        for (key, value) in expected.as_object().expect("a score") {
            assert_eq!(&score[key], value, "{damage}: {key}");
        }
        assert_eq!(
            notices.of("WARNING").first().map(String::as_str),
            warning,
            "{damage}"
        );
        session.batch_execute("ROLLBACK").expect("the rollback");
    }
}

#[test]
fn an_unresolved_signal_is_explained_with_what_to_do_and_what_to_refer_to() {
    let mut db = Database::new();
    let (_, contact) = silent(&mut db, 3);
    let explained: Value = db.value(
        "SELECT jsonb_object_agg(signal, concat_ws(' ', value, reason)) FROM crm_health.explain_contact($1)
         WHERE signal IN ('email_no_response', 'recommended_action')",
        &[&contact],
    );
    let action = explained["recommended_action"].as_str().expect("an action");
    assert!(
        action.ends_with("multiple_followups_ignored"),
        "{explained}"
    );
    assert!(
        explained["email_no_response"]
            .as_str()
            .is_some_and(|text| text.starts_with("critical ")),
        "{explained}"
    );
}
