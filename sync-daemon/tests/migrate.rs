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
async fn migrate_brings_tables_of_an_earlier_version_up_to_date() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    world.add_user("rep@acme.example").await;
    assert!(world.sync().await.success);
    world
        .execute("ALTER TABLE crm_health_sync.mailboxes DROP COLUMN gone_since")
        .await;
    let report = world.sync().await;
    assert!(
        report.errors[0]
            .reason
            .contains("crm-health-sync check-config"),
        "{report:?}"
    );
    let run = async |command: &'static str| {
        let output = world.run_daemon(|c| {
            c.arg(command);
        });
        let output = output.await;
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = run("check-config").await;
    for part in [
        "table crm_health_sync.mailboxes has no column gone_since",
        "run: crm-health-sync migrate",
    ] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
    run("migrate").await;
    let cursors =
        "SELECT count(history_id) FROM crm_health_sync.mailboxes WHERE gone_since IS NULL";
    assert_eq!(world.number(cursors).await, 1);
    assert!(world.sync().await.success);
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
