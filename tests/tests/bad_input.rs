//! Values that are absurd, empty or of nobody give a right score, or an error that names them.

use crm_health_tests::scores::SAMPLE;
use crm_health_tests::{Crm, Database};
use serde_json::json;
use uuid::Uuid;

#[test]
fn instants_at_the_edge_of_time_are_no_trouble() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (_, contact) = crm.company_contact(user);
    let edges = [
        "-infinity",
        "infinity",
        "4713-01-01 BC",
        "294276-12-31",
        "0001-01-01",
        "9999-12-31",
    ];
    for edge in edges {
        let event = crm.received(user, contact, 1.0);
        let deal = crm.deal(user, "SQL", 5.0);
        crm.set(
            "communication_events",
            event,
            &format!("event_timestamp = '{edge}', deal_id = '{deal}'"),
        );
        crm.set(
            "deals",
            deal,
            &format!("stage_changed_at = '{edge}', created_at = '{edge}'"),
        );
        let meeting = crm.deal_meeting(user, deal, 0.0);
        crm.set(
            "meetings",
            meeting,
            &format!("meeting_start = '{edge}', primary_contact_id = '{contact}'"),
        );
        let activity = crm.activity(user, deal, 0.0);
        crm.set("activities", activity, &format!("created_at = '{edge}'"));
    }
    crm.refresh(user);
    let scored: i64 = db.value(
        "SELECT (SELECT count(*) FROM deal_health_scores) + (SELECT count(*) FROM relationship_health_scores WHERE contact_id IS NOT NULL)",
        &[],
    );
    // Each meeting brought a contact of its own.
    assert_eq!(scored, 6 + 1 + 6);
}

#[test]
fn an_instant_that_makes_no_sense_is_refused() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    for kind in ["deals", "relationships"] {
        for at in [
            "NULL",
            "'infinity'",
            "'-infinity'",
            "'0044-03-15 BC'",
            "'10000-01-01 00:00+00'",
        ] {
            let (state, message, _) = db.error(&format!(
                "SELECT crm_health.refresh_{kind}(ARRAY['{user}'::uuid], 0, {at})"
            ));
            assert_eq!(state, "22023", "{at}");
            assert!(message.contains("p_as_of"), "{message}");
        }
    }
}

#[test]
fn an_instant_to_look_from_that_makes_no_sense_is_refused_alike() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (contact, deal) = (crm.contact(user), crm.deal(user, "SQL", 5.0));
    for at in [
        "infinity",
        "-infinity",
        "0044-03-15 BC",
        "10000-01-01 00:00+00",
    ] {
        for call in [
            format!("SELECT * FROM crm_health.explain_deal('{deal}', '{at}')"),
            format!("SELECT * FROM crm_health.explain_contact('{contact}', '{at}')"),
            format!("SELECT * FROM crm_health.needs_attention(p_as_of => '{at}')"),
            format!("SELECT crm_health.active_users('{at}')"),
            format!("CALL crm_health.refresh_active_users('test', 0, '{at}')"),
            format!("SELECT crm_health.purge('{at}')"),
        ] {
            let (state, message, _) = db.error(&call);
            assert_eq!(state, "22023", "{call}: {message}");
            assert!(message.contains("p_as_of"), "{message}");
        }
    }
    let runs: i64 = db.value("SELECT count(*) FROM crm_health.runs", &[]);
    assert_eq!(runs, 0, "and nothing is logged as done");
}

#[test]
fn numbers_that_no_double_holds_are_no_trouble() {
    let mut db = Database::new();
    let huge: serde_json::Value = db.value(
        "SELECT jsonb_build_array(crm_health.score_deal('{\"days_in_stage\": 1e400}'), crm_health.score_deal('{\"days_in_stage\": 36500}'),
                crm_health.score_relationship('{\"avg_response_time_hours\": 1e400}') -> 'response_behavior_score',
                crm_health.score_relationship('{\"avg_response_time_hours\": 1e300}') -> 'response_behavior_score')",
        &[],
    );
    assert_eq!(
        huge[0]["stage_velocity_score"],
        huge[1]["stage_velocity_score"]
    );
    assert_eq!(huge[2], huge[3]);
    assert_eq!(
        db.error("SELECT crm_health.assess_ghost(50, '[{\"signal_type\": -1e400, \"severity\": \"low\"}]')").0,
        "22023"
    );
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    let event = crm.received(user, contact, 1.0);
    crm.set(
        "communication_events",
        event,
        r#"metadata = '{"size": 1e400, "quote": "a \"b\" 1e400", "small": -1.5}'"#,
    );
    let export: serde_json::Value = db.value("SELECT crm_health.export_contact($1)", &[&contact]);
    let metadata = &export["communication_events"][0]["metadata"];
    assert_eq!(
        metadata["size"].as_str().map(str::len),
        Some(401),
        "{metadata}"
    );
    assert_eq!(metadata["quote"], "a \"b\" 1e400");
    assert_eq!(metadata["small"], -1.5);
}

#[test]
fn no_users_at_all_are_no_trouble() {
    let mut db = Database::new();
    db.run(SAMPLE);
    for kind in ["deals", "relationships"] {
        for users in [
            "NULL",
            "'{}'",
            "ARRAY[NULL]::uuid[]",
            "ARRAY[gen_random_uuid()]",
        ] {
            assert!(
                db.query(
                    &format!("SELECT * FROM crm_health.refresh_{kind}({users}, 0)"),
                    &[]
                )
                .is_empty(),
                "{users}"
            );
        }
    }
}

#[test]
fn events_and_meetings_of_nobody_in_particular_are_no_trouble() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    let lost = crm.received(user, contact, 1.0);
    crm.set("communication_events", lost, "contact_id = NULL");
    let meeting = crm.meeting(user, contact, 1.0);
    crm.set(
        "meetings",
        meeting,
        "primary_contact_id = NULL, company_id = NULL",
    );
    let deal = crm.deal(user, "SQL", 1.0);
    let activity = crm.activity(user, deal, 1.0);
    crm.set("activities", activity, "deal_id = NULL");
    crm.refresh(user);
    let score = crm.contact_score(contact);
    assert_eq!(
        json!([
            score["total_interactions_30_days"],
            score["meeting_count_30_days"]
        ]),
        json!([0, 0])
    );
    assert_eq!(crm.deal_score(deal)["activity_count_last_30_days"], 0);
}

#[test]
fn texts_and_numbers_of_any_kind_are_no_trouble() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    db.run(
        "ALTER TABLE communication_events DROP CONSTRAINT communication_events_event_type_known,
                                          DROP CONSTRAINT communication_events_direction_known,
                                          DROP CONSTRAINT communication_events_sentiment_score_range;
         INSERT INTO deal_stages (name) VALUES ('Quo''ted \"stage\" {x} $1 — ü')",
    );
    let mut crm = Crm(&mut db);
    let deal = crm.deal(user, "Quo'ted \"stage\" {x} $1 — ü", 20.0);
    for change in [
        "event_type = 'carrier pigeon', direction = 'sideways'",
        "event_type = '', direction = ''",
        "sentiment_score = 99, response_time_hours = -5",
        "sentiment_score = 'NaN', response_time_hours = 'NaN'",
        "response_time_hours = 1e15, subject = repeat('long ', 100000)",
        "thread_position = -2147483648, thread_id = '', external_id = '', external_source = NULL",
    ] {
        let event = crm.received(user, contact, 1.0);
        crm.set("communication_events", event, change);
    }
    crm.set(
        "deals",
        deal,
        &format!("value = -5000, primary_contact_id = '{contact}'"),
    );
    crm.refresh(user);
    let score = crm.contact_score(contact);
    assert_eq!(score["total_interactions_30_days"], 6);
    // 99 counts as 1; NaN as unknown.
    assert_eq!(score["avg_sentiment_last_3_interactions"], 1);
    assert_eq!(crm.deal_score(deal)["stage_velocity_score"], 66);
}

#[test]
fn a_contact_with_a_hundred_thousand_events_is_scored() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.0.query(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, external_source, external_id, thread_id, event_timestamp)
         SELECT $1, $2, CASE n % 2 WHEN 0 THEN 'email_sent' ELSE 'email_received' END,
                CASE n % 2 WHEN 0 THEN 'outbound' ELSE 'inbound' END, 'gmail', n::text, 'thread', now() - n * interval '20 seconds'
         FROM generate_series(1, 100000) n",
        &[&user, &contact],
    );
    // Not a measure of speed: what compares each event with each would take hours, and is not waited for.
    crm.0.run("SET statement_timeout = '5min'");
    crm.refresh(user);
    let score = crm.contact_score(contact);
    assert_eq!(
        json!([
            score["total_interactions_30_days"],
            score["days_since_last_contact"],
            score["baseline_contact_frequency_days"]
        ]),
        json!([100_000, 0, 0.0002]),
        "all within 24 days, 20 seconds apart"
    );
}

#[test]
fn a_stage_that_was_deleted_leaves_its_deals_without_one() {
    let mut db = Database::new();
    db.run("ALTER TABLE deals DROP CONSTRAINT IF EXISTS deals_stage_id_fkey");
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 20.0);
    crm.set(
        "deals",
        deal,
        &format!("stage_id = '{}'", Uuid::from_u128(9)),
    );
    crm.refresh(user);
    // The thresholds of any other stage: 100 - 40 * (20 - 14) / (21 - 14)
    assert_eq!(crm.deal_score(deal)["stage_velocity_score"], 66);
}

/// A call that has nothing to do writes nothing, and does no harm where nothing may be written.
#[test]
fn a_transaction_that_may_only_read_reads() {
    let mut db = Database::new();
    let idle = Crm(&mut db).user(0.0);
    for user in [idle, Uuid::new_v4()] {
        for call in [
            "refresh_deal_health_scores",
            "refresh_relationship_health_scores",
        ] {
            let mut session = db.session();
            session
                .batch_execute("BEGIN READ ONLY")
                .expect("a transaction");
            let rows = session.query(&format!("SELECT * FROM {call}($1)"), &[&user]);
            assert_eq!(rows.expect(call).len(), 0);
        }
    }
}

#[test]
fn a_score_that_claims_to_be_of_the_end_of_time_is_made_anew() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 5.0);
    crm.contact(user);
    let both = "SELECT (SELECT count(*) FILTER (WHERE updated) FROM refresh_deal_health_scores($1, $2))
                     + (SELECT count(*) FILTER (WHERE updated) FROM refresh_relationship_health_scores($1, $2))";
    assert_eq!(db.value::<i64>(both, &[&user, &0]), 2);
    for age in [0, 24] {
        for table in ["deal_health_scores", "relationship_health_scores"] {
            db.run(&format!(
                "UPDATE {table} SET last_calculated_at = 'infinity'"
            ));
        }
        assert_eq!(db.value::<i64>(both, &[&user, &age]), 2, "age {age}");
    }
}

/// Names that look like parameters, placeholders or comments.
#[test]
fn a_schema_may_have_any_name() {
    for name in ["crm$4", "we \"ird %s {contacts} $1 -- x"] {
        let mut db = Database::new();
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let mut crm = Crm(&mut db);
        let user = crm.user(0.0);
        crm.deal(user, "SQL", 40.0);
        let contact = crm.contact(user);
        crm.sent(user, contact, 1.0);
        db.run(&format!(
            "CREATE SCHEMA {quoted};
             GRANT USAGE ON SCHEMA {quoted} TO PUBLIC;
             DO $do$ BEGIN
               EXECUTE (SELECT string_agg(format('ALTER TABLE %s SET SCHEMA %I;', c.oid::regclass, $name${name}$name$), '')
                        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r');
             END $do$;"
        ));
        db.query(
            "UPDATE crm_health.settings SET value = $1 WHERE name = 'crm_schema'",
            &[&name],
        );
        for kind in ["deals", "relationships"] {
            for _ in 0..2 {
                let call =
                    format!("SELECT count(*) FROM crm_health.refresh_{kind}(ARRAY[$1::uuid], 0)");
                assert_eq!(db.value::<i64>(&call, &[&user]), 1, "{name}");
            }
        }
    }
}
