//! What a sync lists: the window of `--since`, and what is listed again when a history has expired.

mod support;

use std::sync::Arc;
use std::time::Duration;

use crm_health_sync::run::{Report, RunKind, RunRequest};
use local_gmail::NewMessage;
use support::{World, codes};
use tokio_util::sync::CancellationToken;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const HOUR: Duration = Duration::from_secs(3_600);

async fn world() -> World {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    world
}

/// A mail that is so old; its id.
fn mail(world: &World, age_ms: i64) -> String {
    let message = NewMessage::received(ADA, REP).at_ms(world.gmail.now_ms() - age_ms);
    world.gmail.add_message(REP, message).expect("message")
}

async fn sync_since(world: &World, since: Duration) -> Report {
    let request = RunRequest {
        triggered_by: "test".to_owned(),
        kind: RunKind::Now,
        users: None,
        since: Some(since),
    };
    world
        .engine()
        .run(&request, &CancellationToken::new(), Arc::new(|_| {}))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_shorter_than_the_time_since_the_last_sync_loses_nothing() {
    let world = world().await;
    assert!(world.sync().await.success);
    let ids = [mail(&world, 10 * HOUR_MS), mail(&world, 6 * MINUTE_MS)];
    let report = sync_since(&world, 2 * HOUR).await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_window_in_the_first_sync_loses_nothing() {
    let world = world().await;
    let ids = [mail(&world, 10 * HOUR_MS), mail(&world, 6 * MINUTE_MS)];
    assert!(sync_since(&world, 2 * HOUR).await.success);
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_window_finds_what_was_there_before_the_first_sync() {
    for scope in [
        local_gmail::SCOPE_READONLY,
        // Without search, pages are read until they are older than the window.
        local_gmail::SCOPE_METADATA,
    ] {
        let world = world().await;
        let mut ids = vec![mail(&world, 40 * DAY_MS), mail(&world, HOUR_MS)];
        assert!(world.sync().await.success);
        world.assert_synced(&ids[1..]).await;
        world.gmail.set_scopes(REP, &[scope]).expect("scopes");
        ids.push(mail(&world, MINUTE_MS));
        let report = sync_since(&world, 24 * 60 * HOUR).await;
        assert_eq!(codes(&report), Vec::<&str>::new(), "{scope}: {report:?}");
        world.assert_synced(&ids).await;
        world.assert_conforming();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_expired_in_a_long_absence_is_listed_from_before_it() {
    let world = world().await;
    assert!(world.sync().await.success);
    world
        .execute(
            "UPDATE crm_health_sync.mailboxes
             SET last_good_at = now() - interval '45 days', last_full_at = now() - interval '60 days'",
        )
        .await;
    let ids = [mail(&world, 40 * DAY_MS), mail(&world, HOUR_MS)];
    world.gmail.expire_history(REP).expect("expired");
    let report = world.sync().await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    world.assert_synced(&ids).await;
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_history_that_is_more_than_is_read_is_asked_for_in_parts() {
    let world = World::with(
        "[google]\nmax_response_bytes = 65536\n[quota]\nuser_units_per_minute = 1000000",
    )
    .await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    assert!(world.sync().await.success);
    let ids = world.receive(REP, ADA, 500);
    let report = world.sync().await;
    assert!(report.success, "{report:?}");
    world.assert_synced(&ids).await;
    world.assert_conforming();
}
