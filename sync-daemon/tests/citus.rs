//! The daemon on a Citus cluster: nothing of it is different, and its mail reaches the server that holds the user.
//!
//! Where Citus is not installed the test says that it was skipped.

mod support;

use crm_health_sync::run::refresh_health;
use crm_health_tests::CitusCluster;
use local_gmail::{Config as GmailConfig, LocalGmail, NewMessage};
use serde_json::{Value, json};
use support::World;
use support::site::{NO_SCHEDULE, PAGES, Site};
use tokio_util::sync::CancellationToken;
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
    let world = World::in_database(NO_SCHEDULE, gmail, "crm", &url, daemon_url).await;
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

    // The job of everyone, as the daemon's role.
    let age =
        "UPDATE relationship_health_scores SET last_calculated_at = now() - interval '2 days'";
    world.execute(age).await;
    let job = refresh_health(&world.engine(), "test", &CancellationToken::new()).await;
    assert!(job.success, "{job:?}");
    assert_eq!((job.users_processed, job.relationships_refreshed), (8, 8));

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

    cluster.script_with("sql/sync/dashboard.sql", &format!("role={ROLE}"));
    let deal = world
        .text("SELECT id::text FROM deals ORDER BY id LIMIT 1")
        .await;
    let contact = world
        .text("SELECT id::text FROM contacts ORDER BY id LIMIT 1")
        .await;
    let site = Site::of(world).await;
    let cookie = site.cookie().await;
    let items = [("deal", deal), ("contact", contact)];
    let items = items.map(|(kind, id)| format!("/dashboard/{kind}/{}", id.expect("one")));
    let mut unread = Vec::new();
    for path in PAGES.map(str::to_owned).iter().chain(&items) {
        let text = site.page(path, &cookie).await;
        assert!(!text.contains("Not available"), "{path}: {text}");
        for part in text.split("This could not be read.").skip(1) {
            let why: String = part.chars().take(200).collect();
            unread.push((path.clone(), why));
        }
    }
    // What worsened is looked up for each deal in its history, which Citus does not do across its servers.
    for (path, why) in &unread {
        assert!(
            ["/dashboard", "/dashboard/attention"].contains(&path.as_str()),
            "{path}: {why}"
        );
    }
    assert_eq!(unread.len(), 2, "{unread:?}");
    drop(site);
    tokio::task::spawn_blocking(move || drop(cluster))
        .await
        .expect("stopped");
}
