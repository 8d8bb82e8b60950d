//! Commands as an operator meets them: what they say when something is wrong, and how they end.

mod support;

use support::{World, codes};
use uuid::Uuid;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

async fn world() -> (World, Uuid, Vec<String>) {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 5);
    (world, user, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_a_token_stays_one_when_keys_are_rotated() {
    let (world, _, ids) = world().await;
    let other = "other@acme.example";
    world.add_user(other).await;
    world
        .execute(&format!(
            "UPDATE google_integrations SET refresh_token = '', access_token = '' WHERE email = '{other}'"
        ))
        .await;
    let output = world
        .run_daemon(|c| {
            c.arg("rotate-keys");
        })
        .await;
    assert!(output.status.success(), "{output:?}");
    let report = world.sync().await;
    assert_eq!(codes(&report), ["reconnect_required"], "{report:?}");
    world.assert_synced(&ids).await;
}
