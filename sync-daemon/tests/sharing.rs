//! Several daemons, other hands in the tables, and secrets.

mod support;

use std::time::Duration;

use local_gmail::Latency;
use support::{CRON_SECRET, TOKEN_KEY, World, codes};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

fn slow(world: &World) {
    world.gmail.set_latency(Latency {
        round_trip_ms: 40,
        ..Default::default()
    });
}

/// Waits until the run has written something.
async fn first_events(world: &World) {
    while world.events().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_share_mailboxes_and_fetch_nothing_twice() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    for i in 0..20 {
        let email = format!("rep{i}@acme.example");
        let user = world.add_user(&email).await;
        world.add_contact(user, ADA).await;
        world.receive(&email, ADA, 5);
    }
    slow(&world);
    let (one, other) = (world.engine(), world.engine());
    let (a, b) = tokio::join!(world.sync_by(&one), world.sync_by(&other));
    assert!(a.success && b.success, "{a:?} {b:?}");
    assert_eq!(a.emails_synced + b.emails_synced, 100);
    assert_eq!(
        world.gmail.stats().of(local_gmail::Endpoint::Get).total(),
        100
    );
    assert!(
        a.users_processed > 0 && b.users_processed > 0,
        "one did it all: {a:?} {b:?}"
    );
    assert_eq!(a.users_processed + b.users_processed, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_mailbox_was_taken_over_writes_nothing_more() {
    let world = World::with("[sync]\nbatch_size = 5").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 60);
    slow(&world);
    let engine = world.engine();
    let take_over = async {
        first_events(&world).await;
        world
            .execute(
                "UPDATE crm_health_sync.mailboxes SET lease_token = lease_token + 1,
             lease_owner = 'another', lease_until = now() + interval '1 minute'",
            )
            .await;
        world.events().await.len()
    };
    let (report, before) = tokio::join!(world.sync_by(&engine), take_over);
    assert_eq!(codes(&report), ["lease_lost"]);
    assert!(before < 60, "the takeover came too late to prove anything");
    assert_eq!(
        world.events().await.len(),
        before,
        "events were written under a lost lease"
    );
    assert_eq!(
        world
            .text("SELECT lease_owner FROM crm_health_sync.mailboxes")
            .await
            .as_deref(),
        Some("another")
    );
    world.end_leases().await;
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_disconnected_during_the_sync_is_written_no_more() {
    let world = World::with("[sync]\nbatch_size = 5").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 60);
    slow(&world);
    let engine = world.engine();
    let disconnect = async {
        first_events(&world).await;
        world
            .execute("UPDATE google_integrations SET is_active = false")
            .await;
        world.events().await.len()
    };
    let (report, before) = tokio::join!(world.sync_by(&engine), disconnect);
    assert_eq!(codes(&report), ["deactivated"]);
    assert!(
        before < 60,
        "the disconnection came too late to prove anything"
    );
    assert_eq!(world.events().await.len(), before);
    world
        .execute("UPDATE google_integrations SET is_active = true")
        .await;
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_deleted_during_the_sync_do_not_stop_it() {
    let world = World::with("[sync]\nbatch_size = 5").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    let ada = world.add_contact(user, ADA).await;
    world.add_contact(user, "bob@client.example").await;
    let both = "ada@client.example, bob@client.example";
    world.receive(REP, both, 40);
    slow(&world);
    let engine = world.engine();
    let delete = async {
        first_events(&world).await;
        world
            .execute(&format!("DELETE FROM contacts WHERE id = '{ada}'"))
            .await;
    };
    let (report, ()) = tokio::join!(world.sync_by(&engine), delete);
    assert!(report.success, "{report:?}");
    let bobs = "SELECT count(DISTINCT external_id) FROM communication_events";
    assert_eq!(world.number(bobs).await, 40);
    assert_eq!(
        world.events().await.len(),
        40,
        "the deleted contact keeps no events"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_in_the_middle_of_a_run_is_renewed_once() {
    let world = World::with("[sync]\nbatch_size = 5").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 40);
    slow(&world);
    let engine = world.engine();
    let expire = async {
        first_events(&world).await;
        world.gmail.reset_stats();
        world.gmail.expire_tokens(REP).expect("expired");
    };
    let (report, ()) = tokio::join!(world.sync_by(&engine), expire);
    assert!(report.success, "{report:?}");
    assert_eq!(
        world.gmail.stats().of(local_gmail::Endpoint::Token).total(),
        1
    );
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_someone_else_refreshed_meanwhile_is_left_standing() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    world.add_user(REP).await;
    world.gmail.set_latency(Latency {
        round_trip_ms: 300,
        ..Default::default()
    });
    let engine = world.engine();
    let meddle = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        world.execute("UPDATE google_integrations SET access_token = 'of the app', expires_at = now() + interval '1 hour'").await;
    };
    let (report, ()) = tokio::join!(world.sync_by(&engine), meddle);
    // The application's token is no good here; what counts is that ours did not overwrite it unseen.
    let renewed = world.gmail.stats().of(local_gmail::Endpoint::Token).total();
    assert!(report.success, "{report:?}");
    assert_eq!(
        renewed, 2,
        "the other's token was tried, refused, and only then replaced"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_sealed_with_the_first_write_and_open_again() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    world.add_user(REP).await;
    assert!(world.sync().await.success);
    let sealed = "SELECT count(*) FROM google_integrations
                  WHERE access_token LIKE 'enc:v1:%' AND refresh_token LIKE 'enc:v1:%'";
    assert_eq!(world.number(sealed).await, 1);
    world.gmail.reset_stats();
    assert!(world.sync().await.success);
    assert_eq!(
        world.gmail.stats().of(local_gmail::Endpoint::Token).total(),
        0,
        "the stored token was used"
    );
    let keys = format!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,{TOKEN_KEY}");
    let output = world
        .run_daemon(|c| {
            c.arg("rotate-keys").env("CRM_HEALTH_TOKEN_KEY", &keys);
        })
        .await;
    assert!(output.status.success(), "{output:?}");
    let other = "SELECT split_part(access_token, ':', 3) FROM google_integrations";
    let before = crm_health_sync::oauth::cipher::Cipher::new(Some(&TOKEN_KEY.to_owned().into()))
        .expect("key");
    assert_ne!(world.text(other).await.as_deref(), before.current_key());
    let report = world.sync().await;
    assert_eq!(
        codes(&report),
        ["token_unreadable"],
        "the old key alone opens nothing any more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_printed() {
    let world = World::new().await;
    world.add_user(REP).await;
    world.gmail.inject(local_gmail::FaultRule::always(
        local_gmail::Endpoint::List,
        local_gmail::Fault::ServerError {
            status: 500,
            html: false,
        },
    ));
    let refresh = world.gmail.refresh_token(REP);
    let secrets = [
        refresh.as_str(),
        world.gmail.client_secret(),
        CRON_SECRET,
        TOKEN_KEY,
        world.url.as_str(),
    ];
    for command in [
        &["sync"][..],
        &["check-config"],
        &["status"],
        &["rotate-keys"],
        &["migrate"],
    ] {
        let output = world
            .run_daemon(|c| {
                c.args(command).env("RUST_LOG", "trace");
            })
            .await;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.is_empty(), "{command:?} said nothing");
        for secret in secrets {
            assert!(!text.contains(secret), "{command:?} printed a secret");
        }
    }
    let printed = format!("{:?}", world.config());
    for secret in secrets {
        assert!(
            !printed.contains(secret),
            "the configuration prints a secret"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unprivileged_role_with_the_documented_grants_can_do_all_of_it() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let role = format!("sync_{}", world.database);
    world
        .execute(&format!(
            "CREATE ROLE {role} LOGIN; GRANT INSERT ON public.calls TO {role}"
        ))
        .await;
    let grants = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/sync/grants.sql");
    let database = world.database.clone();
    let variable = format!("role={role}");
    tokio::task::spawn_blocking(move || {
        // Twice: the second time nothing changes.
        support::Cluster::shared().psql(&database, &grants, &[&variable]);
        support::Cluster::shared().psql(&database, &grants, &[&variable]);
    })
    .await
    .expect("grants");
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 3);
    let url = world.url.replace("postgres@", &format!("{role}@"));
    for command in ["check-config", "sync", "status"] {
        let output = world
            .run_daemon(|c| {
                c.arg(command).env("CRM_HEALTH_DATABASE_URL", &url);
            })
            .await;
        assert!(output.status.success(), "{command}: {output:?}");
    }
    world.assert_synced(&ids).await;
    world
        .execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_config_names_what_is_wrong_and_the_mend() {
    let world = World::new().await;
    world
        .execute(
            "DROP SCHEMA crm_health_sync CASCADE;
         ALTER TABLE communication_events DROP COLUMN thread_position",
        )
        .await;
    let output = world
        .run_daemon(|c| {
            c.arg("check-config")
                .env("CRM_HEALTH_GOOGLE_CLIENT_SECRET", "wrong");
        })
        .await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "table crm_health_sync.mailboxes does not exist",
        "crm-health-sync migrate",
        "has no column thread_position",
        "refuses the OAuth client: invalid_client",
        "the extension crm_health is not there",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}
