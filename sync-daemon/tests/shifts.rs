//! Live runs beside a backfill of another daemon, which holds its mailbox shift after shift.

mod support;

use std::sync::Arc;
use std::time::Duration;

use crm_health_sync::run::{Engine, Report, RunKind, RunRequest};
use support::{World, codes};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const REP: &str = "rep@acme.example";
const OTHER: &str = "other@acme.example";

/// Two users with mailboxes that were synced; another daemon reads the history of the first one's.
async fn world() -> (World, Uuid) {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_user(OTHER).await;
    assert!(world.sync().await.success);
    world
        .execute(&format!(
            "UPDATE crm_health_sync.mailboxes
             SET lease_owner = 'another', lease_purpose = 'backfill', lease_until = now() + interval '1 hour'
             WHERE user_id = '{user}'"
        ))
        .await;
    (world, user)
}

async fn run(engine: Arc<Engine>, users: Option<Vec<Uuid>>) -> Report {
    let request = RunRequest {
        triggered_by: "test".to_owned(),
        kind: RunKind::Now,
        users,
        since: None,
    };
    let never = CancellationToken::new();
    let run = engine.run(&request, &never, Arc::new(|_| {}));
    tokio::time::timeout(Duration::from_secs(20), run)
        .await
        .expect("the run waits for the whole backfill")
}

/// The next shift begins, which looks for live mail first.
async fn next_shift(world: &World) {
    world
        .execute(
            "UPDATE crm_health_sync.mailboxes SET last_good_at = clock_timestamp() + interval '2 seconds'
             WHERE lease_purpose = 'backfill'",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_when_the_backfill_has_looked_for_live_mail() {
    let (world, user) = world().await;
    for (users, processed) in [(None, 1), (Some(vec![user]), 0)] {
        let live = tokio::spawn(run(world.engine(), users));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!live.is_finished(), "it did not wait for the shift to end");
        next_shift(&world).await;
        let report = live.await.expect("join");
        assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
        assert_eq!(report.users_processed, processed);
        world
            .execute(
                "UPDATE crm_health_sync.mailboxes SET last_good_at = now() - interval '1 minute'",
            )
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_not_wait_for_mailboxes_that_it_would_not_take() {
    let (world, user) = world().await;
    world
        .execute(&format!(
            "UPDATE profiles SET last_login_at = now() - interval '30 days' WHERE id = '{user}'"
        ))
        .await;
    let report = run(world.engine(), None).await;
    assert_eq!((report.success, report.users_processed), (true, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_the_other_mailbox_of_a_user_whose_history_is_read() {
    let (world, user) = world().await;
    let second = "second@acme.example";
    let refresh = world.gmail.add_mailbox(second).expect("mailbox");
    world
        .execute(&format!(
            "INSERT INTO google_integrations (user_id, email, refresh_token) VALUES ('{user}', '{second}', '{refresh}')"
        ))
        .await;
    next_shift(&world).await;
    let live = tokio::spawn(run(world.engine(), None));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!live.is_finished(), "it left a mailbox out");
    world
        .execute("UPDATE crm_health_sync.mailboxes SET lease_until = NULL, lease_owner = NULL, lease_purpose = NULL")
        .await;
    let report = live.await.expect("join");
    assert_eq!((report.success, report.users_processed), (true, 2));
    let synced = "SELECT count(*) FROM crm_health_sync.mailboxes WHERE state = 'ok' AND history_id IS NOT NULL";
    assert_eq!(world.number(synced).await, 3);
}
