//! The outbox and the daemon: each notification to each channel of its route, once, in few messages.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use support::World;
use support::outbox::round;
use support::receiver::{Mood, Post};
use uuid::Uuid;

/// No gathering: what is there goes out with the next round.
const AT_ONCE: &str = "[notify]\ngroup_seconds = 0";

fn of<'a>(posts: &'a [Post], path: &str) -> Vec<&'a Post> {
    posts.iter().filter(|p| p.path == path).collect()
}

fn all_ids(posts: &[&Post]) -> Vec<i64> {
    let mut ids: Vec<i64> = posts.iter().flat_map(|p| p.ids()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_within_the_window_goes_out_as_one_message_and_once() {
    let (world, receiver) = World::with_outbox("[notify]\ngroup_seconds = 60").await;
    let notifier = world.notifier();
    world
        .post(None, "warning", "Deal Alpha is stalled", 1)
        .await;
    let wait = round(&notifier).await;
    assert!(wait <= Duration::from_secs(60), "{wait:?}");
    world
        .post(None, "critical", "Deal Beta is stalled", 1)
        .await;
    round(&notifier).await;
    assert_eq!(receiver.posts().len(), 0, "the window is open");
    world.let_pass(60).await;
    round(&notifier).await;
    round(&notifier).await;
    let posts = receiver.posts();
    let slack = of(&posts, "slack");
    assert_eq!(slack.len(), 1, "{posts:#?}");
    assert_eq!(
        slack[0].texts(),
        [
            "crm_health: 1 critical, 1 warning",
            "🔴 Deal Beta is stalled",
            "🟠 Deal Alpha is stalled"
        ]
    );
    assert_eq!(all_ids(&of(&posts, "hook")), [1, 2]);
    let delivered = |channel: &str| (channel.to_owned(), "delivered".to_owned(), 2);
    assert_eq!(
        world.deliveries().await,
        [delivered("slack"), delivered("webhook")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_at_once_are_one_message_to_people_and_each_once_to_programs() {
    let (world, receiver) = World::with_outbox(AT_ONCE).await;
    let notifier = world.notifier();
    world.post(None, "info", "Deal", 9_999).await;
    world.post(None, "critical", "The worst one", 1).await;
    round(&notifier).await;
    round(&notifier).await;
    let posts = receiver.posts();
    let slack = of(&posts, "slack");
    assert_eq!(slack.len(), 1);
    let texts = slack[0].texts();
    assert_eq!(texts[0], "crm_health: 1 critical, 9999 for information");
    assert_eq!(texts[1], "🔴 The worst one");
    assert_eq!(texts.len(), 1 + 20 + 1);
    assert_eq!(texts[21], "and 9980 more: 9980 alerts");
    let ids = all_ids(&of(&posts, "hook"));
    assert_eq!(ids, (1..=10_000).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_is_committed_late_is_not_lost() {
    let (world, receiver) = World::with_outbox(AT_ONCE).await;
    let notifier = world.notifier();
    let mut late = world.pool.begin().await.expect("a transaction");
    let insert =
        "INSERT INTO crm_health.notifications (kind, subject_type, subject_id, severity, title)
                  VALUES ('run_failed', 'run', 'r', 'critical', 'late') RETURNING id";
    let id: i64 = sqlx::query_scalar(insert)
        .fetch_one(&mut *late)
        .await
        .expect("a row");
    // A later id that is committed and old: the horizon would move beyond it, were nobody before it still at work.
    world.post(None, "info", "early", 1).await;
    world
        .execute("UPDATE crm_health_sync.outbox SET since = now() - interval '1 day'; UPDATE crm_health.notifications SET created_at = created_at - interval '1 hour'")
        .await;
    for _ in 0..3 {
        round(&notifier).await;
    }
    assert_eq!(all_ids(&of(&receiver.posts(), "hook")), [id + 1]);
    let settled = "SELECT settled_id FROM crm_health_sync.outbox";
    assert_eq!(world.number(settled).await, 0);
    late.commit().await.expect("commit");
    for _ in 0..3 {
        round(&notifier).await;
    }
    assert_eq!(all_ids(&of(&receiver.posts(), "hook")), [id, id + 1]);
    assert_eq!(world.number(settled).await, id + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_daemons_send_nothing_twice() {
    let (world, receiver) = World::with_outbox(AT_ONCE).await;
    let daemons: Vec<_> = (0..4).map(|_| world.notifier()).collect();
    for _ in 0..5 {
        world.post(None, "info", "Deal", 150).await;
        futures::future::join_all(daemons.iter().map(round)).await;
    }
    round(&daemons[0]).await;
    let posts = receiver.posts();
    assert_eq!(all_ids(&of(&posts, "hook")), (1..=750).collect::<Vec<_>>());
    let told: usize = of(&posts, "slack")
        .iter()
        .map(|p| {
            let header = p.texts()[0].clone();
            let count = header.trim_start_matches("crm_health: ").split(' ').next();
            count
                .and_then(|c| c.parse::<usize>().ok())
                .expect("a count")
        })
        .sum();
    assert_eq!(told, 750);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_before_the_installation_is_not_delivered() {
    let (world, receiver) = World::with_outbox(AT_ONCE).await;
    world.post(None, "critical", "history", 500).await;
    world
        .execute("UPDATE crm_health.notifications SET created_at = now() - interval '1 h'")
        .await;
    world.post(None, "critical", "news", 1).await;
    world.round().await;
    let posts = receiver.posts();
    assert_eq!(all_ids(&of(&posts, "hook")), [501]);
    assert_eq!(of(&posts, "slack")[0].texts()[1], "🔴 news");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_created_anew_counts_its_ids_anew_and_loses_nothing() {
    let (world, receiver) = World::with_outbox(AT_ONCE).await;
    let notifier = world.notifier();
    world.post(None, "info", "before", 3).await;
    round(&notifier).await;
    world
        .execute("UPDATE crm_health_sync.outbox SET settled_id = 3; DROP SCHEMA crm_health CASCADE")
        .await;
    assert!(round(&notifier).await >= Duration::from_secs(60));
    world.make_outbox().await;
    world.post(None, "info", "after", 2).await;
    round(&notifier).await;
    assert_eq!(all_ids(&of(&receiver.posts(), "hook")), [1, 1, 2, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_send_a_users_notifications_elsewhere_or_nowhere() {
    let settings = "[notify]\ngroup_seconds = 0\ndefault_channels = ['slack']\n\
                    operator_channels = ['webhook']\n[notify.channels.sales]\nkind = 'slack'";
    let (mut world, receiver) = World::with_outbox(settings).await;
    world.set_variable("CRM_HEALTH_CHANNEL_SALES_URL", &receiver.url("slack-sales"));
    let [plain, sales, muted, picky, lost] = std::array::from_fn(|_| Uuid::new_v4());
    world
        .execute(&format!(
            "INSERT INTO crm_health_sync.routes (user_id, channels, muted_until, min_severity) VALUES
             ('{sales}', '{{sales,webhook}}', NULL, NULL), ('{muted}', '{{sales}}', 'infinity', NULL),
             ('{picky}', '{{}}', '2001-01-01', 'critical'), ('{lost}', '{{gone}}', NULL, NULL)"
        ))
        .await;
    for (user, title) in [
        (Some(plain), "plain"),
        (Some(sales), "sales"),
        (Some(muted), "muted"),
        (Some(picky), "picky"),
        (Some(lost), "lost"),
        (None, "operators"),
    ] {
        world.post(user, "warning", title, 1).await;
    }
    world
        .post(Some(picky), "critical", "picky, critical", 1)
        .await;
    world.round().await;
    let posts = receiver.posts();
    let titles = |path: &str| -> BTreeSet<String> {
        let texts = of(&posts, path)
            .into_iter()
            .flat_map(|p| p.texts().split_off(1));
        texts.map(|t| t[5..].to_owned()).collect()
    };
    assert_eq!(
        titles("slack"),
        ["plain", "picky, critical"].map(str::to_owned).into()
    );
    assert_eq!(titles("slack-sales"), ["sales".to_owned()].into());
    assert_eq!(all_ids(&of(&posts, "hook")), [2, 6]);
    let skipped = "SELECT string_agg(notification_id || ' ' || reason, ', ' ORDER BY 1) FROM crm_health_sync.deliveries WHERE state = 'skipped'";
    assert_eq!(
        world.text(skipped).await.as_deref(),
        Some("3 muted, 4 not severe enough")
    );
    let log = "SELECT count(*) FROM crm_health_sync.deliveries WHERE channel = 'log' AND notification_id = 5 AND state = 'delivered'";
    assert_eq!(
        world.number(log).await,
        1,
        "a route to nowhere leads to the log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_slack_is_one_message_when_it_is_back() {
    let (world, receiver) =
        World::with_outbox("[notify]\ngroup_seconds = 0\ndefault_channels = ['slack']").await;
    let notifier = world.notifier();
    receiver.set_mood(Mood::Status(503, "down".to_owned()));
    for hour in 0..24 {
        world
            .post(None, "warning", &format!("hour {hour}"), 400)
            .await;
        round(&notifier).await;
        // Paused: not tried again at once.
        round(&notifier).await;
        world.let_pass(3_600).await;
    }
    assert_eq!(receiver.posts().len(), 24);
    assert_eq!(
        world.channel("slack").await,
        ("failing".to_owned(), Some("answered 503".to_owned()))
    );
    receiver.set_mood(Mood::Fine);
    round(&notifier).await;
    round(&notifier).await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].texts()[0], "crm_health: 9600 warnings");
    assert_eq!(world.channel("slack").await, ("ok".to_owned(), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_too_long_is_given_up_and_counted() {
    let (world, receiver) =
        World::with_outbox("[notify]\ngroup_seconds = 0\nmax_age_hours = 2").await;
    let notifier = world.notifier();
    receiver.set_mood(Mood::Status(500, String::new()));
    world.post(None, "info", "old", 5).await;
    round(&notifier).await;
    world
        .execute("UPDATE crm_health.notifications SET created_at = created_at - interval '2 h';
                  UPDATE crm_health_sync.deliveries SET notification_at = notification_at - interval '2 h';
                  UPDATE crm_health_sync.outbox SET since = since - interval '1 day'")
        .await;
    world.let_pass(3_600).await;
    receiver.set_mood(Mood::Fine);
    round(&notifier).await;
    assert_eq!(receiver.taken().len(), 0);
    let expired = |channel: &str| (channel.to_owned(), "expired".to_owned(), 5);
    assert_eq!(
        world.deliveries().await,
        [expired("slack"), expired("webhook")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dealt_with_a_month_ago_is_forgotten_and_does_not_come_back() {
    let (world, receiver) = World::with_outbox(AT_ONCE).await;
    let notifier = world.notifier();
    world.post(None, "info", "old", 2).await;
    round(&notifier).await;
    // As far as the outbox might bring it back, it is kept.
    world
        .execute("UPDATE crm_health_sync.deliveries SET taken_at = taken_at - interval '31 days'")
        .await;
    round(&notifier).await;
    assert_eq!(
        world
            .number("SELECT count(*) FROM crm_health_sync.deliveries")
            .await,
        4
    );
    world
        .execute("UPDATE crm_health_sync.outbox SET settled_id = 2")
        .await;
    for _ in 0..2 {
        round(&notifier).await;
    }
    assert_eq!(
        world
            .number("SELECT count(*) FROM crm_health_sync.deliveries")
            .await,
        0
    );
    assert_eq!(receiver.posts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_channel_that_is_given_up_goes_the_way_of_what_comes_now() {
    let settings = "[notify]\ngroup_seconds = 0\ndefault_channels = ['slack']";
    let (mut world, receiver) = World::with_outbox(settings).await;
    receiver.set_mood(Mood::Status(410, "channel_is_archived".to_owned()));
    world
        .post(Some(Uuid::new_v4()), "warning", "of a user", 2)
        .await;
    world.post(None, "critical", "of none", 1).await;
    world.round().await;
    assert_eq!(receiver.posts().len(), 1);
    receiver.set_mood(Mood::Fine);
    world.rewrite_config(|old| old.replace("[\"slack\"]", "[\"webhook\"]"));
    world.set_variable("CRM_HEALTH_CHANNEL_SLACK_URL", "");
    // Another daemon may be sending there still.
    world
        .execute("UPDATE crm_health_sync.channels SET lease_until = now() + interval '1 h' WHERE name = 'slack'")
        .await;
    world.round().await;
    assert_eq!(receiver.posts().len(), 1);
    world
        .execute("UPDATE crm_health_sync.channels SET lease_until = NULL")
        .await;
    world.round().await;
    world.round().await;
    assert_eq!(all_ids(&of(&receiver.taken(), "hook")), [1, 2, 3]);
    let state = |channel: &str, state: &str| (channel.to_owned(), state.to_owned(), 3);
    assert_eq!(
        world.deliveries().await,
        [state("slack", "skipped"), state("webhook", "delivered")]
    );
}
