//! Owners, rights and roles.

use super::*;

#[test]
fn score_tables_of_two_owners() {
    let role = Role::new("BYPASSRLS");
    let mut db = Database::new();
    db.run(&format!(
        "ALTER TABLE deal_health_scores OWNER TO {}",
        role.name
    ));
    let found = troubles(&mut db);
    let (severity, problem, hint) = &found[0];
    assert_eq!(severity, "error");
    assert!(
        problem.contains("deal_health_scores belongs to"),
        "{problem}"
    );
    db.run(hint);
    assert_eq!(troubles(&mut db), [], "what followed from it is gone too");
}

#[test]
fn score_tables_of_a_superuser() {
    let mut db = Database::new();
    db.run("ALTER TABLE deal_health_scores OWNER TO postgres; ALTER TABLE relationship_health_scores OWNER TO postgres");
    let found = troubles(&mut db);
    assert_eq!(found.len(), 2, "{found:#?}");
    for (severity, problem, hint) in &found {
        assert_eq!(severity, "error");
        assert!(
            problem.contains("belongs to superuser postgres"),
            "{problem}"
        );
        db.run(hint);
    }
    assert_eq!(troubles(&mut db), []);
}

#[test]
fn a_schema_that_the_owner_of_the_scores_may_not_use() {
    let mut db = Database::new();
    let revoke = "REVOKE USAGE ON SCHEMA public FROM PUBLIC, crm_health_owner";
    assert_found_and_mended(&mut db, revoke, "error", "may not use schema public");
}

#[test]
fn a_table_that_the_owner_of_the_scores_may_not_read() {
    let role = Role::new("");
    let mut db = Database::new();
    let damage = format!(
        "ALTER TABLE activities DISABLE ROW LEVEL SECURITY; ALTER TABLE activities OWNER TO {}",
        role.name
    );
    assert_found_and_mended(&mut db, &damage, "error", "may not read public.activities");
}

#[test]
fn a_history_that_the_owner_of_the_scores_may_not_write() {
    let role = Role::new("");
    let mut db = Database::new();
    let damage = format!(
        "ALTER TABLE deal_health_history OWNER TO {}; GRANT SELECT ON deal_health_history TO crm_health_owner",
        role.name
    );
    assert_found_and_mended(
        &mut db,
        &damage,
        "error",
        "may not write public.deal_health_history",
    );
}

#[test]
fn rows_that_a_policy_would_hide_from_the_owner_of_the_scores() {
    let (owner, other) = (Role::new(""), Role::new(""));
    let mut db = Database::new();
    db.run(&format!(
        "DO $$ DECLARE t name; BEGIN
           FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
             EXECUTE format('ALTER TABLE %I OWNER TO {}', t);
           END LOOP;
         END $$",
        owner.name
    ));
    let damage = format!(
        "ALTER TABLE contacts OWNER TO {}; GRANT SELECT ON contacts TO {}",
        other.name, owner.name
    );
    assert_found_and_mended(
        &mut db,
        &damage,
        "error",
        "row security of public.contacts would hide rows",
    );
}

#[test]
fn a_schema_in_which_anyone_may_plant_tables() {
    let mut db = Database::new();
    let grant = "GRANT CREATE ON SCHEMA public TO PUBLIC";
    assert_found_and_mended(
        &mut db,
        grant,
        "warning",
        "anyone may create objects in schema public",
    );
}

#[test]
fn a_function_that_was_opened_to_everyone() {
    let mut db = Database::new();
    let grant = "GRANT EXECUTE ON FUNCTION crm_health.purge TO PUBLIC";
    assert_found_and_mended(
        &mut db,
        grant,
        "error",
        "anyone may execute crm_health.purge",
    );
}

#[test]
fn a_trusted_role_that_is_gone() {
    let role = Role::new("");
    let mut db = Database::new();
    let name = role.name.clone();
    db.run(&format!(
        "UPDATE crm_health.settings SET value = 'service_role, {name}' WHERE name = 'trusted_roles'"
    ));
    assert_eq!(troubles(&mut db), []);
    drop(role);
    let words = format!("trusted_roles names {name}, and there is no such role: one that is made");
    assert_found_and_mended(&mut db, "SELECT 1", "warning", &words);
    let left: String = db.value(
        "SELECT value FROM crm_health.settings WHERE name = 'trusted_roles'",
        &[],
    );
    assert_eq!(left, "service_role");
}
