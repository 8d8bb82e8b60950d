//! Clocks that disagree, and dates that nobody believes.

mod support;

use local_gmail::NewMessage;
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
