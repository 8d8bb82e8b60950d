//! The daemon on a Citus cluster: nothing of it is different, and its mail reaches the server that holds the user.
//!
//! Where Citus is not installed the test says that it was skipped.

mod support;

use crm_health_tests::CitusCluster;
use local_gmail::{Config as GmailConfig, LocalGmail, NewMessage};
use serde_json::{Value, json};
use support::World;
use uuid::Uuid;

const ADA: &str = "ada@client.example";
const HOUR_MS: i64 = 3_600_000;
const ROLE: &str = "sync_daemon";

async fn add_rep(world: &World, email: &str) -> Uuid {
    let user = world.add_user(email).await;
    let contact = world.add_contact(user, ADA).await;
    world
        .execute(&format!(
            "INSERT INTO deals (name, owner_id, status, stage_id, primary_contact_id)
             SELECT 'Deal', '{user}', 'active', s.id, '{contact}' FROM deal_stages s WHERE s.name = 'SQL'"
        ))
        .await;
    user
}

async fn daemon(world: &World, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = world
        .run_daemon(|c| {
            c.args(arguments);
        })
        .await;
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| json!(format!("{output:?}")));
    (output.status.code(), report)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_syncs_links_and_scores_users_of_all_workers() {
    let started = tokio::task::spawn_blocking(|| {
        let cluster = CitusCluster::start()?;
        cluster.spread();
        Some(cluster)
    });
    let Some(cluster) = started.await.expect("a cluster") else {
        return;
    };
    let gmail = LocalGmail::start(GmailConfig::checked(support::discovery()))
        .await
        .expect("local Gmail");
    let url = cluster.url();
    let daemon_url = url.replacen("postgres@", &format!("{ROLE}@"), 1);
    let world = World::in_database("", gmail, "crm", &url, daemon_url).await;
    world.execute(&format!("CREATE ROLE {ROLE} LOGIN")).await;
    let output = world
        .run_daemon(|c| {
            c.arg("migrate").env("CRM_HEALTH_DATABASE_URL", &url);
        })
        .await;
    assert!(output.status.success(), "{output:?}");
    cluster.script_with("sql/sync/grants.sql", &format!("role={ROLE}"));

    // Enough of them that both workers have one.
    let mut reps = Vec::new();
    for number in 0..8 {
        let email = format!("rep{number}@acme.example");
        let user = add_rep(&world, &email).await;
        let mail = |message: NewMessage, hours: i64| {
            let at = world.gmail.now_ms() - hours * HOUR_MS;
            world
                .gmail
                .add_message(&email, message.thread("talk").at_ms(at))
                .expect("message");
        };
        mail(NewMessage::sent(&email, ADA), 5);
        mail(NewMessage::received(ADA, &email), 2);
        reps.push(user);
    }
    let (status, said) = daemon(&world, &["check-config"]).await;
    assert_eq!(status, Some(0), "{said}");
    let (status, report) = daemon(&world, &["sync"]).await;
    assert_eq!(
        (status, &report["errors"]),
        (Some(0), &json!([])),
        "{report}"
    );
    assert_eq!(
        (&report["usersProcessed"], &report["emailsSynced"]),
        (&8.into(), &16.into()),
        "{report}"
    );
    let details = &report["details"];
    assert_eq!(
        ["usersRefreshed", "dealsRefreshed", "relationshipsRefreshed"].map(|key| &details[key]),
        [&json!(8), &json!(8), &json!(8)],
        "{report}"
    );
    let linked = "SELECT count(*) FROM communication_events
                  WHERE (direction = 'outbound' AND was_replied) OR (direction = 'inbound' AND response_time_hours = 3)";
    assert_eq!(world.number(linked).await, 16);
    let threaded = "SELECT count(*) FROM communication_events WHERE thread_position IS NOT NULL AND deal_id IS NOT NULL";
    assert_eq!(world.number(threaded).await, 16);
    let workers = "SELECT count(DISTINCT s.nodeport) FROM profiles p
                   JOIN citus_shards s ON s.shardid = get_shard_id_for_distribution_column('deals', p.id)";
    assert_eq!(world.number(workers).await, 2);

    // A second sync finds nothing new, and doubles nothing.
    let (status, report) = daemon(&world, &["sync"]).await;
    assert_eq!(
        (status, &report["emailsSynced"]),
        (Some(0), &0.into()),
        "{report}"
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM communication_events")
            .await,
        16
    );
    world.assert_conforming();
    tokio::task::spawn_blocking(move || drop(cluster))
        .await
        .expect("stopped");
}
