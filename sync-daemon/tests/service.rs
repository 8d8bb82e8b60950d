//! The service: endpoints, secrets, joining, signals, connecting a mailbox.

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use crm_health_sync::run::{RunKind, RunRequest};
use crm_health_sync::service::Runner;
use local_gmail::Latency;
use serde_json::Value;
use support::service::Service;
use support::{CRON_SECRET, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

async fn world_with_mail(count: i64) -> (World, Vec<String>) {
    crm_health_sync::gmail::install_tls_provider();
    // No schedule in the test's lifetime: what runs is what is asked for.
    let world = World::with("[sync]\nbatch_size = 5\nschedule = '0 0 29 2 1'").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, count);
    // The schedule's last time was long ago; that run is made up for, and is over before the test begins.
    world
        .execute("UPDATE profiles SET last_login_at = now() - interval '30 days'")
        .await;
    (world, ids)
}

async fn log_in(world: &World) {
    world
        .execute("UPDATE profiles SET last_login_at = now()")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cron_endpoint_wants_the_secret_and_answers_the_report() {
    let (world, ids) = world_with_mail(3).await;
    let service = Service::start(&world).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    log_in(&world).await;
    let path = "/api/cron/email-sync";
    let wrong: &[&[(&str, &str)]] = &[
        &[],
        &[("x-vercel-cron", "1")],
        &[("authorization", "Bearer wrong")],
        &[("x-cron-secret", "")],
        &[("authorization", CRON_SECRET)],
    ];
    for headers in wrong {
        assert_eq!(service.get(path, headers).await.0, 401, "{headers:?}");
    }
    assert_eq!(world.events().await.len(), 0);
    let bearer = format!("Bearer {CRON_SECRET}");
    let (status, body) = service.get(path, &[("authorization", &bearer)]).await;
    let report: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (status, &report["success"], &report["emailsSynced"]),
        (200, &true.into(), &3.into()),
        "{body}"
    );
    assert_eq!(
        (&report["usersProcessed"], &report["triggeredBy"]),
        (&1.into(), &"http".into())
    );
    world.assert_synced(&ids).await;
    for headers in [&[("x-cron-secret", CRON_SECRET)][..], &[]] {
        let query = if headers.is_empty() {
            format!("?secret={CRON_SECRET}")
        } else {
            String::new()
        };
        assert_eq!(service.get(&format!("{path}{query}"), headers).await.0, 200);
    }
    let (status, body) = service
        .get("/api/cron/health-refresh", &[("authorization", &bearer)])
        .await;
    let report: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (status, &report["relationshipsRefreshed"]),
        (200, &1.into()),
        "{body}"
    );
    assert_eq!(service.get("/healthz", &[]).await.0, 200);
    assert_eq!(service.get("/readyz", &[]).await.0, 200);
    let (_, metrics) = service.get("/metrics", &[]).await;
    for line in [
        "crm_health_sync_runs_total{trigger=\"http\",outcome=\"success\"} 3",
        "crm_health_sync_messages_total{outcome=\"matched\"} 3",
        "crm_health_sync_mailboxes{state=\"ok\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_while_a_run_is_on_joins_it() {
    let (world, _) = world_with_mail(20).await;
    let service = Service::start(&world).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    log_in(&world).await;
    world.gmail.set_latency(Latency {
        round_trip_ms: 100,
        ..Default::default()
    });
    let headers = [("x-cron-secret", CRON_SECRET)];
    let (one, other) = tokio::join!(
        service.get("/api/cron/email-sync", &headers),
        service.get("/api/cron/email-sync", &headers)
    );
    assert_eq!(one, other, "two runs instead of one");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_the_batch_in_flight_and_gives_the_lease_back() {
    let (world, ids) = world_with_mail(200).await;
    let service = Service::start(&world).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    log_in(&world).await;
    world.gmail.set_latency(Latency {
        round_trip_ms: 100,
        ..Default::default()
    });
    let base = service.base.clone();
    let call = tokio::spawn(async move {
        let request = reqwest::Client::new().get(format!("{base}/api/cron/email-sync"));
        request
            .header("x-cron-secret", CRON_SECRET)
            .send()
            .await
            .expect("an answer")
            .text()
            .await
    });
    while world.events().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.signal("TERM");
    let ended = tokio::time::timeout(Duration::from_secs(20), service.ended()).await;
    assert_eq!(ended.expect("within seconds"), Some(0));
    let answer = call
        .await
        .expect("join")
        .expect("the caller still gets the report");
    assert!(answer.contains("interrupted"), "{answer}");
    assert!(
        world.events().await.len() < 200,
        "it ended too late to prove anything"
    );
    let leases = "SELECT count(*) FROM crm_health_sync.mailboxes WHERE lease_owner IS NOT NULL";
    assert_eq!(world.number(leases).await, 0);
    world.gmail.set_latency(Latency::default());
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guessable_cron_secret_refuses_to_start() {
    let world = World::new().await;
    for secret in ["", "short"] {
        let output = world
            .run_daemon(|c| {
                c.arg("run").env("CRM_HEALTH_CRON_SECRET", secret);
            })
            .await;
        assert_eq!(output.status.code(), Some(3), "{secret:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("CRM_HEALTH_CRON_SECRET"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_connected_by_consent() {
    crm_health_sync::gmail::install_tls_provider();
    let world = World::new().await;
    world.gmail.add_mailbox(REP).expect("mailbox");
    let user = uuid::Uuid::new_v4();
    world
        .execute(&format!(
            "INSERT INTO profiles (id, email, last_login_at) VALUES ('{user}', '{REP}', now());
             INSERT INTO google_integrations (user_id, email, is_active) VALUES ('{user}', 'Rep@ACME.example', false)"
        ))
        .await;
    let mut command = world.daemon();
    command
        .args(["connect", "--user", &user.to_string()])
        .stdout(Stdio::piped());
    let (mut child, url) = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("connect");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut texts = lines.by_ref().map(|l| l.expect("a line"));
        let url = texts.find(|l| l.starts_with("http")).expect("the address");
        std::thread::spawn(move || lines.for_each(drop));
        (child, url)
    })
    .await
    .expect("join");
    // The part of the browser: it follows Google's redirect to the loopback address.
    let browser = reqwest::Client::new();
    let page = browser
        .get(format!("{url}&login_hint={REP}"))
        .send()
        .await
        .expect("the page");
    assert!(page.text().await.expect("text").contains("connected"));
    let status = tokio::task::spawn_blocking(move || child.wait())
        .await
        .expect("join");
    assert!(status.expect("its end").success());
    let row = world
        .text(
            "SELECT concat_ws('|', user_id, email, is_active, token_status,
        left(refresh_token, 7)) FROM google_integrations",
        )
        .await;
    assert_eq!(
        row,
        Some(format!("{user}|Rep@ACME.example|t|valid|enc:v1:")),
        "its row is taken over, however the address is spelled"
    );
    assert!(world.sync().await.success);
}

/// A run that is asked for while a retry is on is one of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_during_a_retry_syncs_the_other_mailboxes_too() {
    let (world, mut ids) = world_with_mail(40).await;
    let other = "other@acme.example";
    let user = world.add_user(other).await;
    world.add_contact(user, ADA).await;
    log_in(&world).await;
    let engine = world.engine();
    assert!(world.sync_by(&engine).await.success);
    ids.extend(world.receive(REP, ADA, 40));
    ids.extend(world.receive(other, ADA, 2));
    let due = format!(
        "UPDATE crm_health_sync.mailboxes m SET next_attempt_at = now()
         FROM google_integrations g WHERE g.id = m.integration_id AND g.email = '{REP}'"
    );
    world.execute(&due).await;
    world.gmail.set_latency(Latency {
        round_trip_ms: 100,
        ..Default::default()
    });
    let runner = Arc::new(Runner::new(engine, CancellationToken::new()));
    let run = async |kind| {
        let request = RunRequest {
            triggered_by: "test".to_owned(),
            kind,
            users: None,
            since: None,
        };
        runner.sync(request).await.expect("a report")
    };
    let asked = async {
        while world.events().await.len() == 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        run(RunKind::Now).await
    };
    let (retried, report) = tokio::join!(run(RunKind::Retry), asked);
    assert_eq!(
        (retried.users_processed, report.users_processed),
        (1, 2),
        "{retried:?} {report:?}"
    );
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_finishes_its_headers_is_closed() {
    let (world, _) = world_with_mail(0).await;
    let service = Service::start(&world).await;
    let address = service.base.trim_start_matches("http://");
    let closed = async |sent: &str| {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        connection.write_all(sent.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        let read = connection.read_to_end(&mut answer);
        let end = tokio::time::timeout(Duration::from_secs(90), read).await;
        end.expect("it stays open").expect("its end");
    };
    tokio::join!(
        closed(""),
        closed("GET /healthz HTTP/1.1\r\nHost: here\r\n")
    );
    assert_eq!(service.get("/healthz", &[]).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_goes_to_no_terminal_has_no_colours() {
    let (world, _) = world_with_mail(0).await;
    let service = Service::start(&world).await;
    let log = service.said("run finished").await;
    assert!(!log.contains('\u{1b}'), "{log:?}");
}
