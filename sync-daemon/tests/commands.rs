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
async fn a_backfill_of_all_users_leaves_out_nobody_who_is_connected() {
    let (world, _, ids) = world().await;
    world
        .execute("UPDATE profiles SET last_login_at = now() - interval '90 days'")
        .await;
    let output = world
        .run_daemon(|c| {
            c.args(["backfill", "--all", "--days", "2"]);
        })
        .await;
    assert!(output.status.success(), "{output:?}");
    world.assert_synced(&ids).await;
    let left = "SELECT count(*) FROM crm_health_sync.backfills";
    assert_eq!(world.number(left).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_could_not_begin_says_so() {
    let (world, user, _) = world().await;
    assert!(world.sync().await.success);
    let busy = "UPDATE crm_health_sync.mailboxes
                SET lease_owner = 'another', lease_purpose = 'sync', lease_until = now() + interval '1 hour'";
    let paused = "UPDATE crm_health_sync.mailboxes
                  SET lease_owner = NULL, lease_purpose = NULL, lease_until = NULL, state = 'paused',
                      reason = 'rate_limited', next_attempt_at = now() + interval '1 hour'";
    for (state, code) in [(busy, "busy"), (paused, "rate_limited")] {
        world.execute(state).await;
        for whose in [&["--all"][..], &["--user", &user.to_string()]] {
            let output = world
                .run_daemon(|c| {
                    c.args(["backfill", "--days", "2"]).args(whose);
                })
                .await;
            assert_eq!(
                output.status.code(),
                Some(1),
                "{code} {whose:?}: {output:?}"
            );
            let report: serde_json::Value =
                serde_json::from_slice(&output.stdout).expect("a report");
            assert_eq!(report["errors"][0]["code"], code, "{report}");
        }
    }
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
