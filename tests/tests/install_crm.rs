//! `sql/crm/install.sql`: makes or completes the CRM tables, and opens them to nobody else.

use crm_health_tests::cluster::{install_crm, program_path, psql, repository};
use crm_health_tests::database::error_of;
use crm_health_tests::session::{Role, become_role};
use crm_health_tests::{Crm, Database};
use postgres::Client;
use uuid::Uuid;

const TABLES: [&str; 20] = [
    "activities",
    "communication_events",
    "companies",
    "contact_streams",
    "contacts",
    "deal_health_alerts",
    "deal_health_history",
    "deal_health_rules",
    "deal_health_scores",
    "deal_meetings",
    "deal_stage_history",
    "deal_stages",
    "deals",
    "ghost_detection_signals",
    "google_integrations",
    "meeting_contacts",
    "meetings",
    "profiles",
    "relationship_health_history",
    "relationship_health_scores",
];

/// Every table, column, key, policy, trigger and grant of a schema, and how many rows.
fn shape(db: &mut Database, schema: &str) -> String {
    db.value(
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
           SELECT format('table %s %s %s %s', c.oid::regclass, c.relowner::regrole, c.relrowsecurity, c.relacl) AS line
           FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'v', 'i')
           UNION ALL
           SELECT format('column %s %s %s %s', a.attrelid::regclass, a.attname, a.atttypid::regtype, a.attacl)
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = $1::text::regnamespace AND a.attnum > 0
           UNION ALL SELECT format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = $1::text::regnamespace
           UNION ALL SELECT format('policy %s %s', polrelid::regclass, polname) FROM pg_policy
           UNION ALL SELECT format('trigger %s %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
           UNION ALL SELECT format('function %s %s', p.oid::regprocedure, p.proacl) FROM pg_proc p WHERE p.pronamespace = $1::text::regnamespace
         ) s",
        &[&schema],
    )
}

/// What the script says besides doing.
fn said(url: &str, schema: &str) -> String {
    let script = repository()
        .join("sql/crm/install.sql")
        .display()
        .to_string();
    let output = program_path("psql")
        .args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-v",
            &format!("crm_schema={schema}"),
            "-d",
            url,
            "-f",
            &script,
        ])
        .output()
        .expect("psql");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_table_is_made_with_row_security_and_a_second_run_changes_and_says_nothing() {
    let mut db = Database::empty();
    install_crm(&db.url());
    let tables: Vec<String> = db
        .query(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
               AND relrowsecurity AND relowner = 'crm_health_owner'::regrole ORDER BY 1",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(tables, TABLES);
    let once = shape(&mut db, "public");
    assert_eq!(said(&db.url(), "public"), "");
    assert_eq!(shape(&mut db, "public"), once);
    let stages: i64 = db.value("SELECT count(*) FROM deal_stages", &[]);
    assert_eq!(stages, 5);
}

#[test]
fn tables_that_are_there_are_completed_and_their_rows_left() {
    let mut db = Database::empty();
    db.run(
        "CREATE SCHEMA sales;
         CREATE TABLE sales.contacts (id uuid PRIMARY KEY, email varchar(80), owner_id uuid, favourite text DEFAULT 'tea');
         INSERT INTO sales.contacts VALUES ('00000000-0000-0000-0000-00000000000c', 'c@example.com', '00000000-0000-0000-0000-00000000000a');
         CREATE TABLE sales.deals (id uuid PRIMARY KEY, owner_id uuid, value numeric, status varchar(20), created_at timestamptz);
         CREATE INDEX of_our_own ON sales.deals (owner_id) WHERE status = 'active';
         CREATE TABLE sales.meetings_source (id uuid, meeting_start timestamptz, owner_user_id uuid);
         CREATE VIEW sales.meetings AS SELECT * FROM sales.meetings_source",
    );
    said(&db.url(), "sales");
    let row: (String, String, Option<Uuid>) = {
        let rows = db.query(
            "SELECT email::text, favourite, company_id FROM sales.contacts",
            &[],
        );
        (rows[0].get(0), rows[0].get(1), rows[0].get(2))
    };
    assert_eq!(row, ("c@example.com".to_owned(), "tea".to_owned(), None));
    let kept: bool = db.value(
        "SELECT (SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'sales.contacts'::regclass AND attname = 'email') = 'character varying(80)'
            AND (SELECT relkind FROM pg_class WHERE oid = 'sales.meetings'::regclass) = 'v'
            AND NOT (SELECT relrowsecurity FROM pg_class WHERE oid = 'sales.contacts'::regclass)
            AND (SELECT count(*) FROM pg_index WHERE indrelid = 'sales.deals'::regclass
                 AND pg_get_indexdef(indexrelid) ~ '\\(owner_id\\) WHERE') = 1",
        &[],
    );
    assert!(
        kept,
        "types, views, row security and equivalent indexes are left as they are"
    );
    let once = shape(&mut db, "sales");
    said(&db.url(), "sales");
    assert_eq!(shape(&mut db, "sales"), once);
    let public: i64 = db.value(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        &[],
    );
    assert_eq!(public, 0, "nothing is made elsewhere");
}

#[test]
fn a_schema_that_is_not_there_is_refused_by_name() {
    let db = Database::empty();
    let script = repository()
        .join("sql/crm/install.sql")
        .display()
        .to_string();
    let output = program_path("psql")
        .args([
            "-X",
            "-q",
            "-v",
            "crm_schema=nowhere",
            "-d",
            &db.url(),
            "-f",
            &script,
        ])
        .output()
        .expect("psql");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("schema \"nowhere\" does not exist"), "{said}");
    assert!(said.contains("CREATE SCHEMA nowhere"), "{said}");
}

#[test]
fn doubled_relationship_scores_are_merged_into_the_newest_with_their_history_and_signals() {
    let mut db = Database::empty();
    db.run(
        "CREATE TABLE relationship_health_scores (id uuid PRIMARY KEY, user_id uuid, relationship_type text, contact_id uuid,
           company_id uuid, overall_health_score int, health_status text, last_calculated_at timestamptz, updated_at timestamptz,
           UNIQUE (user_id, contact_id, company_id));
         INSERT INTO relationship_health_scores (id, user_id, contact_id, relationship_type, overall_health_score, health_status, last_calculated_at)
           SELECT md5(c || n)::uuid, md5('user')::uuid, md5(c)::uuid, 'contact', n, 'healthy', timestamptz '2026-01-10' - n * interval '1 day'
           FROM generate_series(1, 3) n, (VALUES ('one'), ('other')) v (c) WHERE c = 'one' OR n = 2;
         CREATE TABLE relationship_health_history (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
           relationship_health_id uuid REFERENCES relationship_health_scores ON DELETE CASCADE, snapshot_at timestamptz);
         INSERT INTO relationship_health_history (relationship_health_id) SELECT id FROM relationship_health_scores;
         CREATE TABLE ghost_detection_signals (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
           relationship_health_id uuid REFERENCES relationship_health_scores ON DELETE CASCADE, signal_type text,
           detected_at timestamptz DEFAULT now(), resolved_at timestamptz);
         INSERT INTO ghost_detection_signals (relationship_health_id, signal_type) SELECT id, 'thread_dropout' FROM relationship_health_scores",
    );
    install_crm(&db.url());
    let scores: Vec<(Uuid, i32)> = db
        .query(
            "SELECT contact_id, overall_health_score FROM relationship_health_scores ORDER BY 2",
            &[],
        )
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert_eq!(
        scores.iter().map(|(_, score)| *score).collect::<Vec<_>>(),
        [1, 2],
        "the newest of each stays"
    );
    let history: i64 = db.value(
        "SELECT count(*) FROM relationship_health_history h JOIN relationship_health_scores s ON s.id = h.relationship_health_id",
        &[],
    );
    assert_eq!(history, 4, "no history is lost");
    let signals: (i64, i64) = {
        let rows = db.query("SELECT count(*), count(*) FILTER (WHERE resolved_at IS NULL) FROM ghost_detection_signals", &[]);
        (rows[0].get(0), rows[0].get(1))
    };
    assert_eq!(
        signals,
        (4, 2),
        "of one relationship's open signals one stays open"
    );
    let doubled = "INSERT INTO relationship_health_scores (id, user_id, contact_id, relationship_type, overall_health_score, health_status, last_calculated_at)
                   SELECT gen_random_uuid(), user_id, contact_id, 'contact', 1, 'healthy', now() FROM relationship_health_scores";
    assert_eq!(
        db.error(doubled).0,
        "23505",
        "and none can be doubled again"
    );
}

/// Two users with rows of their own, and the tokens of their mailboxes.
fn two_users(db: &mut Database) -> [Uuid; 2] {
    [(); 2].map(|()| {
        let mut crm = Crm(db);
        let user = crm.user(0.0);
        let (_, contact) = crm.company_contact(user);
        let deal = crm.deal(user, "SQL", 5.0);
        crm.sent(user, contact, 1.0);
        crm.meeting(user, contact, 1.0);
        db.query("SELECT refresh_deal_health_scores($1)", &[&user]);
        db.query("SELECT refresh_relationship_health_scores($1)", &[&user]);
        db.query("INSERT INTO activities (id, user_id, deal_id) VALUES (gen_random_uuid(), $1, $2)", &[&user, &deal]);
        db.query(
            "INSERT INTO google_integrations (user_id, email, access_token, refresh_token) VALUES ($1, $1::uuid::text, 'secret', 'secret')",
            &[&user],
        );
        user
    })
}

fn count(client: &mut Client, sql: &str) -> i64 {
    client
        .query_one(&format!("SELECT count(*) FROM {sql}"), &[])
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        .get(0)
}

#[test]
fn a_user_sees_its_own_rows_in_every_table_and_nobody_sees_any_without_a_subject() {
    let mut db = Database::new();
    let [own, other] = two_users(&mut db);
    let mut session = db.session();
    let columns = |table: &str| {
        if table == "google_integrations" {
            "(SELECT id, user_id FROM google_integrations) g".to_owned()
        } else {
            table.to_owned()
        }
    };
    let of_users = TABLES
        .iter()
        .filter(|table| !["deal_stages", "deal_health_rules"].contains(table));
    for table in of_users {
        let all = count(db.client(), table);
        let expected = if all == 0 { 0 } else { 1 };
        for user in [own, other] {
            become_role(&mut session, "authenticated", Some(&user.to_string()));
            let seen = count(&mut session, &columns(table));
            assert!(
                seen == expected || (seen > 0 && seen * 2 == all),
                "{table}: {seen} of {all}"
            );
        }
        for nobody in [None, Some(""), Some("00000000-0000-0000-0000-000000000000")] {
            become_role(&mut session, "authenticated", nobody);
            assert_eq!(
                count(&mut session, &columns(table)),
                0,
                "{table} without a subject"
            );
        }
        become_role(&mut session, "service_role", None);
        assert_eq!(
            count(&mut session, table),
            all,
            "{table}: service_role sees all"
        );
        become_role(&mut session, "anon", Some(&own.to_string()));
        assert_eq!(
            error_of(&mut session, &format!("SELECT FROM {table}")).0,
            "42501",
            "{table}: anon"
        );
    }
    become_role(&mut session, "authenticated", Some(&own.to_string()));
    assert_eq!(
        count(&mut session, "deal_stages"),
        5,
        "stages are everyone's"
    );
}

#[test]
fn a_user_cannot_read_tokens_write_scores_promote_itself_or_touch_others() {
    let mut db = Database::new();
    let [own, other] = two_users(&mut db);
    let mut session = db.session();
    become_role(&mut session, "authenticated", Some(&own.to_string()));
    for refused in [
        "SELECT access_token FROM google_integrations".to_owned(),
        "SELECT refresh_token FROM google_integrations".to_owned(),
        "SELECT * FROM google_integrations".to_owned(),
        "UPDATE google_integrations SET access_token = 'mine'".to_owned(),
        "INSERT INTO google_integrations (user_id, email) VALUES (gen_random_uuid(), 'x')"
            .to_owned(),
        "UPDATE profiles SET is_admin = true".to_owned(),
        "UPDATE profiles SET last_login_at = now()".to_owned(),
        "UPDATE deal_health_scores SET overall_health_score = 100".to_owned(),
        "DELETE FROM relationship_health_scores".to_owned(),
        "INSERT INTO deal_health_history (deal_id) SELECT id FROM deals".to_owned(),
        "UPDATE deal_stages SET name = 'mine'".to_owned(),
        format!("INSERT INTO contacts (email, owner_id) VALUES ('x', '{other}')"),
        format!("UPDATE contacts SET owner_id = '{other}'"),
        format!("UPDATE deals SET owner_id = '{other}'"),
    ] {
        assert_eq!(error_of(&mut session, &refused).0, "42501", "{refused}");
    }
    session
        .batch_execute("UPDATE profiles SET first_name = 'Ada'; UPDATE deals SET name = 'Renamed'")
        .expect("one's own");
    let renamed: i64 = db.value("SELECT count(*) FROM deals WHERE name = 'Renamed'", &[]);
    assert_eq!(renamed, 1, "no row of the other user was touched");
}

#[test]
fn default_privileges_of_the_schema_do_not_open_the_new_tables() {
    let role = Role::new("");
    let mut db = Database::empty();
    db.run(&format!(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {}, anon",
        role.name
    ));
    install_crm(&db.url());
    let open: i64 = db.value(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
           AND (has_table_privilege($1::text::name, oid, 'SELECT, INSERT, UPDATE, DELETE')
                OR has_table_privilege('anon', oid, 'SELECT, INSERT, UPDATE, DELETE'))",
        &[&role.name],
    );
    assert_eq!(open, 0);
    db.run(&format!("DROP OWNED BY {}", role.name));
}

/// What each of the application's roles may call.
fn callable(db: &mut Database) -> Vec<(String, String)> {
    db.query(
        "SELECT r.rolname::text, p.oid::regprocedure::text
         FROM pg_proc p
         JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
         JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
         JOIN pg_roles r ON r.rolname IN ('anon', 'authenticated', 'service_role')
         WHERE (p.prosecdef OR p.prokind = 'p') AND has_function_privilege(r.oid, p.oid, 'EXECUTE') ORDER BY 1, 2",
        &[],
    )
    .iter()
    .map(|row| (row.get(0), row.get(1)))
    .collect()
}

#[test]
fn roles_made_after_the_extension_get_the_same_grants_from_the_script() {
    let mut db = Database::new();
    let before = callable(&mut db);
    assert_eq!(
        before
            .iter()
            .filter(|(role, _)| role == "authenticated")
            .count(),
        15,
        "{before:#?}"
    );
    assert_eq!(
        before
            .iter()
            .filter(|(role, _)| role == "service_role")
            .count(),
        27,
        "{before:#?}"
    );
    db.run(
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crm_health FROM authenticated, service_role;
         REVOKE ALL ON FUNCTION refresh_deal_health_scores, refresh_relationship_health_scores FROM authenticated, service_role",
    );
    assert_eq!(callable(&mut db), []);
    install_crm(&db.url());
    assert_eq!(callable(&mut db), before);
}

#[test]
fn a_login_keeps_the_last_login_and_never_fails_for_it() {
    let mut db = Database::empty();
    db.run("CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY, last_sign_in_at timestamptz)");
    install_crm(&db.url());
    install_crm(&db.url());
    db.run(
        "INSERT INTO profiles (id) VALUES ('00000000-0000-0000-0000-00000000000a');
         INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-00000000000a', '2026-01-01 00:00Z'), (gen_random_uuid(), now());
         UPDATE auth.users SET last_sign_in_at = '2026-02-01 00:00Z' WHERE last_sign_in_at < '2026-01-02'",
    );
    let kept: bool = db.value(
        "SELECT last_login_at = '2026-02-01 00:00Z' FROM profiles",
        &[],
    );
    assert!(kept);
    db.run(
        "ALTER TABLE profiles ADD CONSTRAINT no CHECK (last_login_at < '2026-03-01');
         UPDATE auth.users SET last_sign_in_at = '2026-04-01 00:00Z' WHERE last_sign_in_at < '2026-03-01';
         DROP TABLE profiles;
         UPDATE auth.users SET last_sign_in_at = '2026-05-01 00:00Z'",
    );
    let open: i64 = db.value(
        "SELECT count(*) FROM pg_proc WHERE proname = 'crm_keep_last_login' AND prosecdef
           AND (proowner <> 'crm_health_owner'::regrole OR has_function_privilege('authenticated', oid, 'EXECUTE')
                OR NOT 'search_path=pg_catalog, pg_temp' = ANY (proconfig))",
        &[],
    );
    assert_eq!(open, 0);
}

#[test]
fn an_ordinary_owner_installs_for_itself_and_its_scores_are_computed_as_it() {
    let role = Role::new("LOGIN");
    let mut db = Database::empty();
    db.run(&format!(
        "CREATE EXTENSION crm_health; GRANT CREATE, USAGE ON SCHEMA public TO {0}; GRANT CREATE ON SCHEMA public TO {0}",
        role.name
    ));
    let url = db.url().replace("postgres@", &format!("{}@", role.name));
    psql(
        &url,
        &[
            "-f",
            &repository()
                .join("sql/crm/install.sql")
                .display()
                .to_string(),
        ],
    );
    let owner: String = db.value(
        "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'deal_health_scores'::regclass",
        &[],
    );
    assert_eq!(owner, role.name);
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    crm.deal(user, "SQL", 5.0);
    assert_eq!(
        db.query("SELECT refresh_deal_health_scores($1)", &[&user])
            .len(),
        1
    );
}

#[test]
fn the_owner_of_the_scores_may_call_what_it_is_trusted_with() {
    let role = Role::new("LOGIN BYPASSRLS");
    let mut db = Database::new();
    db.run(&format!(
        "ALTER TABLE deal_health_scores OWNER TO {0}; ALTER TABLE relationship_health_scores OWNER TO {0}",
        role.name
    ));
    install_crm(&db.url());
    let user = Crm(&mut db).user(0.0);
    Crm(&mut db).deal(user, "SQL", 5.0);
    let mut session = db.session();
    become_role(&mut session, &role.name, None);
    let rows = session.query("SELECT * FROM refresh_deal_health_scores($1)", &[&user]);
    assert_eq!(rows.expect("a refresh as the owner").len(), 1);
    let rows = session.query(
        "SELECT * FROM crm_health.refresh_deals(ARRAY[$1::uuid], 0)",
        &[&user],
    );
    assert_eq!(rows.expect("a refresh as the owner").len(), 1);
}
