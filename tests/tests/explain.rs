//! Explanations: rows that add up to the score, in words that a sales lead would use.

use crm_health_tests::scores::SAMPLE;
use crm_health_tests::{Crm, Database};
use uuid::Uuid;

const DEAL_SIGNALS: [&str; 5] = [
    "stage_velocity",
    "sentiment",
    "engagement",
    "activity",
    "response_time",
];
const RELATIONSHIP_SIGNALS: [&str; 5] = [
    "communication_frequency",
    "response_behavior",
    "engagement_quality",
    "sentiment",
    "meeting_pattern",
];

/// Ids of what breaks one of the promises of an explanation; none is right.
fn broken(db: &mut Database, kind: &str, table: &str, key: &str, signals: [&str; 5]) -> Vec<Uuid> {
    let rows = db.query(
        &format!(
            "SELECT s.{key} FROM {table} s
             WHERE s.{key} IS NOT NULL AND NOT (
               SELECT array_agg(x.signal ORDER BY x.n) FILTER (WHERE x.n <= 5) = $1
                  AND bool_and(x.n <> 6 OR (x.signal, x.value, x.score) = ('overall', s.health_status, s.overall_health_score))
                  AND abs(sum(x.contribution) FILTER (WHERE x.n <= 5) - s.overall_health_score) <= 0.53
                  AND abs(sum(x.weight) FILTER (WHERE x.n <= 5) - 1) < 0.0003
                  AND bool_and(x.n > 5 OR abs(x.contribution - x.weight * x.score) < 0.011)
                  AND bool_and(x.reason ~ '\\S' AND x.value ~ '\\S')
               FROM crm_health.explain_{kind}(s.{key}, '2024-06-15 12:00:00+00') WITH ORDINALITY
                 AS x (signal, value, score, weight, contribution, reason, n))"
        ),
        &[&signals.map(str::to_owned).to_vec()],
    );
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn the_rows_of_an_explanation_sum_to_the_stored_score() {
    let mut db = Database::new();
    db.run(SAMPLE);
    for weights in [
        "weight",
        "weight * 3",
        "CASE WHEN signal = 'sentiment' THEN 0 ELSE weight END",
    ] {
        db.run(&format!(
            "UPDATE crm_health.signal_weights SET weight = {weights}"
        ));
        for kind in ["deals", "relationships"] {
            db.query(
                &format!("SELECT crm_health.refresh_{kind}((SELECT array_agg(id) FROM profiles), 0, '2024-06-15 12:00:00+00')"),
                &[],
            );
        }
        for (kind, table, key, signals) in [
            ("deal", "deal_health_scores", "deal_id", DEAL_SIGNALS),
            (
                "contact",
                "relationship_health_scores",
                "contact_id",
                RELATIONSHIP_SIGNALS,
            ),
        ] {
            let broken = broken(&mut db, kind, table, key, signals);
            assert!(broken.is_empty(), "{kind} {weights}: {broken:?}");
        }
    }
}

#[test]
fn an_explanation_names_the_numbers_and_their_limits() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "Verbal", 45.0);
    crm.activity(user, deal, 20.0);
    let rows = db.query(
        "SELECT signal, value, reason FROM crm_health.explain_deal($1)",
        &[&deal],
    );
    let velocity: (&str, &str) = (rows[0].get("value"), rows[0].get("reason"));
    assert_eq!(
        velocity,
        (
            "45 days in Verbal",
            "In Verbal for 45 days, critical after 21."
        )
    );
    let activity: &str = rows[3].get("reason");
    assert_eq!(
        activity,
        "No activity for 20 days (limit 14), 1 touchpoint in 30 days, at least 2 expected."
    );
}

#[test]
fn a_contact_is_explained_with_the_signals_that_hold_and_what_to_do() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    for days_ago in [2.0, 5.0, 10.0] {
        crm.sent(user, contact, days_ago);
    }
    let rows: Vec<(String, String, String)> = db
        .query(
            "SELECT signal, value, reason FROM crm_health.explain_contact($1) OFFSET 6",
            &[&contact],
        )
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let first = rows.first().expect("the signal");
    assert_eq!(
        (first.0.as_str(), first.1.as_str()),
        ("email_no_response", "critical")
    );
    assert!(
        first
            .2
            .starts_with("3 e-mails of the last 14 days without a reply"),
        "{}",
        first.2
    );
    let last = rows.last().expect("the action");
    assert_eq!(
        (last.0.as_str(), last.2.as_str()),
        ("recommended_action", "multiple_followups_ignored")
    );
}

#[test]
fn what_is_not_there_has_nothing_to_explain() {
    let mut db = Database::new();
    for call in [
        "explain_deal(NULL)",
        "explain_contact(NULL)",
        "explain_deal(gen_random_uuid())",
        "explain_contact(gen_random_uuid())",
        "explain_deal(gen_random_uuid(), NULL)",
    ] {
        assert!(
            db.query(&format!("SELECT * FROM crm_health.{call}"), &[])
                .is_empty(),
            "{call}"
        );
    }
}

#[test]
fn an_explanation_writes_nothing() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 5.0);
    let contact = crm.contact(user);
    db.run("BEGIN READ ONLY");
    db.query("SELECT crm_health.explain_deal($1)", &[&deal]);
    db.query("SELECT crm_health.explain_contact($1)", &[&contact]);
    db.run("COMMIT");
}

#[test]
fn needs_attention_lists_the_worst_first_with_reasons() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let colleague = crm.user(0.0);
    let stalled = crm.deal(user, "Verbal", 300.0);
    crm.set("deals", stalled, "name = 'Stalled'");
    crm.activity(user, stalled, 100.0);
    let slow = crm.deal(user, "Verbal", 18.0);
    crm.set("deals", slow, "name = 'Slow'");
    let done = crm.deal(user, "Verbal", 300.0);
    let contact = crm.contact(user);
    crm.set("contacts", contact, "full_name = 'Ada'");
    crm.deal(colleague, "Verbal", 400.0);
    crm.refresh(user);
    crm.refresh(colleague);
    crm.set("deals", done, "status = 'lost'");
    let rows = db.query(
        "SELECT * FROM crm_health.needs_attention(ARRAY[$1::uuid])",
        &[&user],
    );
    let listed: Vec<(String, String, i32)> = rows
        .iter()
        .map(|row| (row.get("kind"), row.get("name"), row.get("health_score")))
        .collect();
    // 0 + 12.5 + 10 + 0 + 7; the contact 35; 39 in the stage: 11.7 + 12.5 + 10 + 3 + 7
    assert_eq!(
        listed,
        [
            ("deal".into(), "Stalled".into(), 30),
            ("contact".into(), "Ada".into(), 35),
            ("deal".into(), "Slow".into(), 44)
        ]
    );
    for row in &rows {
        let reasons: Vec<String> = row.get("reasons");
        assert!((1..=3).contains(&reasons.len()), "{reasons:?}");
    }
    let reasons: Vec<String> = rows[0].get("reasons");
    assert_eq!(reasons[0], "in Verbal for 300 days, critical after 21");
    let everyones = db.query("SELECT * FROM crm_health.needs_attention()", &[]);
    assert_eq!(everyones.len(), 4, "a trusted caller sees everyone's");
    assert_eq!(
        db.query(
            "SELECT * FROM crm_health.needs_attention(ARRAY[$1::uuid], 2)",
            &[&user]
        )
        .len(),
        2
    );
    assert_eq!(
        db.query(
            "SELECT * FROM crm_health.needs_attention(ARRAY[$1::uuid], 0)",
            &[&user]
        )
        .len(),
        0
    );
    assert_eq!(
        db.query("SELECT * FROM crm_health.needs_attention('{}')", &[])
            .len(),
        0
    );
    assert_eq!(
        db.error("SELECT * FROM crm_health.needs_attention(NULL, -1)")
            .0,
        "22023"
    );
}

#[test]
fn a_deal_that_is_not_scored_is_told_to_be_that() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let lost = crm.deal(user, "Verbal", 20.0);
    crm.set("deals", lost, "status = 'lost'");
    let signed = crm.deal(user, "Signed", 20.0);
    for (deal, why) in [
        (lost, "the status of this one is lost."),
        (signed, "the stage of this one, Signed, is final."),
    ] {
        let rows = db.query("SELECT * FROM crm_health.explain_deal($1)", &[&deal]);
        assert_eq!(rows.len(), 1);
        let (signal, value): (String, String) = (rows[0].get("signal"), rows[0].get("value"));
        assert_eq!((signal.as_str(), value.as_str()), ("overall", "not scored"));
        assert_eq!(rows[0].get::<_, Option<i32>>("score"), None);
        let reason: String = rows[0].get("reason");
        assert!(reason.ends_with(why), "{reason}");
    }
}
