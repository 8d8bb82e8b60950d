//! What an operator and systemd tell the service, and what it tells systemd.

mod support;

use std::time::Duration;

use serde_json::Value;
use support::service::Service;
use support::{CRON_SECRET, World};
use tokio::net::UnixDatagram;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

/// No schedule in the test's lifetime, and a user who logs in when the run at the start is over.
async fn idle_world() -> World {
    crm_health_sync::gmail::install_tls_provider();
    let world = World::with(
        "[sync]\nschedule = '0 0 29 2 1'\nactive_window_days = 7\nkeep_subjects = true",
    )
    .await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    world
}

/// Syncs one more mail through the endpoint; how many events have a subject then.
async fn subjects_after_sync(world: &World, service: &Service) -> i64 {
    let events = "SELECT count(*) FROM communication_events";
    let before = world.number(events).await;
    world.receive(REP, ADA, 1);
    let headers = [("x-cron-secret", CRON_SECRET)];
    // The first call may join the run at the start, which has looked already.
    for _ in 0..10 {
        let (status, body) = service.get("/api/cron/email-sync", &headers).await;
        let report: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, &report["success"]), (200, &true.into()), "{body}");
        if world.number(events).await > before {
            break;
        }
    }
    assert_eq!(world.number(events).await, before + 1);
    world
        .number("SELECT count(subject) FROM communication_events")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_puts_the_changed_file_in_force() {
    let world = idle_world().await;
    let service = Service::start(&world).await;
    assert_eq!(subjects_after_sync(&world, &service).await, 1);
    world.rewrite_config(|old| old.replace("keep_subjects = true", "keep_subjects = false"));
    service.signal("HUP");
    service.said("configuration reloaded").await;
    assert_eq!(subjects_after_sync(&world, &service).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_with_a_bad_file_keeps_the_old_one_and_says_so() {
    let world = idle_world().await;
    let service = Service::start(&world).await;
    world.rewrite_config(|old| {
        old.replace(
            "keep_subjects = true",
            "keep_subjects = false\nno_such_key = 1",
        )
    });
    service.signal("HUP");
    service.said("configuration not reloaded").await;
    service.said("no_such_key").await;
    assert_eq!(subjects_after_sync(&world, &service).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_that_it_is_ready_alive_and_stopping() {
    let world = idle_world().await;
    let path = std::env::temp_dir().join(format!("{}-{}.sock", world.database, std::process::id()));
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let service = Service::start_with(&world, |command| {
        command
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "3000000");
    })
    .await;
    for state in ["READY=1", "WATCHDOG=1", "WATCHDOG=1"] {
        hear(&socket, state).await;
    }
    service.signal("TERM");
    hear(&socket, "STOPPING=1").await;
    assert_eq!(service.ended().await, Some(0));
    std::fs::remove_file(&path).expect("the socket");
}

/// Reads on until the state comes; a service that says nothing more fails the test.
async fn hear(socket: &UnixDatagram, state: &str) {
    let heard = async {
        let mut buffer = [0; 512];
        loop {
            let length = socket.recv(&mut buffer).await.expect("a message");
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.lines().any(|line| line == state) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), heard)
        .await
        .unwrap_or_else(|_| panic!("{state} was not said"));
}
