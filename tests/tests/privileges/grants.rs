//! What is granted, to whom, and with whose rights it runs.

use super::*;

#[test]
fn what_is_not_granted_is_refused_to_anon_and_to_authenticated() {
    let mut db = Database::new();
    let somebody = user(&mut db);
    let trusted_only = [
        format!("SELECT crm_health.refresh_deals(ARRAY['{somebody}']::uuid[])"),
        format!("SELECT crm_health.refresh_relationships(ARRAY['{somebody}']::uuid[])"),
        "SELECT crm_health.active_users()".to_owned(),
        "SELECT crm_health.purge()".to_owned(),
        "SELECT crm_health.schedule()".to_owned(),
        "SELECT crm_health.unschedule()".to_owned(),
        "SELECT crm_health.check_install()".to_owned(),
        "SELECT crm_health.scoring_config()".to_owned(),
        "SELECT crm_health.setting('trusted_roles')".to_owned(),
        "SELECT crm_health.run_started('me', 1)".to_owned(),
        "CALL crm_health.refresh_active_users('me')".to_owned(),
        "SELECT * FROM crm_health.settings".to_owned(),
        "SELECT * FROM crm_health.runs".to_owned(),
        "UPDATE crm_health.settings SET value = 'anon' WHERE name = 'trusted_roles'".to_owned(),
    ];
    let app = [
        format!("SELECT refresh_deal_health_scores('{somebody}')"),
        format!("SELECT refresh_relationship_health_scores('{somebody}')"),
        "SELECT crm_health.needs_attention()".to_owned(),
        format!("SELECT crm_health.explain_deal('{somebody}')"),
        format!("SELECT crm_health.explain_contact('{somebody}')"),
        format!("SELECT crm_health.link_replies('{somebody}')"),
        "SELECT crm_health.score_deal('{}')".to_owned(),
    ];
    let mut session = db.session();
    // Even with the subject of the user: what counts is the grant.
    become_role(&mut session, "authenticated", Some(&somebody.to_string()));
    for sql in &trusted_only {
        assert_eq!(
            error_of(&mut session, sql).0,
            "42501",
            "authenticated: {sql}"
        );
    }
    become_role(&mut session, "anon", Some(&somebody.to_string()));
    for sql in trusted_only.iter().chain(&app) {
        assert_eq!(error_of(&mut session, sql).0, "42501", "anon: {sql}");
    }
}

#[test]
fn a_grant_alone_does_not_open_what_needs_trust() {
    let role = Role::new("");
    let mut db = Database::new();
    let somebody = user(&mut db);
    db.run(&format!(
        "GRANT EXECUTE ON ALL ROUTINES IN SCHEMA crm_health, public TO {}",
        role.name
    ));
    let mut session = db.session();
    become_role(&mut session, &role.name, None);
    for sql in [
        format!("SELECT refresh_deal_health_scores('{somebody}')"),
        format!("SELECT crm_health.refresh_deals(ARRAY['{somebody}']::uuid[])"),
        format!("SELECT crm_health.link_replies('{somebody}')"),
        "SELECT crm_health.active_users()".to_owned(),
        "SELECT crm_health.purge()".to_owned(),
        "SELECT crm_health.schedule()".to_owned(),
        "SELECT crm_health.unschedule()".to_owned(),
        "SELECT crm_health.run_started('me', 1)".to_owned(),
        "SELECT crm_health.run_progress(gen_random_uuid(), 0, 0, 0, '[]', 'failed')".to_owned(),
        "CALL crm_health.refresh_active_users('me')".to_owned(),
    ] {
        assert_eq!(error_of(&mut session, &sql).0, "42501", "{sql}");
    }
    db.run(&format!(
        "REVOKE ALL ON ALL ROUTINES IN SCHEMA crm_health, public FROM {}",
        role.name
    ));
}

#[test]
fn a_strangers_deal_and_contact_are_not_explained() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let (own, other) = (crm.user(0.0), crm.user(0.0));
    let deals = [crm.deal(own, "SQL", 3.0), crm.deal(other, "SQL", 3.0)];
    let contacts = [crm.contact(own), crm.contact(other)];
    let mut session = db.session();
    become_role(&mut session, "authenticated", Some(&own.to_string()));
    for (function, [mine, strangers]) in [("explain_deal", deals), ("explain_contact", contacts)] {
        let explain = format!("SELECT * FROM crm_health.{function}($1)");
        assert!(
            !session
                .query(&explain, &[&mine])
                .expect("one's own")
                .is_empty()
        );
        let strangers = format!("SELECT * FROM crm_health.{function}('{strangers}')");
        assert_eq!(error_of(&mut session, &strangers).0, "42501", "{function}");
    }
}

const OPEN_DEFINERS: &str = "
    SELECT p.oid::regprocedure::text
    FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
    WHERE p.prosecdef AND (
      NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
      OR EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0))";

#[test]
fn every_definer_function_pins_its_path_and_none_is_open_to_public() {
    let mut db = Database::new();
    assert!(db.query(OPEN_DEFINERS, &[]).is_empty());
    let definers: i64 = db.value(
        "SELECT count(*) FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'crm_health'::regnamespace",
        &[],
    );
    assert!(definers > 10, "the query sees the functions: {definers}");
    db.run("GRANT EXECUTE ON FUNCTION crm_health.purge TO PUBLIC");
    assert_eq!(
        db.query(OPEN_DEFINERS, &[]).len(),
        1,
        "and would see one that is open"
    );
}

#[test]
fn default_privileges_open_nothing_of_the_extension() {
    let role = Role::new("");
    let mut db = Database::empty();
    db.run(&format!(
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {0};
         ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {0};
         CREATE EXTENSION crm_health;
         UPDATE crm_health.settings SET value = '30' WHERE name = 'active_window_days'",
        role.name
    ));
    let open: Vec<String> = db
        .query(
            "SELECT c.oid::regclass::text FROM pg_class c
             WHERE c.relnamespace = 'crm_health'::regnamespace AND c.relkind IN ('r', 'v')
               AND has_table_privilege($1::text::name, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
             UNION ALL
             SELECT p.oid::regprocedure::text FROM pg_proc p
             WHERE (p.prosecdef OR p.prokind = 'p') AND p.proname !~ '^pg_'
               AND p.pronamespace IN ('crm_health'::regnamespace, 'public'::regnamespace)
               AND has_function_privilege($1::text::name, p.oid, 'EXECUTE')",
            &[&role.name],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(open.is_empty(), "open to the role: {open:?}");
    db.run(&format!("DROP OWNED BY {}", role.name));
}

#[test]
fn the_work_runs_as_the_owner_of_the_score_tables_whoever_calls() {
    let mut db = Database::new();
    let own = user(&mut db);
    db.run(
        "CREATE TABLE ran_as (role name);
         GRANT INSERT ON ran_as TO PUBLIC;
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO public.ran_as VALUES (current_user); RETURN NEW; END';
         CREATE TRIGGER note BEFORE INSERT OR UPDATE ON deal_health_scores FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER note BEFORE INSERT OR UPDATE ON relationship_health_scores FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER note BEFORE INSERT ON deal_health_history FOR EACH ROW EXECUTE FUNCTION note();",
    );
    for (role, subject) in [
        ("authenticated", Some(own.to_string())),
        ("service_role", None),
        ("postgres", None),
    ] {
        let mut session = db.session();
        become_role(&mut session, role, subject.as_deref());
        refresh(&mut session, own);
        let after: String = session
            .query_one("SELECT current_user::text", &[])
            .expect("a role")
            .get(0);
        assert_eq!(after, role, "and the caller is itself again");
    }
    db.run("CALL crm_health.refresh_active_users(p_max_age_hours => 0)");
    let roles: Vec<String> = db
        .query("SELECT DISTINCT role::text FROM ran_as", &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(roles, ["crm_health_owner"]);
}

#[test]
fn an_owner_who_raises_an_error_leaves_the_caller_itself() {
    let mut db = Database::new();
    let own = user(&mut db);
    db.run(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
         CREATE TRIGGER fail BEFORE INSERT ON deal_health_scores FOR EACH ROW EXECUTE FUNCTION fail();",
    );
    let mut session = db.session();
    become_role(&mut session, "authenticated", Some(&own.to_string()));
    let caught = format!(
        "DO $$ BEGIN
           BEGIN PERFORM public.refresh_deal_health_scores('{own}'); EXCEPTION WHEN raise_exception THEN NULL; END;
           IF current_user <> 'authenticated' OR current_setting('row_security') <> 'on' THEN
             RAISE EXCEPTION 'left as %, row security %', current_user, current_setting('row_security');
           END IF;
         END $$"
    );
    session
        .batch_execute(&caught)
        .expect("the caller is itself");
}

#[test]
fn score_tables_of_a_superuser_are_refused_with_the_statement_that_mends_it() {
    let mut db = Database::new();
    let own = user(&mut db);
    db.run("ALTER TABLE deal_health_scores OWNER TO postgres; ALTER TABLE relationship_health_scores OWNER TO postgres");
    for function in APP_FUNCTIONS {
        let (code, message, hint) = db.error(&format!("SELECT * FROM {function}('{own}')"));
        assert_eq!(code, "55000", "{message}");
        assert!(message.contains("superuser \"postgres\""), "{message}");
        assert!(
            hint.starts_with("ALTER TABLE public.deal_health_scores OWNER TO"),
            "{hint}"
        );
    }
}

#[test]
fn a_member_of_pg_monitor_sees_the_runs_and_checks_the_installation() {
    let mut db = Database::new();
    db.run("CALL crm_health.refresh_active_users()");
    let mut session = connect(&db.url());
    become_role(&mut session, "pg_monitor", None);
    for (sql, rows) in [
        ("SELECT * FROM crm_health.last_run", 1),
        ("SELECT * FROM crm_health.check_install()", 0),
    ] {
        assert_eq!(session.query(sql, &[]).expect(sql).len(), rows, "{sql}");
    }
    assert_eq!(
        error_of(&mut session, "DELETE FROM crm_health.runs").0,
        "42501"
    );
}
