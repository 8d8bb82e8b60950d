//! The pause of the Google project: who sets it, how long it lasts, and that meeting it does not prolong it.

mod support;

use std::time::Duration;

use crm_health_sync::quota::until_reset;
use local_gmail::{Endpoint, Fault, FaultRule};
use support::{World, codes};

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
