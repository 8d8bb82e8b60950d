//! `migrate`: the daemon's own tables, made anew, again, and never in a schema that somebody else left there.

mod support;

use support::World;

#[tokio::test(flavor = "multi_thread")]
async fn migrate_makes_the_tables_and_a_second_run_changes_nothing() {
    let world = World::new().await;
    world.execute("DROP SCHEMA crm_health_sync CASCADE").await;
    let tables =
        "SELECT string_agg(c.oid::text || c.relname, ',' ORDER BY c.relname) FROM pg_class c
                  WHERE c.relnamespace = 'crm_health_sync'::regnamespace AND c.relkind = 'r'";
    let mut found = Vec::new();
    for _ in 0..2 {
        let output = world
            .run_daemon(|c| {
                c.arg("migrate");
            })
            .await;
        assert!(output.status.success(), "{output:?}");
        found.push(world.text(tables).await.expect("tables"));
    }
    assert!(found[0].contains("mailboxes"), "{found:?}");
    assert_eq!(found[0], found[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_another_role_owns_is_refused_and_left_as_it_is() {
    let world = World::new().await;
    let stranger = format!("stranger_of_{}", world.database);
    world
        .execute(&format!(
            "DROP SCHEMA crm_health_sync CASCADE;
             CREATE ROLE {stranger};
             CREATE SCHEMA crm_health_sync AUTHORIZATION {stranger}"
        ))
        .await;
    let output = world
        .run_daemon(|c| {
            c.arg("migrate");
        })
        .await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    for part in ["crm_health_sync belongs to another role", &stranger] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
    let objects =
        "SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'crm_health_sync'::regnamespace";
    assert_eq!(world.number(objects).await, 0);
}
