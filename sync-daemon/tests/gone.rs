//! Integrations that are deleted, or merely out of sight: cursors and ledgers are not given up in haste.

mod support;

use support::{World, codes};

const REP: &str = "rep@acme.example";
const OTHER: &str = "other@acme.example";
const ADA: &str = "ada@client.example";

const WAITING: &str = "SELECT count(*) FROM crm_health_sync.pending";

const HIDE: &str = "CREATE TABLE hidden AS SELECT * FROM google_integrations";
const SHOW: &str = "INSERT INTO google_integrations SELECT * FROM hidden ON CONFLICT DO NOTHING";

/// Two mailboxes, synced once, with something left in the ledger.
async fn world() -> (World, Vec<String>) {
    let world = World::with("[sync]\nmax_messages_per_run = 3").await;
    world.stand_in_for_extension().await;
    let mut ids = Vec::new();
    for rep in [REP, OTHER] {
        let user = world.add_user(rep).await;
        world.add_contact(user, ADA).await;
        ids.extend(world.receive(rep, ADA, 5));
    }
    assert_eq!(world.sync().await.details.mailboxes_capped, 2);
    (world, ids)
}

async fn kept(world: &World) -> (i64, i64) {
    (
        world
            .number("SELECT count(history_id) FROM crm_health_sync.mailboxes")
            .await,
        world
            .number("SELECT count(*) FROM crm_health_sync.pending")
            .await,
    )
}

async fn marked(world: &World) -> i64 {
    world
        .number("SELECT count(gone_since) FROM crm_health_sync.mailboxes")
        .await
}

async fn check_config(world: &World) -> String {
    let output = world
        .run_daemon(|c| {
            c.arg("check-config");
        })
        .await;
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_whose_integration_comes_back_goes_on_where_it_was() {
    let (world, mut ids) = world().await;
    world.execute(HIDE).await;
    world
        .execute(&format!(
            "DELETE FROM google_integrations WHERE email = '{OTHER}'"
        ))
        .await;
    assert!(world.sync().await.success);
    assert_eq!(marked(&world).await, 1);
    assert_eq!(kept(&world).await, (2, 2), "the other's ledger stays");
    ids.extend(world.receive(OTHER, ADA, 1));
    world.execute(SHOW).await;
    world.gmail.reset_stats();
    assert!(world.sync().await.success);
    assert_eq!(marked(&world).await, 0);
    assert_eq!(
        world.gmail.stats().of(local_gmail::Endpoint::List).total(),
        0,
        "the history was enough"
    );
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_deleted_a_week_after_its_integration() {
    let (world, _) = world().await;
    world
        .execute(&format!(
            "DELETE FROM google_integrations WHERE email = '{OTHER}'"
        ))
        .await;
    world.sync().await;
    let age = |days: i64| {
        format!(
            "UPDATE crm_health_sync.mailboxes SET gone_since = now() - interval '{days} days'
             WHERE gone_since IS NOT NULL"
        )
    };
    world.execute(&age(6)).await;
    world.sync().await;
    assert_eq!(kept(&world).await, (2, 2));
    world.execute(&age(8)).await;
    world.sync().await;
    assert_eq!(kept(&world).await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_connected_to_another_account_starts_anew() {
    let (world, _) = world().await;
    while world.number(WAITING).await > 0 {
        assert!(world.sync().await.success);
    }
    let third = "third@acme.example";
    let refresh = world.gmail.add_mailbox(third).expect("mailbox");
    let before = world.events().await.len();
    world.receive(third, ADA, 2);
    world
        .execute(&format!(
            "UPDATE google_integrations SET email = '{third}', refresh_token = '{refresh}', access_token = NULL
             WHERE email = '{OTHER}'"
        ))
        .await;
    assert!(world.sync().await.success);
    assert_eq!(world.events().await.len(), before + 2, "its mail came in");
    let own = format!(
        "SELECT count(*) FROM crm_health_sync.mailboxes m JOIN google_integrations g ON g.id = m.integration_id
         WHERE g.email = '{third}' AND '{third}' = ANY (m.own_addresses) AND '{OTHER}' <> ALL (m.own_addresses)"
    );
    assert_eq!(
        world.number(&own).await,
        1,
        "the old address is not its own"
    );
    // Another spelling of the same address is the same account.
    world
        .execute(&format!(
            "UPDATE google_integrations SET email = 'Third@Acme.example' WHERE email = '{third}'"
        ))
        .await;
    world.gmail.reset_stats();
    assert!(world.sync().await.success);
    let listed = world.gmail.stats().of(local_gmail::Endpoint::List).total();
    assert_eq!(listed, 0, "the history was enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_the_user_gave_up_is_no_failure_of_the_other() {
    let (world, _) = world().await;
    let user = "SELECT user_id::text FROM google_integrations WHERE email = 'other@acme.example'";
    let user = world.text(user).await.expect("a user");
    for give_up in [
        format!("UPDATE google_integrations SET is_active = false WHERE email = '{OTHER}'"),
        format!("DELETE FROM google_integrations WHERE email = '{OTHER}'"),
    ] {
        let email = format!("new{}@acme.example", give_up.len());
        let refresh = world.gmail.add_mailbox(&email).expect("mailbox");
        world.execute(&give_up).await;
        world
            .execute(&format!(
                "INSERT INTO google_integrations (user_id, email, refresh_token)
                 VALUES ('{user}', '{email}', '{refresh}')"
            ))
            .await;
        let output = world
            .run_daemon(|c| {
                c.args(["sync", "--user", &user]);
            })
            .await;
        assert!(output.status.success(), "{give_up}: {output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_no_integration_is_visible_nothing_is_marked_and_it_is_told() {
    let (world, ids) = world().await;
    world.execute(HIDE).await;
    assert!(!check_config(&world).await.contains("no row of"));
    world.execute("DELETE FROM google_integrations").await;
    let report = world.sync().await;
    assert_eq!(codes(&report), ["integrations_hidden"]);
    assert!(report.repeat_in.is_some(), "worth repeating");
    assert_eq!((kept(&world).await, marked(&world).await), ((2, 4), 0));
    let said = check_config(&world).await;
    for part in [
        "no row of google_integrations is visible, although 2 mailboxes are known",
        "grants.sql",
        "database.crm_schema",
    ] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
    world.execute(SHOW).await;
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
}
