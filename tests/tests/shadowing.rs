//! What an attacker plants where a caller's path leads first is never run, read or written.

use crm_health_tests::session::become_role;
use crm_health_tests::{Crm, Database};
use postgres::Client;
use postgres::types::ToSql;
use uuid::Uuid;

/// Shadows of the built-in operators, functions and types that SQL commonly uses. Each one that is
/// run counts up a sequence, which no rollback takes back.
const TRAPS: &str = r#"
    CREATE SCHEMA evil;
    GRANT USAGE ON SCHEMA evil TO PUBLIC;
    CREATE SEQUENCE evil.hits;
    GRANT ALL ON SEQUENCE evil.hits TO PUBLIC;
    CREATE FUNCTION evil.hit(anyelement) RETURNS boolean LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_catalog.nextval(''evil.hits''); RETURN true; END';
    DO $traps$
    DECLARE
      c_types CONSTANT oid[] := ARRAY['int4', 'int8', 'text', 'uuid', 'jsonb', 'timestamptz', 'interval', 'bool',
        'float8', 'numeric', 'name', 'oid', 'regclass', 'anyarray', 'anyelement', '_text', '_uuid', 'timestamp']::regtype[]::oid[];
      v record;
    BEGIN
      FOR v IN
        SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, p.proretset,
               format_type(p.prorettype, NULL) AS returns
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
          AND p.proargtypes::oid[] <@ c_types AND p.prorettype = ANY (c_types) AND NOT p.proretset
          AND (p.prorettype NOT IN ('anyarray'::regtype, 'anyelement'::regtype)
               OR p.proargtypes::oid[] && ARRAY['anyarray', 'anyelement']::regtype[]::oid[])
          AND p.proargmodes IS NULL
      LOOP
        EXECUTE format(
          'CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', v.proname, v.arguments, v.returns,
          'BEGIN PERFORM pg_catalog.nextval(''evil.hits''); RETURN NULL; END');
      END LOOP;
      FOR v IN
        SELECT o.oprname, o.oprleft::regtype AS l, o.oprright::regtype AS r, o.oprresult::regtype AS result,
               format('evil.op_%s', o.oid) AS function
        FROM pg_operator o
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprkind = 'b'
          AND ARRAY[o.oprleft, o.oprright, o.oprresult] <@ c_types
      LOOP
        EXECUTE format('CREATE FUNCTION %s(a %s, b %s) RETURNS %s LANGUAGE plpgsql AS %L', v.function, v.l, v.r, v.result,
          'BEGIN PERFORM pg_catalog.nextval(''evil.hits''); RETURN NULL; END');
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)',
          v.oprname, v.l, v.r, v.function);
      END LOOP;
    END
    $traps$;
    CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_catalog.nextval(''evil.hits''); RETURN NULL; END';
    CREATE FUNCTION evil.jsonb_build_object(VARIADIC text[]) RETURNS jsonb LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_catalog.nextval(''evil.hits''); RETURN NULL; END';
"#;

/// Types of the attacker, whose checks run where a variable of that type is set.
const TYPES: &str = "
    CREATE DOMAIN evil.uuid AS pg_catalog.uuid CHECK (evil.hit(VALUE));
    CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.hit(VALUE));
    CREATE DOMAIN evil.jsonb AS pg_catalog.jsonb CHECK (evil.hit(VALUE));
    CREATE DOMAIN evil.timestamptz AS pg_catalog.timestamptz CHECK (evil.hit(VALUE));
    CREATE DOMAIN evil.name AS pg_catalog.name CHECK (evil.hit(VALUE));
    CREATE DOMAIN evil.regclass AS pg_catalog.regclass CHECK (evil.hit(VALUE));
    CREATE DOMAIN evil.oid AS pg_catalog.oid CHECK (evil.hit(VALUE));";

/// Tables of the names that we use, in the session's temporary schema and in the attacker's.
const TABLES: &str = "
    DO $$
    DECLARE
      v_table name;
      v_schema name;
    BEGIN
      FOR v_table IN
        SELECT c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = ANY (ARRAY['public', 'crm_health']::regnamespace[]) AND c.relkind = 'r'
        UNION VALUES ('pg_class'), ('pg_proc'), ('pg_attribute'), ('pg_roles'), ('pg_extension'), ('pg_namespace')
      LOOP
        FOREACH v_schema IN ARRAY ARRAY['evil', 'pg_temp'] LOOP
          EXECUTE pg_catalog.format('CREATE OR REPLACE VIEW %I.%I AS SELECT pg_catalog.nextval(''evil.hits'') AS id, ''x'' AS name', v_schema, v_table);
          EXECUTE pg_catalog.format('GRANT ALL ON %I.%I TO PUBLIC', v_schema, v_table);
        END LOOP;
      END LOOP;
    END
    $$;";

const HOSTILE_PATH: &str = "SET search_path = evil, pg_temp, public, pg_catalog";

fn hits(watcher: &mut Client) -> i64 {
    watcher
        .query_one(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM evil.hits",
            &[],
        )
        .expect("the count of traps")
        .get(0)
}

/// A database full of traps, with a user who has a deal, a contact and mail.
fn trapped() -> (Database, Uuid, Uuid, Uuid) {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (deal, contact) = (crm.deal(user, "SQL", 5.0), crm.contact(user));
    crm.sent(user, contact, 3.0);
    crm.received(user, contact, 2.0);
    db.run(TRAPS);
    db.run(TYPES);
    (db, user, deal, contact)
}

type Call<'a> = (&'static str, Vec<&'a (dyn ToSql + Sync)>);

#[test]
fn the_traps_work() {
    let (mut db, ..) = trapped();
    let mut session = db.session();
    session
        .batch_execute(TABLES)
        .expect("tables to shadow ours");
    session.batch_execute(HOSTILE_PATH).expect("a path");
    for sql in [
        "SELECT 1 < 2",
        "SELECT now()",
        "SELECT 'x'::text",
        "SELECT id FROM settings",
        "SELECT '{}'::pg_catalog.jsonb || '{}'::pg_catalog.jsonb",
    ] {
        let before = hits(db.client());
        session.batch_execute(sql).expect(sql);
        assert!(hits(db.client()) > before, "{sql}");
    }
}

#[test]
fn nothing_planted_is_run_by_an_app_function_whoever_calls() {
    let (mut db, user, deal, contact) = trapped();
    let metrics = serde_json::json!({ "stage": "SQL", "days_in_stage": 9 });
    let users = vec![user];
    // A deal that nobody met about has an alert already.
    db.query("SELECT refresh_deal_health_scores($1)", &[&user]);
    let alert: Uuid = db.value("SELECT id FROM deal_health_alerts", &[]);
    let rule: serde_json::Value =
        db.value("SELECT to_jsonb(r) FROM deal_health_rules r LIMIT 1", &[]);
    let calls: Vec<Call> = vec![
        (
            "SELECT * FROM public.refresh_deal_health_scores($1, 0)",
            vec![&user],
        ),
        (
            "SELECT * FROM public.refresh_relationship_health_scores($1, 0)",
            vec![&user],
        ),
        (
            "SELECT * FROM public.refresh_deal_health_scores($1)",
            vec![&user],
        ),
        ("SELECT * FROM crm_health.explain_deal($1)", vec![&deal]),
        (
            "SELECT * FROM crm_health.explain_contact($1)",
            vec![&contact],
        ),
        ("SELECT * FROM crm_health.needs_attention($1)", vec![&users]),
        ("SELECT crm_health.link_replies($1)", vec![&user]),
        ("SELECT crm_health.score_deal($1)", vec![&metrics]),
        ("SELECT crm_health.acknowledge_alert($1)", vec![&alert]),
        ("SELECT crm_health.dismiss_alert($1)", vec![&alert]),
        ("SELECT crm_health.check_deal_rule($1)", vec![&rule]),
    ];
    for (role, subject) in [
        ("authenticated", Some(user.to_string())),
        ("postgres", None),
    ] {
        let mut session = db.session();
        session
            .batch_execute(TABLES)
            .expect("tables to shadow ours");
        become_role(&mut session, role, subject.as_deref());
        session.batch_execute(HOSTILE_PATH).expect("a path");
        for (sql, parameters) in &calls {
            let answer = session.query(*sql, parameters);
            assert_eq!(hits(db.client()), 0, "{role}: {sql}");
            answer.unwrap_or_else(|error| panic!("{role}: {sql}: {error:?}"));
        }
    }
}

#[test]
fn nothing_planted_is_run_by_the_functions_of_an_operator() {
    let (mut db, user, ..) = trapped();
    let users = vec![user];
    let mut session = db.session();
    session
        .batch_execute(TABLES)
        .expect("tables to shadow ours");
    session.batch_execute(HOSTILE_PATH).expect("a path");
    let calls: Vec<Call> = vec![
        (
            "SELECT * FROM crm_health.refresh_deals($1, 0)",
            vec![&users],
        ),
        (
            "SELECT * FROM crm_health.refresh_relationships($1, 0)",
            vec![&users],
        ),
        ("SELECT * FROM crm_health.active_users()", vec![]),
        ("SELECT crm_health.purge()", vec![]),
        ("SELECT * FROM crm_health.check_install()", vec![]),
        ("SELECT crm_health.setting('crm_schema')", vec![]),
        ("SELECT crm_health.scoring_config()", vec![]),
        ("SELECT * FROM crm_health.last_run", vec![]),
        ("SELECT * FROM crm_health.run_failures", vec![]),
        ("SELECT * FROM crm_health.recent_notifications", vec![]),
        (
            "SELECT crm_health.post_notification('run_failed', NULL, 'run', 'r', 'info', 'title')",
            vec![],
        ),
        (
            "INSERT INTO crm_health.stage_thresholds VALUES ('Demo', 1, 2, 3)",
            vec![],
        ),
        ("DELETE FROM crm_health.stage_thresholds", vec![]),
    ];
    for (sql, parameters) in &calls {
        let answer = session.query(*sql, parameters);
        assert_eq!(hits(db.client()), 0, "{sql}");
        // Rows that ship cannot be deleted: that call reaches the triggers and fails there.
        assert!(
            answer.is_ok() || sql.starts_with("DELETE"),
            "{sql}: {answer:?}"
        );
    }
    for sql in [
        "SELECT crm_health.schedule()",
        "SELECT crm_health.unschedule()",
    ] {
        assert!(session.query(sql, &[]).is_err(), "there is no pg_cron here");
        assert_eq!(hits(db.client()), 0, "{sql}");
    }
}

#[test]
fn nothing_planted_is_run_by_the_daily_job_before_between_and_after_its_commits() {
    let (mut db, first, ..) = trapped();
    let second = Crm(&mut db).user(0.0);
    Crm(&mut db).deal(second, "SQL", 5.0);
    db.run("UPDATE crm_health.settings SET value = '1' WHERE name = 'refresh_batch_users'");
    let mut session = db.session();
    session
        .batch_execute(TABLES)
        .expect("tables to shadow ours");
    session.batch_execute(HOSTILE_PATH).expect("a path");
    let result: serde_json::Value = session
        .query_one("CALL crm_health.refresh_active_users()", &[])
        .expect("the daily job")
        .get(0);
    assert_eq!(hits(db.client()), 0);
    assert_eq!(
        result["usersProcessed"], 2,
        "{result}: {first} and {second}"
    );
    assert_eq!(result["errors"], serde_json::json!([]));
}

#[test]
fn a_schema_named_cron_that_is_not_pg_crons_is_not_believed() {
    let (mut db, ..) = trapped();
    db.run(
        "CREATE SCHEMA cron;
         CREATE VIEW cron.job AS SELECT pg_catalog.nextval('evil.hits') AS jobid, 'crm_health_refresh'::pg_catalog.text AS jobname, true AS active;
         CREATE FUNCTION cron.schedule(pg_catalog.text, pg_catalog.text, pg_catalog.text) RETURNS bigint LANGUAGE sql
           AS 'SELECT pg_catalog.nextval(''evil.hits'')';",
    );
    let problems = db.query("SELECT problem FROM crm_health.check_install()", &[]);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .get::<_, String>(0)
            .starts_with("pg_cron is not in this database")
    );
    assert_eq!(db.error("SELECT crm_health.schedule()").0, "55000");
    assert_eq!(hits(db.client()), 0);
}

#[test]
fn a_schema_that_somebody_prepared_for_us_is_refused() {
    let role = crm_health_tests::session::Role::new("");
    let mut db = Database::empty();
    db.run(&format!(
        "CREATE SCHEMA crm_health AUTHORIZATION {}",
        role.name
    ));
    let (code, message, hint) = db.error("CREATE EXTENSION crm_health");
    assert_eq!(code, "42P06");
    assert!(message.contains(&role.name), "{message}");
    assert!(hint.contains("DROP SCHEMA crm_health"), "{hint}");
}

#[test]
fn functions_that_somebody_prepared_for_us_are_not_taken_over() {
    let mut db = Database::empty();
    db.run("CREATE FUNCTION public.refresh_deal_health_scores(uuid, integer) RETURNS TABLE (deal_id uuid, health_score integer, health_status text, updated boolean) LANGUAGE sql AS 'SELECT NULL::uuid, 1, NULL, true'");
    let (code, message, _) = db.error("CREATE EXTENSION crm_health");
    assert_eq!(code, "42723", "{message}");
}

#[test]
fn a_log_of_changes_that_somebody_prepared_for_us_is_refused() {
    let role = crm_health_tests::session::Role::new("");
    let mut db = Database::empty();
    db.run(&format!(
        "CREATE SCHEMA crm_health;
         CREATE TABLE crm_health.config_changes (changed_at timestamptz, changed_by text, table_name text, deleted boolean, row_data jsonb);
         INSERT INTO crm_health.config_changes VALUES (now(), 'me', 'settings', false, '{{\"name\": \"trusted_roles\", \"value\": \"anon\"}}');
         ALTER TABLE crm_health.config_changes OWNER TO {}",
        role.name
    ));
    let (code, message, hint) = db.error("CREATE EXTENSION crm_health");
    assert_eq!(code, "42501", "{message}");
    assert!(
        hint.contains("DROP TABLE crm_health.config_changes"),
        "{hint}"
    );
}
