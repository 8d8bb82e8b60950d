//! The running service: it hears the bell, survives what breaks, and dies at the worst moments.

mod support;

use std::collections::BTreeMap;

use support::World;
use support::outbox::SIGNING_SECRET;
use support::receiver::{Mood, Receiver};
use support::service::Service;

/// Only the bell wakes it; no sync in the test's lifetime.
const BELL_ALONE: &str = "[sync]\nschedule = '0 0 29 2 1'\n[notify]\ngroup_seconds = 0\npoll_seconds = 3600\n\
                          default_channels = ['webhook']";

/// How often each notification was taken.
fn times(receiver: &Receiver) -> BTreeMap<i64, usize> {
    let mut times = BTreeMap::new();
    for id in receiver.taken().iter().flat_map(|p| p.ids()) {
        *times.entry(id).or_default() += 1;
    }
    times
}

async fn wait_for_id(receiver: &Receiver, id: i64) {
    for _ in 0..1500 {
        if times(receiver).contains_key(&id) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("notification {id} never came: {:?}", times(receiver));
}

async fn wait_until_noted(world: &World, count: i64) {
    let delivered = "SELECT count(*) FROM crm_health_sync.deliveries WHERE state = 'delivered'";
    for _ in 0..1500 {
        if world.number(delivered).await == count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!(
        "{:?} instead of {count} delivered",
        world.deliveries().await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bell_is_heard_also_after_its_connection_was_broken() {
    let (world, receiver) = World::with_outbox(BELL_ALONE).await;
    let service = Service::start(&world).await;
    world.post(None, "info", "first", 1).await;
    wait_for_id(&receiver, 1).await;
    let listeners = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                     AND application_name = 'crm-health-sync' AND query ILIKE 'listen%'";
    assert_eq!(world.number(listeners).await, 1);
    for id in 2..4 {
        world
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                      WHERE datname = current_database() AND application_name = 'crm-health-sync'",
            )
            .await;
        // Posted while nobody listens.
        world.post(None, "info", "next", 1).await;
        wait_for_id(&receiver, id).await;
    }
    wait_until_noted(&world, 3).await;
    assert_eq!(times(&receiver), [(1, 1), (2, 1), (3, 1)].into());
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_nothing_is_lost_and_only_an_unnoted_message_is_repeated() {
    for (point, repeated) in [
        ("batch_begun:1", false),
        ("batch_posted:1", true),
        ("batch_noted:1", false),
    ] {
        let (world, receiver) = World::with_outbox(BELL_ALONE).await;
        world.post(None, "info", "before", 3).await;
        let dying = Service::start_with(&world, |c| {
            c.env("CRM_HEALTH_FAILPOINT", point);
        })
        .await;
        assert_eq!(dying.ended().await, None, "{point}: it never got there");
        world.post(None, "info", "meanwhile", 2).await;
        // The lease of the dead one runs out.
        world.let_pass(600).await;
        let service = Service::start(&world).await;
        wait_until_noted(&world, 5).await;
        let again = if repeated { 2 } else { 1 };
        let expected = [(1, again), (2, again), (3, again), (4, 1), (5, 1)].into();
        assert_eq!(times(&receiver), expected, "{point}");
        if repeated {
            let ids: Vec<String> = receiver
                .taken()
                .iter()
                .map(|p| p.header("x-crm-health-delivery"))
                .collect();
            assert_eq!(ids[0], ids[1], "a repeated message is known by its id");
        }
        drop(service);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_neither_loses_nor_repeats() {
    let (world, receiver) = World::with_outbox(BELL_ALONE).await;
    for start in 0..3 {
        let service = Service::start(&world).await;
        world.post(None, "info", "a", 10).await;
        if start < 2 {
            // Stopped at some point of the work.
            receiver
                .wait_for(usize::try_from(start).expect("small"))
                .await;
        } else {
            wait_until_noted(&world, 30).await;
        }
        service.signal("TERM");
        assert_eq!(service.ended().await, Some(0));
    }
    assert_eq!(times(&receiver), (1..=30).map(|id| (id, 1)).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_channel_every_notification_is_a_line_of_the_log() {
    let world = World::with("[sync]\nschedule = '0 0 29 2 1'").await;
    world.make_outbox().await;
    let service = Service::start_with(&world, |c| {
        c.env("NO_COLOR", "1");
    })
    .await;
    let user = uuid::Uuid::new_v4();
    world
        .post(Some(user), "critical", "Deal \"A\"\nERROR forged line", 1)
        .await;
    let line = service.said("forged").await;
    for part in [
        "notification".to_owned(),
        "severity=critical".to_owned(),
        format!("user_id=\"{user}\""),
        r#"title="Deal \"A\"\nERROR forged line""#.to_owned(),
    ] {
        assert!(line.contains(&part), "{part} is missing in {line}");
    }
    wait_until_noted(&world, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_status_show_what_waits_and_nothing_shows_a_secret() {
    crm_health_sync::gmail::install_tls_provider();
    let (world, receiver) = World::with_outbox(
        "[sync]\nschedule = '0 0 29 2 1'\n[notify]\ngroup_seconds = 0\ndefault_channels = ['slack', 'webhook']",
    )
    .await;
    receiver.set_mood(Mood::Status(404, "no_service".to_owned()));
    let service = Service::start(&world).await;
    world.post(None, "critical", "a", 7).await;
    service.said("notifications were not delivered").await;
    receiver.wait_for(2).await;
    let mut metrics = String::new();
    for _ in 0..500 {
        metrics = service.get("/metrics", &[]).await.1;
        if metrics.matches("outcome=\"misconfigured\"} 7").count() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for line in [
        "crm_health_sync_notifications_total{channel=\"slack\",outcome=\"misconfigured\"} 7",
        "crm_health_sync_messages_sent_total{channel=\"webhook\",outcome=\"misconfigured\"} 1",
        "crm_health_sync_notifications_waiting{channel=\"slack\"} 7",
        "crm_health_sync_notifications_oldest_waiting_seconds{channel=\"slack\"} ",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
    let status = world
        .run_daemon(|c| {
            c.args(["status", "--channels"]);
        })
        .await;
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let row = status
        .lines()
        .find(|l| l.starts_with("slack"))
        .expect("a row");
    assert!(
        row.contains("misconfigured  7 ") && row.contains("make a new incoming webhook"),
        "{status}"
    );
    let check = world
        .run_daemon(|c| {
            c.arg("check-config");
        })
        .await;
    let check = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(
        check.contains("channel slack refuses notifications, 7 wait"),
        "{check}"
    );
    let everything = format!("{metrics}{status}{check}{}", service.log());
    for secret in [
        receiver.url("slack"),
        receiver.url("hook"),
        SIGNING_SECRET.to_owned(),
    ] {
        assert!(!everything.contains(&secret), "{secret} is in {everything}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_config_sends_a_test_to_each_channel_when_asked() {
    let (world, receiver) = World::with_outbox("").await;
    let run = |send: bool| {
        world.run_daemon(move |c| {
            c.arg("check-config");
            if send {
                c.arg("--send-test");
            }
        })
    };
    run(false).await;
    assert_eq!(receiver.posts().len(), 0);
    let output = String::from_utf8_lossy(&run(true).await.stdout).into_owned();
    assert_eq!(receiver.taken().len(), 2, "{output}");
    assert!(
        output.contains("sent a test to channel slack (127.0.0.1)"),
        "{output}"
    );
    receiver.set_mood(Mood::Redirect("https://elsewhere.example/".to_owned()));
    let output = run(true).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("channel webhook: answered 307") && text.contains("set the URL"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(1));
}
