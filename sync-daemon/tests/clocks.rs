//! Clocks that disagree, and dates that nobody believes.

mod support;

use local_gmail::NewMessage;
use support::service::Service;
use support::{World, codes};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";
const HOUR_MS: i64 = 3_600_000;

/// Mail before and after a sync, and a token that is renewed, all by Gmail's clock.
async fn nothing_is_lost_with_gmail_off_by(offset_ms: i64) {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    world.gmail.advance_clock_ms(offset_ms);
    let mut ids = world.receive(REP, ADA, 3);
    let report = world.sync().await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    world.assert_synced(&ids).await;
    ids.extend(world.receive(REP, ADA, 2));
    world.gmail.expire_tokens(REP).expect("expired");
    let report = world.sync().await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    world.assert_synced(&ids).await;
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn gmail_an_hour_ahead_loses_nothing() {
    nothing_is_lost_with_gmail_off_by(HOUR_MS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gmail_an_hour_behind_loses_nothing() {
    nothing_is_lost_with_gmail_off_by(-HOUR_MS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_dated_1970_and_2100_comes_in_as_dated() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    world.sync().await;
    // History has no window: what is new comes in, whatever its date.
    let dated = |at_ms| {
        let message = NewMessage::received(ADA, REP).at_ms(at_ms);
        world.gmail.add_message(REP, message).expect("message")
    };
    let ids = [0, 4_102_444_800_000].map(dated);
    let report = world.sync().await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    world.assert_synced(&ids).await;
    let dates = "SELECT string_agg(to_char(event_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), ',' ORDER BY event_timestamp)
                 FROM communication_events";
    assert_eq!(
        world.text(dates).await.as_deref(),
        Some("1970-01-01 00:00,2100-01-01 00:00")
    );
    world.assert_conforming();
}

/// Debian's libfaketime, which scripts/setup.sh installs.
fn faked_clock(command: &mut std::process::Command, offset: &str) {
    let library = ["x86_64", "aarch64"]
        .map(|machine| format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1"))
        .into_iter()
        .find(|file| std::path::Path::new(file).exists())
        .expect("libfaketime: run make setup");
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME", offset)
        // Waits and timeouts go by this one, and no host's is ever set back.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

/// A daemon whose host's clock is off from the database's and Gmail's works beside one whose clock is right.
async fn nothing_is_lost_or_doubled_by_a_daemon_off_by(offset: &'static str) {
    let world = World::with("[sync]\nbatch_size = 2").await;
    world.stand_in_for_extension().await;
    let reps = [
        "rep0@acme.example",
        "rep1@acme.example",
        "rep2@acme.example",
    ];
    let mut ids = Vec::new();
    for rep in reps {
        let user = world.add_user(rep).await;
        world.add_contact(user, ADA).await;
        ids.extend(world.receive(rep, ADA, 12));
    }
    world.gmail.set_latency(local_gmail::Latency {
        round_trip_ms: 20,
        ..Default::default()
    });
    // Leases are the database's time: the one whose clock is ahead must not think the other's have ended.
    let (off, right) = tokio::join!(
        world.run_daemon(|command| {
            faked_clock(command, offset);
            command.arg("sync");
        }),
        world.sync()
    );
    assert_eq!(codes(&right), Vec::<&str>::new(), "{right:?}");
    let said = String::from_utf8_lossy(&off.stdout);
    assert!(
        off.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&off.stderr)
    );
    let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let told: chrono::DateTime<chrono::Utc> = report["timestamp"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a timestamp");
    let apart = (told - chrono::Utc::now()).num_minutes().abs();
    assert!(apart > 50, "the daemon's clock was not off: {said}");
    world.assert_synced(&ids).await;
    let fetched = world.gmail.stats().of(local_gmail::Endpoint::Get).total();
    assert_eq!(fetched, ids.len() as u64, "a message was fetched twice");

    // A token that has ended is found out by Gmail's answer where the clock says otherwise.
    ids.extend(world.receive(reps[0], ADA, 2));
    world.gmail.expire_tokens(reps[0]).expect("expired");
    let off = world
        .run_daemon(|command| {
            faked_clock(command, offset);
            command.arg("sync");
        })
        .await;
    assert!(
        off.status.success(),
        "{}",
        String::from_utf8_lossy(&off.stderr)
    );
    world.assert_synced(&ids).await;
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_clock_is_an_hour_ahead_of_the_database_loses_nothing() {
    nothing_is_lost_or_doubled_by_a_daemon_off_by("+1h").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_clock_is_an_hour_behind_the_database_loses_nothing() {
    nothing_is_lost_or_doubled_by_a_daemon_off_by("-1h").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_run_whose_time_the_database_has_yet_to_see_syncs_each_mailbox_once() {
    // The last full hour by the daemon's clock is still to come by the database's.
    let world = World::with("[sync]\nschedule = '0 * * * *'").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 3);
    let service = Service::start_with(&world, |command| faked_clock(command, "+1h")).await;
    let told = service.said("run finished").await;
    assert!(told.contains("schedule"), "{told}");
    world.assert_synced(&ids).await;
    let looked = world
        .gmail
        .stats()
        .of(local_gmail::Endpoint::History)
        .total();
    assert_eq!(looked, 0, "the mailbox was synced again and again");
}
