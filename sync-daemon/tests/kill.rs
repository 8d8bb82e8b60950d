//! kill -9 after every commit point of a sync: the next sync leaves nothing missing and nothing twice.

mod support;

use support::World;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

/// Where the daemon dies, and how often it passes there first.
const POINTS: [&str; 13] = [
    "claimed:1",
    "cursor_read:1",
    "page_recorded:1",
    "discovered:1",
    "token_refreshed:1",
    "batch_fetched:1",
    "batch_fetched:2",
    "batch_stored:1",
    "batch_stored:3",
    "threads_linked:1",
    "replies_linked:1",
    "scores_refreshed:1",
    "released:1",
];

async fn killed(world: &World, point: &str) -> bool {
    let output = world
        .run_daemon(|c| {
            c.arg("sync").env("CRM_HEALTH_FAILPOINT", point);
        })
        .await;
    std::os::unix::process::ExitStatusExt::signal(&output.status).is_some()
}

async fn survives(point: &str) {
    let world = World::with("[sync]\nbatch_size = 10").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let mut ids = world.receive(REP, ADA, 35);
    assert!(
        killed(&world, point).await,
        "{point}: the first sync never got there"
    );
    world.end_leases().await;
    let report = world.sync().await;
    assert!(report.success, "{point}: {report:?}");
    world.assert_synced(&ids).await;
    // The same in a sync that goes by the history.
    ids.extend(world.receive(REP, ADA, 35));
    world.gmail.expire_tokens(REP).expect("tokens");
    world
        .execute("UPDATE google_integrations SET expires_at = now()")
        .await;
    let died = killed(&world, point).await;
    assert!(
        died || point.starts_with("cursor_read"),
        "{point}: the second sync never got there"
    );
    world.end_leases().await;
    let report = world.sync().await;
    assert!(report.success, "{point}: {report:?}");
    world.assert_synced(&ids).await;
    let refreshed = "SELECT count(*) FROM public.calls WHERE what = 'relationships'";
    assert!(
        world.number(refreshed).await >= 2,
        "{point}: scores were not refreshed"
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM crm_health_sync.pending")
            .await,
        0,
        "{point}"
    );
    let due = "SELECT count(*) FROM crm_health_sync.mailboxes WHERE refresh_due";
    assert_eq!(world.number(due).await, 0, "{point}");
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_each_commit_point_nothing_is_lost_or_doubled() {
    for point in POINTS {
        survives(point).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backfill_goes_on_where_it_was() {
    for point in ["page_recorded:2", "slice_done:1", "batch_stored:2"] {
        let world = World::with("[sync]\nbatch_size = 10").await;
        let user = world.add_user(REP).await;
        let ids = world.receive(REP, ADA, 30);
        world.sync().await;
        world.add_contact(user, ADA).await;
        let backfill = ["backfill", "--all", "--days", "20"];
        let output = world
            .run_daemon(|c| {
                c.args(backfill).env("CRM_HEALTH_FAILPOINT", point);
            })
            .await;
        assert!(
            output.status.code().is_none(),
            "{point}: it never got there"
        );
        world.end_leases().await;
        world
            .run_daemon(|c| {
                c.args(backfill);
            })
            .await;
        world.assert_synced(&ids).await;
    }
}
