//! The pause of the Google project: who sets it, how long it lasts, and that meeting it does not prolong it.

mod support;

use std::sync::Arc;
use std::time::Duration;

use crm_health_sync::quota::until_reset;
use crm_health_sync::run::{RunKind, RunRequest};
use local_gmail::{Endpoint, Fault, FaultRule};
use support::{World, codes};
use tokio_util::sync::CancellationToken;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";
const LEFT: &str =
    "SELECT extract(epoch FROM paused_until - now())::bigint FROM crm_health_sync.project_quota";

async fn world() -> (World, Vec<String>) {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 2);
    (world, ids)
}

async fn pause(world: &World, time: &str) {
    world
        .execute(&format!(
            "UPDATE crm_health_sync.project_quota SET paused_until = now() + interval '{time}'"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_met_is_not_prolonged() {
    let (world, ids) = world().await;
    pause(&world, "90 seconds").await;
    let report = world.sync().await;
    assert_eq!(codes(&report), ["project_quota"], "{report:?}");
    assert!((0..=90).contains(&world.number(LEFT).await));
    let mailbox =
        "SELECT extract(epoch FROM next_attempt_at - now())::bigint FROM crm_health_sync.mailboxes";
    assert!((0..=90).contains(&world.number(mailbox).await));
    let repeat = report.repeat_in.expect("worth repeating");
    assert!(repeat <= Duration::from_secs(90), "{repeat:?}");
    assert_eq!(world.gmail.stats().http_requests, 0);
    pause(&world, "0 seconds").await;
    world.end_pauses().await;
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_ends_at_once_is_waited_for() {
    let (world, ids) = world().await;
    pause(&world, "0.9 seconds").await;
    let report = world.sync().await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_pause_is_not_cut_down_to_the_reset() {
    let (world, _) = world().await;
    let reason = "dailyLimitExceeded".to_owned();
    world.gmail.inject(FaultRule::always(
        Endpoint::Profile,
        Fault::Forbidden { reason },
    ));
    let engine = world.engine();
    let day = 86_400;
    assert_eq!(codes(&world.sync_by(&engine).await), ["project_quota"]);
    assert!((1..=day).contains(&world.number(LEFT).await));
    pause(&world, "3 days").await;
    let hour = Duration::from_secs(3_600);
    engine
        .store
        .pause_project(hour, "test")
        .await
        .expect("pause");
    assert!(world.number(LEFT).await > 2 * day);
}

/// A bucket that holds less than one batch costs gives when it is full, to live mail and to a backfill.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_whose_burst_is_less_than_a_batch_is_not_waited_for_in_vain() {
    let world = World::with(
        "[quota]\nproject_units_per_minute = 24000\nproject_burst_share = 0.01\n[sync]\nfirst_sync_days = 1",
    )
    .await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 25);
    for kind in [RunKind::Now, RunKind::Backfill] {
        let engine = world.engine();
        engine
            .store
            .request_backfill(None, 2)
            .await
            .expect("request");
        let request = RunRequest {
            triggered_by: "test".to_owned(),
            kind,
            users: None,
            since: None,
        };
        let never = CancellationToken::new();
        let run = engine.run(&request, &never, Arc::new(|_| {}));
        let report = tokio::time::timeout(Duration::from_secs(60), run).await;
        let report = report.expect("it waits for units that never come");
        assert!(report.success, "{report:?}");
    }
    world.assert_synced(&ids).await;
}

#[test]
fn the_pause_lasts_until_the_reset_and_a_while_where_the_reset_is_late() {
    let rows = [
        ("2026-03-02T09:00:00Z", 23 * 3_600),
        ("2026-03-02T00:00:00Z", 8 * 3_600),
        ("2026-03-02T07:58:00Z", 120),
        ("2026-03-02T07:59:59Z", 60),
        ("2026-03-02T08:00:00Z", 600),
        ("2026-03-02T08:04:00Z", 360),
        ("2026-03-02T08:09:59Z", 60),
        ("2026-03-02T08:10:00Z", 24 * 3_600 - 600),
    ];
    for (now, seconds) in rows {
        let now = now.parse().expect("a time");
        assert_eq!(until_reset(now), Duration::from_secs(seconds), "{now}");
    }
}
