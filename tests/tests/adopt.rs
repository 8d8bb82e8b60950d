//! The extension takes the place of plain functions of the same names, and gives it back.

use crm_health_tests::Database;
use crm_health_tests::cluster::{program_path, psql, repository};
use crm_health_tests::session::Role;
use std::process::Output;

fn script(name: &str) -> String {
    repository().join("sql").join(name).display().to_string()
}

/// Runs a script that may fail.
fn try_script(db: &Database, name: &str) -> Output {
    program_path("psql")
        .args(["-X", "-q", "-d", &db.url(), "-f", &script(name)])
        .output()
        .expect("psql")
}

/// Two functions and a procedure of the names, with grants, owners, comments and settings.
fn plain_functions(db: &mut Database, caller: &Role, owner: &Role) {
    db.run(&format!(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {caller};
         GRANT CREATE ON SCHEMA public TO {owner};
         CREATE TABLE scores (deal_id uuid, score integer);
         CREATE FUNCTION public.refresh_deal_health_scores(p_user_id uuid) RETURNS SETOF scores
           LANGUAGE sql SECURITY DEFINER SET search_path = public AS 'SELECT * FROM scores';
         COMMENT ON FUNCTION public.refresh_deal_health_scores(uuid) IS 'the first';
         ALTER FUNCTION public.refresh_deal_health_scores(uuid) OWNER TO {owner};
         CREATE FUNCTION public.refresh_deal_health_scores(p_user_id uuid, n integer DEFAULT 3) RETURNS integer
           LANGUAGE sql AS 'SELECT n';
         REVOKE ALL ON FUNCTION public.refresh_deal_health_scores(uuid, integer) FROM PUBLIC;
         GRANT EXECUTE ON FUNCTION public.refresh_deal_health_scores(uuid, integer) TO {caller} WITH GRANT OPTION;
         CREATE PROCEDURE public.refresh_relationship_health_scores(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';",
        caller = caller.name,
        owner = owner.name
    ));
}

/// All that there is to know about the functions of these names.
fn functions(db: &mut Database) -> Vec<String> {
    db.query(
        "SELECT concat_ws(' | ', pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner), obj_description(p.oid, 'pg_proc'),
                (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x))
         FROM pg_proc p WHERE p.proname ~ '^refresh_(deal|relationship)_health_scores$' ORDER BY 1",
        &[],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

fn is_extension_there(db: &mut Database) -> bool {
    db.value(
        "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'crm_health')",
        &[],
    )
}

#[test]
fn adopting_and_taking_it_back_leaves_the_functions_as_they_were() {
    let (caller, owner) = (Role::new(""), Role::new(""));
    let mut db = Database::empty();
    plain_functions(&mut db, &caller, &owner);
    let before = functions(&mut db);
    assert_eq!(before.len(), 3);

    psql(&db.url(), &["-f", &script("adopt.sql")]);
    assert!(is_extension_there(&mut db));
    let ours: i64 = db.value(
        "SELECT count(*) FROM pg_proc WHERE proname ~ '^refresh_(deal|relationship)_health_scores$' AND prosecdef AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')",
        &[],
    );
    assert_eq!(ours, 2);
    assert_eq!(functions(&mut db).len(), 2);
    let callable: bool = db.value(
        "SELECT has_function_privilege($1::text::name, 'refresh_deal_health_scores(uuid, integer)', 'EXECUTE')
             OR has_table_privilege($1::text::name, 'crm_adopted_functions', 'SELECT')",
        &[&caller.name],
    );
    assert!(
        !callable,
        "grants on the old functions do not open the new ones"
    );

    psql(&db.url(), &["-f", &script("adopt.sql")]);
    assert!(is_extension_there(&mut db), "a second run does nothing");

    psql(&db.url(), &["-f", &script("unadopt.sql")]);
    assert!(!is_extension_there(&mut db));
    assert_eq!(functions(&mut db), before);
    let gone: bool = db.value(
        "SELECT to_regclass('public.crm_adopted_functions') IS NULL",
        &[],
    );
    assert!(gone);
    let works: i32 = db.value("SELECT refresh_deal_health_scores(NULL, 2)", &[]);
    assert_eq!(works, 2);
    db.run(&format!("DROP OWNED BY {}, {}", caller.name, owner.name));
}

#[test]
fn jobs_that_another_database_keeps_are_told_of() {
    let db = Database::empty();
    psql(&db.url(), &["-f", &script("adopt.sql")]);
    let output = psql(&db.url(), &["-f", &script("unadopt.sql")]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("run in database postgres: SELECT j.jobname, cron.unschedule"),
        "{told}"
    );
}

#[test]
fn where_something_depends_on_the_functions_nothing_changes_and_it_is_named() {
    let (caller, owner) = (Role::new(""), Role::new(""));
    let mut db = Database::empty();
    plain_functions(&mut db, &caller, &owner);
    db.run("CREATE VIEW board AS SELECT public.refresh_deal_health_scores(NULL, 2) AS n");
    let before = functions(&mut db);
    let output = try_script(&db, "adopt.sql");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("view public.board needs"), "{said}");
    assert_eq!(functions(&mut db), before);
    assert!(!is_extension_there(&mut db));
    db.run(&format!(
        "DROP VIEW board; DROP OWNED BY {}, {}",
        caller.name, owner.name
    ));
}

#[test]
fn a_database_without_such_functions_adopts_nothing_and_gets_the_extension() {
    let mut db = Database::empty();
    psql(&db.url(), &["-f", &script("adopt.sql")]);
    assert!(is_extension_there(&mut db));
    psql(&db.url(), &["-f", &script("unadopt.sql")]);
    assert!(!is_extension_there(&mut db));
    assert!(functions(&mut db).is_empty());
}

#[test]
fn nothing_is_taken_back_where_nothing_was_adopted() {
    let mut db = Database::new();
    let output = try_script(&db, "unadopt.sql");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("nothing was adopted here"), "{said}");
    assert!(is_extension_there(&mut db));
}

#[test]
fn what_others_could_have_written_is_not_run() {
    let role = Role::new("");
    let mut db = Database::empty();
    psql(&db.url(), &["-f", &script("adopt.sql")]);
    db.run(&format!(
        "GRANT INSERT ON crm_adopted_functions TO {}",
        role.name
    ));
    let output = try_script(&db, "unadopt.sql");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("can be written by others than a superuser"),
        "{said}"
    );
    assert!(is_extension_there(&mut db));
    db.run(&format!("DROP OWNED BY {}", role.name));
}

#[test]
fn only_a_superuser_adopts() {
    let role = Role::new("LOGIN");
    let db = Database::empty();
    let url = db.url().replace("postgres@", &format!("{}@", role.name));
    let output = program_path("psql")
        .args(["-X", "-q", "-d", &url, "-f", &script("adopt.sql")])
        .output()
        .expect("psql");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("only a superuser can adopt the functions"),
        "{said}"
    );
}
