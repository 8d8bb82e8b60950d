//! Commands as an operator meets them: what they say when something is wrong, and how they end.

mod support;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crm_health_sync::run::{RunKind, RunRequest};
use support::{World, codes};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

async fn world() -> (World, Uuid, Vec<String>) {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 5);
    (world, user, ids)
}

/// Waits for the end of a command that was told to stop.
async fn end_of(child: Child) -> Output {
    let waiting = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    output
        .expect("it does not end")
        .expect("join")
        .expect("its output")
}

#[tokio::test(flavor = "multi_thread")]
async fn other_programs_variables_may_hold_anything() {
    let world = World::new().await;
    let output = world
        .run_daemon(|c| {
            c.arg("status")
                .env("LESS_TERMCAP_us", OsString::from_vec(vec![0x1b, 0xff]));
        })
        .await;
    assert!(output.status.success(), "{output:?}");
    let output = world
        .run_daemon(|c| {
            c.arg("status")
                .env("CRM_HEALTH_CRON_SECRET", OsString::from_vec(vec![0xff; 20]));
        })
        .await;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        said(&output).contains("CRM_HEALTH_CRON_SECRET"),
        "{output:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_configuration_is_not_put_on_others() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port().to_string();
    let user = Uuid::new_v4().to_string();
    let connect = ["connect", "--user", &user];
    let rows: &[(&[&str], (&str, &str), &str)] = &[
        (
            &["sync"],
            ("CRM_HEALTH_TOKEN_KEY", "short"),
            "CRM_HEALTH_TOKEN_KEY must be",
        ),
        (
            &["sync"],
            ("CRM_HEALTH_DATABASE_URL", "mysql://x"),
            "CRM_HEALTH_DATABASE_URL is not",
        ),
        (
            &connect,
            ("CRM_HEALTH_GOOGLE_CLIENT_ID", ""),
            "CRM_HEALTH_GOOGLE_CLIENT_ID is not set",
        ),
        (
            &["connect", "--user", &user, "--port", &port],
            ("CRM_HEALTH_GOOGLE_CLIENT_ID", "client"),
            "--port",
        ),
        (
            &["status"],
            ("CRM_HEALTH_LISTEN", "nowhere"),
            "CRM_HEALTH_LISTEN",
        ),
    ];
    let world = World::new().await;
    for (command, (name, value), wanted) in rows {
        let output = world
            .run_daemon(|c| {
                c.args(*command).env(name, value);
            })
            .await;
        let text = said(&output);
        assert_eq!(output.status.code(), Some(3), "{command:?} {name}: {text}");
        assert!(text.contains(wanted), "{command:?} {name}: {text}");
        for other in ["Google refuses", "stored token", "database:", ".toml"] {
            assert!(!text.contains(other), "{command:?} {name}: {text}");
        }
    }
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
async fn a_run_that_was_stopped_before_it_took_every_mailbox_says_so() {
    let (world, _, _) = world().await;
    let request = RunRequest {
        triggered_by: "test".to_owned(),
        kind: RunKind::Now,
        users: None,
        since: None,
    };
    let stop = CancellationToken::new();
    stop.cancel();
    let report = world.engine().run(&request, &stop, Arc::new(|_| {})).await;
    assert_eq!(codes(&report), ["interrupted"], "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_for_the_database_can_be_stopped() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    let world = World::new().await;
    for command in [&["sync"][..], &["backfill", "--all", "--days", "2"]] {
        let mut daemon = world.daemon();
        daemon
            .args(command)
            .env(
                "CRM_HEALTH_DATABASE_URL",
                format!("postgres://x@127.0.0.1:{port}/x"),
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = daemon.spawn().expect("the daemon");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let pid = child.id().to_string();
        let kill = std::process::Command::new("kill").arg(&pid).status();
        assert!(kill.expect("kill").success());
        let output = end_of(child).await;
        assert_eq!(output.status.code(), Some(6), "{command:?}: {output:?}");
        assert!(said(&output).contains("stop"), "{output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_database_that_is_away_does_not_wait_for_it() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    let world = World::with("[database]\nconnect_timeout_seconds = 1").await;
    let mut daemon = world.daemon();
    daemon
        .arg("status")
        .env(
            "CRM_HEALTH_DATABASE_URL",
            format!("postgres://x@127.0.0.1:{port}/x"),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = end_of(daemon.spawn().expect("the daemon")).await;
    assert_eq!(output.status.code(), Some(4), "{output:?}");
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

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_of_users_who_are_not_active_do_not_lag() {
    let (world, _, _) = world().await;
    assert!(world.sync().await.success);
    world
        .execute("UPDATE crm_health_sync.mailboxes SET last_good_at = now() - interval '40 days'")
        .await;
    let lag = async || {
        let summary = world.engine().store.summary().await.expect("numbers");
        summary.mailboxes.iter().map(|m| m.2).fold(0.0, f64::max)
    };
    assert!(lag().await > 39.0 * 86_400.0, "an active one does");
    world
        .execute("UPDATE profiles SET last_login_at = now() - interval '41 days'")
        .await;
    assert!(lag().await.abs() < 1.0, "{}", lag().await);
}
