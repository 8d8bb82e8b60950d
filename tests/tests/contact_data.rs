//! What is held about a contact: handed out whole, erased to the last mention, and only by who may.

use crm_health_tests::cluster::dump;
use crm_health_tests::session::{assert_refused_to_others, become_role};
use crm_health_tests::{Crm, Database};
use serde_json::{Value, json};
use uuid::Uuid;

const ADDRESS: &str = "Ada.Park+crm@acme-corp.example";
const NAME: &str = "Ada \"Q\" Park";

/// A contact who is mentioned wherever a contact can be, beside one who must stay.
fn held() -> (Database, Uuid, Uuid, Uuid) {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    crm.ghost_by_rules();
    let user = crm.user(0.0);
    let (_, contact) = crm.company_contact(user);
    let other = crm.contact(user);
    let deal = crm.deal(user, "SQL", 20.0);
    crm.0.query(
        "UPDATE contacts SET email = $2, full_name = $3, first_name = 'Ada', last_name = 'Park' WHERE id = $1",
        &[&contact, &ADDRESS, &NAME],
    );
    for days in [1.0, 2.0, 60.0] {
        for person in [contact, other] {
            let event = crm.sent(user, person, days);
            crm.0.query(
                "UPDATE communication_events SET subject = $2, snippet = $3, metadata = jsonb_build_object('to', $4::text, 'note', E'one\\n' || $5),
                        key_topics = to_jsonb(ARRAY[$5]) WHERE id = $1",
                &[&event, &format!("Lunch with {NAME}?"), &format!("Dear {NAME},"), &ADDRESS.to_lowercase(), &NAME],
            );
        }
    }
    let meeting = crm.meeting(user, contact, 4.0);
    crm.0.query(
        "UPDATE meetings SET title = 'Ada Park and us' WHERE id = $1",
        &[&meeting],
    );
    crm.0.query(
        "INSERT INTO meeting_contacts (meeting_id, contact_id) VALUES ($1, $2)",
        &[&meeting, &contact],
    );
    let activity = crm.activity(user, deal, 1.0);
    crm.0.query(
        "UPDATE activities SET subject = 'Call PARK, ADA', contact_id = $2 WHERE id = $1",
        &[&activity, &contact],
    );
    crm.0.query(
        "UPDATE deals SET name = $2, primary_contact_id = $3 WHERE id = $1",
        &[&deal, &format!("Renewal ({NAME})"), &contact],
    );
    crm.refresh(user);
    db.query(
        "SELECT crm_health.post_notification('relationship_status', $1, 'contact', $2::text::uuid::text, 'warning', 'About ' || $3),
                crm_health.post_notification('deal_status', $1, 'deal', 'd', 'warning', 'Deal of ' || $3, p_data => jsonb_build_object('who', $4::text))",
        &[&user, &contact.to_string(), &NAME, &ADDRESS],
    );
    log_errors(&mut db, &[Some(user)]);
    (db, user, contact, other)
}

/// A run whose errors quote the contact, an error for each of these users.
fn log_errors(db: &mut Database, users: &[Option<Uuid>]) {
    let errors: Vec<Value> = users
        .iter()
        .map(|user| json!({"userId": user.map(|user| user.to_string()), "reason": format!("invalid input: \"{NAME}\""), "sqlState": "22P02"}))
        .collect();
    db.query(
        "INSERT INTO crm_health.runs (triggered_by, version, state, finished_at, errors) VALUES ('test', '', 'failed', now(), $1)",
        &[&Value::from(errors)],
    );
}

/// How the contact may still be found in a dump.
fn traces(db: &Database, contact: Uuid) -> Vec<String> {
    let dump = dump(&db.url(), &["--data-only"]).to_lowercase();
    [
        "ada.park",
        "acme-corp",
        "q\\\" park",
        "q\" park",
        "ada park",
        "park, ada",
        &contact.to_string(),
    ]
    .into_iter()
    .filter(|trace| dump.contains(trace))
    .map(str::to_owned)
    .collect()
}

#[test]
fn nothing_of_a_forgotten_contact_is_in_a_dump() {
    let (mut db, user, contact, other) = held();
    assert!(
        traces(&db, contact).len() >= 5,
        "{:?}",
        traces(&db, contact)
    );
    let told: Value = db.value("SELECT crm_health.forget_contact($1)", &[&contact]);
    assert_eq!(traces(&db, contact), Vec::<String>::new());
    assert_eq!(told["left"], json!([]), "{told}");
    for (table, count) in [
        ("contacts", 1),
        ("communication_events", 3),
        ("relationship_health_scores", 1),
        ("meeting_contacts", 1),
        ("notifications", 1),
    ] {
        assert_eq!(told["deleted"][table], count, "{told}");
    }
    for table in [
        "communication_events",
        "deals",
        "meetings",
        "activities",
        "deal_health_alerts",
        "notifications",
        "runs",
    ] {
        assert!(
            told["scrubbed"][table].as_u64() > Some(0),
            "{table}: {told}"
        );
    }
    let kept: Value = db.value(
        "SELECT jsonb_build_object('subject', min(subject), 'note', min(metadata ->> 'note'), 'rows', count(*))
         FROM communication_events WHERE contact_id = $1",
        &[&other],
    );
    assert_eq!(
        kept,
        json!({"subject": "Lunch with [erased]?", "note": "one\n[erased]", "rows": 3})
    );
    let deal: String = db.value("SELECT name FROM deals", &[]);
    assert_eq!(deal, "Renewal ([erased])");
    Crm(&mut db).refresh(user);
    assert_eq!(
        traces(&db, contact),
        Vec::<String>::new(),
        "and no refresh brings it back"
    );
    let (code, message, _) = db.error(&format!("SELECT crm_health.forget_contact('{contact}')"));
    assert_eq!(code, "P0002", "{message}");
}

#[test]
fn an_export_has_every_row_of_the_contact_and_those_that_mention_it() {
    let (mut db, _, contact, other) = held();
    let export: Value = db.value("SELECT crm_health.export_contact($1)", &[&contact]);
    let count = |key: &str| export[key].as_array().map_or(0, Vec::len);
    for (key, rows) in [
        ("contacts", 1),
        ("communication_events", 3),
        ("relationship_health_scores", 1),
        ("relationship_health_history", 1),
        ("meeting_contacts", 1),
        ("notifications", 1),
        ("notifications_that_mention_it", 1),
        ("runs_that_mention_it", 1),
        ("communication_events_that_mention_it", 3),
        ("deals_that_mention_it", 1),
        ("meetings_that_mention_it", 1),
    ] {
        assert_eq!(count(key), rows, "{key}: {export}");
    }
    assert!(count("ghost_detection_signals") > 0, "{export}");
    assert_eq!(export["contacts"][0]["email"], ADDRESS);
    let other: Value = db.value("SELECT crm_health.export_contact($1)", &[&other]);
    assert_eq!(
        other["communication_events"].as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn a_short_name_is_not_sought_in_other_words() {
    let (mut db, _, contact, _) = held();
    db.query(
        "UPDATE contacts SET full_name = 'Ann', first_name = 'Ann', last_name = NULL WHERE id = $1",
        &[&contact],
    );
    db.run("UPDATE deals SET name = 'Annual plan'");
    db.query("SELECT crm_health.forget_contact($1)", &[&contact]);
    let deal: String = db.value("SELECT name FROM deals", &[]);
    assert_eq!(deal, "Annual plan");
}

/// The contact under a name and an address of the test's, beside codes in the rows of others.
fn renamed(name: &str, address: &str) -> (Database, Uuid) {
    let (mut db, _, contact, other) = held();
    db.query(
        "UPDATE contacts SET full_name = $2, email = $3, first_name = NULL, last_name = NULL WHERE id = $1",
        &[&contact, &name, &address],
    );
    db.query(
        "UPDATE communication_events SET metadata = metadata || '{\"subject\": \"a mail\", \"type\": \"unknown\"}' WHERE contact_id = $1",
        &[&other],
    );
    db.run("UPDATE activities SET type = 'critical'");
    (db, contact)
}

#[test]
fn a_name_that_is_a_code_leaves_the_codes_of_other_rows_alone() {
    const CODES: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
        SELECT concat_ws(' ', relationship_type, health_status, risk_level, sentiment_trend, risk_factors,
                         ghost_signals, last_meaningful_interaction - 'subject') AS line
        FROM relationship_health_scores WHERE contact_id IS DISTINCT FROM $1
        UNION ALL SELECT concat_ws(' ', severity, status, alert_type, metadata) FROM deal_health_alerts
        UNION ALL SELECT concat_ws(' ', event_type, direction, metadata ->> 'type', metadata ? 'subject')
        FROM communication_events WHERE contact_id <> $1
        UNION ALL SELECT status FROM deals UNION ALL SELECT type FROM activities) s";
    for name in [
        "Unknown", "Contact", "Critical", "Active", "Subject", "Warning", "Outbound",
    ] {
        let (mut db, contact) = renamed(name, "c@example.org");
        let before: String = db.value(CODES, &[&contact]);
        db.query("SELECT crm_health.forget_contact($1)", &[&contact]);
        let after: String = db.value(CODES, &[&contact]);
        assert_eq!(after, before, "{name}");
    }
}

#[test]
fn a_name_or_address_is_not_sought_within_a_longer_one() {
    let (mut db, contact) = renamed("Ann Lee", "bob@acme.com");
    db.query(
        "INSERT INTO meetings (owner_user_id, title, meeting_start)
         SELECT c.owner_id, t.title, now() FROM contacts c, unnest(ARRAY[
           'Joann Leeds', 'ann lee, Ann Lee''s and Ann Leeson', 'jacobob@acme.com j.bob@acme.com j-bob@acme.com',
           'bob@acme.com.au bob@acme.community', '-bob@acme.com, <Bob@Acme.com>. To=bob@acme.com.']) t (title)
         WHERE c.id = $1",
        &[&contact],
    );
    db.query("SELECT crm_health.forget_contact($1)", &[&contact]);
    let titles: Vec<String> = db
        .query(
            "SELECT title FROM meetings WHERE title NOT LIKE 'Ada%' ORDER BY title COLLATE \"C\"",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        titles,
        [
            "-[erased], <[erased]>. To=[erased].",
            "Joann Leeds",
            "[erased], [erased]'s and Ann Leeson",
            "bob@acme.com.au bob@acme.community",
            "jacobob@acme.com j.bob@acme.com j-bob@acme.com",
        ]
    );
}

#[test]
fn a_name_is_found_however_its_words_are_spaced() {
    let (mut db, contact) = renamed("Ann  Lee", "bob@acme.com");
    db.query(
        "INSERT INTO meetings (owner_user_id, title, meeting_start)
         SELECT c.owner_id, t.title, now() FROM contacts c,
           unnest(ARRAY['Ann Lee', 'Ann  Lee', E'Ann\\n\\tLee', U&'Ann\\00A0Lee']) t (title)
         WHERE c.id = $1",
        &[&contact],
    );
    db.query("SELECT crm_health.forget_contact($1)", &[&contact]);
    let left: i64 = db.value("SELECT count(*) FROM meetings WHERE title ~ 'Lee'", &[]);
    assert_eq!(left, 0);
}

#[test]
fn texts_that_are_the_applications_own_are_left_and_named() {
    let (mut db, _, contact, _) = held();
    db.run(
        "ALTER TABLE deals ADD COLUMN memo text; ALTER TABLE meetings ADD COLUMN notes text;
         UPDATE deals SET memo = 'Ada Park said no'; UPDATE meetings SET notes = 'Ada Park said yes'",
    );
    let told: Value = db.value("SELECT crm_health.forget_contact($1)", &[&contact]);
    assert_eq!(told["left"], json!(["deals.memo"]), "{told}");
    let notes: String = db.value("SELECT notes FROM meetings", &[]);
    assert_eq!(notes, "[erased] said yes");
}

#[test]
fn in_json_the_values_are_replaced_and_what_is_no_text_stays() {
    let (mut db, _, contact, other) = held();
    db.query(
        r#"UPDATE communication_events SET metadata = '{"Ada Park": ["Ada Park", {"n": 1.50, "t": true, "z": null, "told": "a \"b\" \\ Ada Park"}], "e": {}}'
           WHERE contact_id = $1"#,
        &[&other],
    );
    db.query("SELECT crm_health.forget_contact($1)", &[&contact]);
    let metadata: String = db.value(
        "SELECT DISTINCT metadata::text FROM communication_events",
        &[],
    );
    assert_eq!(
        metadata,
        r#"{"e": {}, "Ada Park": ["[erased]", {"n": 1.50, "t": true, "z": null, "told": "a \"b\" \\ [erased]"}]}"#
    );
}

#[test]
fn another_users_rows_are_not_touched() {
    let (mut db, _, contact, _) = held();
    let stranger = Crm(&mut db).user(0.0);
    let deal = Crm(&mut db).deal(stranger, "SQL", 1.0);
    db.query("UPDATE deals SET name = 'Ada Park' WHERE id = $1", &[&deal]);
    db.query("SELECT crm_health.forget_contact($1)", &[&contact]);
    let name: String = db.value("SELECT name FROM deals WHERE id = $1", &[&deal]);
    assert_eq!(name, "Ada Park");
}

#[test]
fn of_the_run_log_ones_own_errors_alone_are_touched() {
    let (mut db, user, contact, _) = held();
    let stranger = Crm(&mut db).user(0.0);
    db.run("DELETE FROM crm_health.runs");
    log_errors(&mut db, &[Some(stranger), Some(user), None]);
    let export: Value = db.value("SELECT crm_health.export_contact($1)", &[&contact]);
    let handed_out = export["runs_that_mention_it"].as_array().expect("errors");
    assert_eq!(handed_out.len(), 1, "{handed_out:?}");
    assert_eq!(handed_out[0]["error"]["userId"], user.to_string());

    db.query("SELECT crm_health.forget_contact($1)", &[&contact]);
    let errors: Value = db.value("SELECT errors FROM crm_health.runs", &[]);
    let quote = format!("invalid input: \"{NAME}\"");
    let reasons: Vec<&Value> = (0..3).map(|at| &errors[at]["reason"]).collect();
    assert_eq!(
        reasons,
        [
            quote.as_str(),
            "invalid input: \"[erased]\"",
            quote.as_str()
        ]
    );
    assert_eq!(errors[1]["userId"], user.to_string());
}

#[test]
fn ones_own_contacts_and_nobody_elses() {
    let (mut db, user, contact, other) = held();
    let mut session = db.session();
    for function in ["export_contact", "forget_contact"] {
        let call = format!("SELECT crm_health.{function}('{contact}')");
        assert_refused_to_others(&mut session, user, &call);
    }
    become_role(&mut session, "authenticated", Some(&user.to_string()));
    session
        .query("SELECT crm_health.export_contact($1)", &[&contact])
        .expect("one's own");
    session
        .query("SELECT crm_health.forget_contact($1)", &[&contact])
        .expect("one's own");
    become_role(&mut session, "service_role", None);
    session
        .query("SELECT crm_health.forget_contact($1)", &[&other])
        .expect("anyone's");
    let left: i64 = db.value("SELECT count(*) FROM contacts", &[]);
    assert_eq!(left, 0);
    let none: Option<Value> = db.value("SELECT crm_health.forget_contact(NULL)", &[]);
    assert_eq!(none, None);
}

#[test]
fn what_is_only_a_view_here_is_left_and_named() {
    let (mut db, _, contact, _) = held();
    db.run("ALTER TABLE contacts RENAME TO people; CREATE VIEW contacts AS SELECT * FROM people; ALTER VIEW contacts OWNER TO crm_health_owner");
    let told: Value = db.value("SELECT crm_health.forget_contact($1)", &[&contact]);
    assert_eq!(told["left"], json!(["contacts"]));
    assert_eq!(told["deleted"]["communication_events"], 3);
}

#[test]
fn a_session_that_quotes_all_identifiers_forgets_as_much() {
    let (db, _, contact, _) = held();
    // A session that has not looked at the tables yet.
    let mut session = db.session();
    session
        .batch_execute(&format!(
            "SET quote_all_identifiers = on; SELECT crm_health.forget_contact('{contact}')"
        ))
        .expect("a forgotten contact");
    assert_eq!(traces(&db, contact), Vec::<String>::new());
}
