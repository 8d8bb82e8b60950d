//! Who may see and do what with the tables that the script made.

use super::*;

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
