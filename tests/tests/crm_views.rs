//! Another CRM behind views scores as the same data in the tables of sql/crm.

use crm_health_tests::Database;
use crm_health_tests::cluster::{psql, repository};
use crm_health_tests::scores::{SAMPLE, all_scores};
use serde_json::Value;
use uuid::Uuid;

/// Links the replies of everyone, then scores everyone, twice, so that the second finds the rows of the first.
fn link_and_score(db: &mut Database, profiles: &str) -> (Vec<i64>, Value) {
    let users: Vec<Uuid> = db
        .query(&format!("SELECT id FROM {profiles} ORDER BY id"), &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    let linked = users
        .iter()
        .map(|user| db.value("SELECT crm_health.link_replies($1)", &[user]))
        .collect();
    for _ in 0..2 {
        for kind in ["deals", "relationships"] {
            db.query(
                &format!("SELECT crm_health.refresh_{kind}($1, 0, '2024-06-15 12:00:00+00')"),
                &[&users],
            );
        }
    }
    (linked, all_scores(db))
}

/// Runs sql/crm/install.sql for a schema of the test's database.
fn install(db: &Database, schema: &str) {
    let script = repository()
        .join("sql/crm/install.sql")
        .display()
        .to_string();
    psql(
        &db.url(),
        &["-v", &format!("crm_schema={schema}"), "-f", &script],
    );
}

#[test]
fn a_crm_behind_views_scores_as_plain_tables_do() {
    let mut db = Database::new();
    db.run(SAMPLE);
    db.run("CREATE TABLE sample_before AS SELECT id, was_replied, response_time_hours FROM communication_events");
    let plain = link_and_score(&mut db, "public.profiles");
    assert!(plain.0.iter().all(|linked| *linked > 0), "{:?}", plain.0);

    db.run("UPDATE communication_events SET was_replied = s.was_replied, response_time_hours = s.response_time_hours
            FROM sample_before s WHERE s.id = communication_events.id");
    db.run(include_str!("../src/legacy_crm.sql"));
    install(&db, "sales");
    db.run("UPDATE crm_health.settings SET value = 'sales' WHERE name = 'crm_schema'; SET search_path = sales");
    let behind_views = link_and_score(&mut db, "sales.profiles");
    assert_eq!(behind_views.0, plain.0);
    assert_eq!(behind_views.1, plain.1);
    let elsewhere: i64 = db.value("SELECT count(*) FROM public.deal_health_scores", &[]);
    assert_eq!(elsewhere, 0, "scores are written to the schema of the CRM");
    let wrong: Vec<String> = db
        .query(
            "SELECT problem FROM crm_health.check_install() WHERE severity = 'error'",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_schema_without_score_tables_keeps_its_scores_in_public() {
    let mut db = Database::new();
    db.run(
        "CREATE SCHEMA \"Sales & Co\";
         ALTER TABLE deal_health_scores DROP CONSTRAINT deal_health_scores_deal_id_fkey;
         ALTER TABLE deal_health_history DROP CONSTRAINT deal_health_history_deal_id_fkey;
         CREATE VIEW \"Sales & Co\".deal_stages AS SELECT gen_random_uuid() AS id, 'SQL'::varchar AS name WHERE false;
         CREATE VIEW \"Sales & Co\".contacts AS SELECT NULL::uuid AS id, NULL::text AS email, NULL::uuid AS owner_id WHERE false;
         CREATE VIEW \"Sales & Co\".communication_events AS
           SELECT NULL::uuid AS id, NULL::uuid AS user_id, NULL::uuid AS contact_id, ''::varchar AS event_type,
                  ''::varchar AS direction, now()::timestamp AS event_timestamp WHERE false;
         CREATE VIEW \"Sales & Co\".deals AS
           SELECT '00000000-0000-0000-0000-000000000001'::uuid AS id, 5.5::real AS value, NULL::uuid AS stage_id,
                  '00000000-0000-0000-0000-000000000002'::uuid AS owner_id, 'active'::varchar(10) AS status,
                  date '2024-06-10' AS created_at;
         GRANT USAGE ON SCHEMA \"Sales & Co\" TO PUBLIC;
         GRANT SELECT ON ALL TABLES IN SCHEMA \"Sales & Co\" TO PUBLIC;
         UPDATE crm_health.settings SET value = 'Sales & Co' WHERE name = 'crm_schema'",
    );
    let rows = db.query(
        "SELECT * FROM crm_health.refresh_deals(ARRAY['00000000-0000-0000-0000-000000000002'::uuid], 0, '2024-06-15 12:00:00+00')",
        &[],
    );
    assert_eq!(rows.len(), 1);
    let stored: (i64, i32) = {
        let row = &db.query(
            "SELECT count(*), max(days_in_current_stage) FROM public.deal_health_scores",
            &[],
        )[0];
        (row.get(0), row.get(1))
    };
    assert_eq!(stored, (1, 5), "types that only look alike are cast");
}

#[test]
fn views_over_other_tables_cost_the_app_nothing_but_the_setting() {
    let mut db = Database::new();
    db.run(SAMPLE);
    let plain = link_and_score(&mut db, "public.profiles");
    db.run("CREATE SCHEMA app");
    for table in [
        "profiles",
        "deal_stages",
        "companies",
        "contacts",
        "deals",
        "meetings",
        "meeting_contacts",
        "deal_meetings",
        "activities",
        "communication_events",
    ] {
        db.run(&format!(
            "CREATE VIEW app.{table} AS SELECT * FROM public.{table}"
        ));
    }
    install(&db, "app");
    db.run("UPDATE crm_health.settings SET value = 'app' WHERE name = 'crm_schema'; SET search_path = app");
    let linked_before = plain.0.iter().map(|_| 0).collect::<Vec<i64>>();
    assert_eq!(
        link_and_score(&mut db, "app.profiles"),
        (linked_before, plain.1)
    );
}
