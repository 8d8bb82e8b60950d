//! What the other end may do, and what names may hold.

mod support;

use std::process::Command;
use std::time::Duration;

use crm_health_sync::notify::sign;
use secrecy::SecretString;
use support::World;
use support::outbox::{SIGNING_SECRET, round};
use support::receiver::{Mood, Receiver};

const SLACK: &str = "[notify]\ngroup_seconds = 0\ndefault_channels = ['slack']";
const WEBHOOK: &str = "[notify]\ngroup_seconds = 0\ndefault_channels = ['webhook']";

/// Seconds until the channel is tried again.
async fn pause(world: &World, channel: &str) -> i64 {
    world
        .number(&format!(
            "SELECT round(extract(epoch FROM next_attempt_at - now()))::bigint
             FROM crm_health_sync.channels WHERE name = '{channel}'"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_waited_out_as_long_as_it_says() {
    let (world, receiver) = World::with_outbox(SLACK).await;
    let notifier = world.notifier();
    world.post(None, "info", "a", 1).await;
    receiver.set_mood(Mood::Limited(120));
    round(&notifier).await;
    receiver.set_mood(Mood::Fine);
    assert!((118..=120).contains(&pause(&world, "slack").await));
    world.let_pass(60).await;
    let wait = round(&notifier).await;
    assert_eq!(receiver.posts().len(), 1, "asked again too early");
    assert!(wait <= Duration::from_secs(60), "{wait:?}");
    world.let_pass(61).await;
    round(&notifier).await;
    assert_eq!(receiver.taken().len(), 1);
    // One that is out of all measure is not believed.
    world.post(None, "info", "b", 1).await;
    receiver.set_mood(Mood::Limited(1_000_000_000));
    round(&notifier).await;
    assert!(pause(&world, "slack").await <= 3_600);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_waited_for_longer_each_time_up_to_the_cap() {
    let settings = format!("{SLACK}\nbackoff_first_seconds = 10\nbackoff_cap_seconds = 60");
    let (world, receiver) = World::with_outbox(&settings).await;
    let notifier = world.notifier();
    receiver.set_mood(Mood::Status(500, String::new()));
    world.post(None, "info", "a", 1).await;
    for most in [10, 20, 40, 60, 60] {
        round(&notifier).await;
        let pause = pause(&world, "slack").await;
        assert!(
            (most / 2 - 1..=most).contains(&pause),
            "{pause} s, at most {most}"
        );
        world.let_pass(60).await;
    }
    // A success makes it forget.
    receiver.set_mood(Mood::Fine);
    round(&notifier).await;
    world.post(None, "info", "b", 1).await;
    receiver.set_mood(Mood::Status(500, String::new()));
    round(&notifier).await;
    assert!(pause(&world, "slack").await <= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_and_told_with_its_mend() {
    let (world, receiver) = World::with_outbox(SLACK).await;
    let elsewhere = Receiver::start().await;
    receiver.set_mood(Mood::Redirect(elsewhere.url("secret-place")));
    world.post(None, "info", "a", 1).await;
    world.round().await;
    assert_eq!(elsewhere.posts().len(), 0);
    let (state, reason) = world.channel("slack").await;
    assert_eq!(state, "misconfigured");
    assert_eq!(
        reason.as_deref(),
        Some("answered 307, a redirect, which is not followed: set the URL to where it leads")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_gone_is_told_with_its_mend_and_left_alone_until_somebody_changes_something()
 {
    for (status, answer, word) in [
        (404, "no_service", "make a new incoming webhook"),
        (410, "channel_is_archived", "archived"),
        (403, "action_prohibited", "administrator"),
        (400, "invalid_payload", "another kind"),
        (
            404,
            "<html>\u{1b}[31m not found, https://token",
            "check the URL",
        ),
    ] {
        let (world, receiver) = World::with_outbox(SLACK).await;
        let notifier = world.notifier();
        receiver.set_mood(Mood::Status(status, answer.to_owned()));
        world.post(None, "info", "a", 3).await;
        round(&notifier).await;
        world.let_pass(1_800).await;
        round(&notifier).await;
        assert_eq!(receiver.posts().len(), 1, "{answer}: tried again hot");
        let (state, reason) = world.channel("slack").await;
        let reason = reason.expect("a reason");
        assert_eq!(state, "misconfigured", "{answer}");
        assert!(
            reason.contains(word) && reason.contains(&status.to_string()),
            "{reason}"
        );
        assert!(!reason.contains("token"), "{reason}");
        receiver.set_mood(Mood::Fine);
        let mended = world.notifier();
        mended.begin().await.expect("begun");
        round(&mended).await;
        assert_eq!(receiver.taken().len(), 1, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_holds_up_no_other_and_a_repeated_message_keeps_its_id() {
    let settings = "[notify]\ngroup_seconds = 0\nrequest_timeout_seconds = 1\ndefault_channels = ['webhook', 'slack']";
    let (mut world, hanging) = World::with_outbox(settings).await;
    let slack = Receiver::start().await;
    world.set_variable("CRM_HEALTH_CHANNEL_SLACK_URL", &slack.url("slack"));
    let notifier = world.notifier();
    hanging.set_mood(Mood::Hang);
    world.post(None, "info", "a", 2).await;
    round(&notifier).await;
    assert_eq!(slack.taken().len(), 1);
    assert_eq!(
        world.channel("webhook").await,
        ("failing".to_owned(), Some("no answer in time".to_owned()))
    );
    hanging.set_mood(Mood::Fine);
    world.post(None, "info", "b", 1).await;
    world.let_pass(3_600).await;
    for _ in 0..2 {
        round(&notifier).await;
    }
    let posts = hanging.posts();
    let ids: Vec<_> = posts
        .iter()
        .map(|p| (p.header("x-crm-health-delivery"), p.ids()))
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!(ids[0], ids[1], "the receiver may have taken the first one");
    assert_ne!(ids[1].0, ids[2].0);
    assert_eq!(ids[2].1, [3]);
    assert_eq!(posts[1].json()["delivery_id"], ids[1].0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_is_not_read() {
    let settings = format!("{SLACK}\nrequest_timeout_seconds = 120");
    let (world, receiver) = World::with_outbox(&settings).await;
    receiver.set_mood(Mood::Endless);
    world.post(None, "info", "a", 1).await;
    let round = tokio::time::timeout(Duration::from_secs(60), world.round());
    round.await.expect("it does not read on");
    assert_eq!(
        world.channel("slack").await,
        ("failing".to_owned(), Some("answered 500".to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listening_is_no_connection() {
    let (mut world, receiver) = World::with_outbox(WEBHOOK).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("its number");
    drop(free);
    world.set_variable(
        "CRM_HEALTH_CHANNEL_WEBHOOK_URL",
        &format!("http://{address}/token-in-path"),
    );
    world.post(None, "info", "a", 1).await;
    world.round().await;
    assert_eq!(
        world.channel("webhook").await,
        ("failing".to_owned(), Some("no connection".to_owned()))
    );
    assert_eq!(receiver.posts().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_shown_as_they_are_and_never_read_as_markup() {
    let (world, receiver) = World::with_outbox(SLACK).await;
    let long = "<&>".repeat(100);
    for title in [
        "<!channel> <@U123|boss> <https://evil.example|Click>",
        "<script>alert(1)</script> & co",
        "two\nlines\u{0}\u{202e}backwards\u{200b}".trim_matches('\0'),
        "{title} {{title}} %s ${HOME}",
        &long,
    ] {
        let title = title.replace('\0', "");
        world.post(None, "critical", &title, 1).await;
    }
    world
        .execute(&format!(
            "UPDATE crm_health.notifications SET detail = repeat('&<', 1000), next_step = repeat('>', 1000) WHERE title = '{long}'"
        ))
        .await;
    world.round().await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 1, "{:?}", receiver.posts());
    let texts = taken[0].texts();
    assert_eq!(
        texts[1],
        "🔴 &lt;!channel&gt; &lt;@U123|boss&gt; &lt;https://evil.example|Click&gt;"
    );
    assert_eq!(
        texts[2],
        "🔴 &lt;script&gt;alert(1)&lt;/script&gt; &amp; co"
    );
    assert_eq!(texts[3], "🔴 two linesbackwards");
    assert_eq!(texts[4], "🔴 {title} {{title}} %s ${HOME}");
    let lines: Vec<&str> = texts[5].lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.ends_with('…')), "{lines:?}");
    assert!(lines[2].starts_with("Next: &gt;"));
}

/// The example of docs/notifications.md, run as it stands there.
fn verified(timestamp: &str, signature: &str, body: &[u8], secret: &str) -> bool {
    let document = include_str!("../../docs/notifications.md");
    let start = document.find("```python\n").expect("the example") + "```python\n".len();
    let length = document[start..].find("```").expect("its end");
    let folder = std::env::temp_dir().join(format!("verify-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).expect("a folder");
    let body_file = folder.join("body");
    std::fs::write(&body_file, body).expect("the body");
    let program = format!(
        "{}\nimport sys\nbody = open(sys.argv[4], 'rb').read()\n\
         sys.exit(0 if is_genuine(sys.argv[1], sys.argv[2], sys.argv[3], body) else 1)\n",
        &document[start..start + length]
    );
    let mut python = Command::new("python3");
    python
        .args(["-c", &program, secret, timestamp, signature])
        .arg(&body_file);
    let output = python.output().expect("python3");
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.is_empty(), "{error}");
    output.status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_check_tells_a_genuine_post_from_others() {
    let (world, receiver) = World::with_outbox(WEBHOOK).await;
    world
        .post(None, "warning", "Angebot für Müller & Söhne", 2)
        .await;
    world.round().await;
    let taken = receiver.taken();
    let post = &taken[0];
    let (timestamp, signature) = (
        post.header("x-crm-health-timestamp"),
        post.header("x-crm-health-signature"),
    );
    let check =
        |timestamp: &str, body: &[u8], secret: &str| verified(timestamp, &signature, body, secret);
    assert!(check(&timestamp, &post.body, SIGNING_SECRET));
    let mut changed = post.body.to_vec();
    changed[20] ^= 1;
    assert!(!check(&timestamp, &changed, SIGNING_SECRET), "another body");
    assert!(
        !check(&timestamp, &post.body, "another-secret-of-16"),
        "another secret"
    );
    let later = (timestamp.parse::<i64>().expect("a number") + 1).to_string();
    assert!(!check(&later, &post.body, SIGNING_SECRET), "another time");
    // Genuine once, but old: repeated by somebody who has heard it.
    let secret = SecretString::from(SIGNING_SECRET);
    let old = timestamp.parse::<i64>().expect("a number") - 600;
    let replayed = sign(&secret, old, &post.body);
    assert!(
        !verified(&old.to_string(), &replayed, &post.body, SIGNING_SECRET),
        "old"
    );
    let json = post.json();
    assert_eq!(
        (&json["version"], &json["type"], &json["channel"]),
        (&1.into(), &"notifications".into(), &"webhook".into())
    );
    assert_eq!(
        json["notifications"][0]["title"],
        "Angebot für Müller & Söhne"
    );
}

#[test]
fn the_signature_is_the_published_one() {
    let secret = SecretString::from("signing-secret-of-the-tests");
    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac signing-secret-of-the-tests
    assert_eq!(sign(&secret, 1_700_000_000, br#"{"a":1}"#), GOLDEN);
}

const GOLDEN: &str = "v1=b833767131f9ffb384587acc6e001a96b706648f101296fa82c35b2994062ec4";

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_refused_by_name() {
    for (settings, key) in [
        ("time_zone = 'Mars/Olympus'", "notify.time_zone"),
        ("quiet_from = '22:00'", "notify.quiet_until"),
        ("quiet_until = '07:00'", "notify.quiet_from"),
        (
            "quiet_from = '7 pm'\nquiet_until = '07:00'",
            "notify.quiet_from",
        ),
        (
            "quiet_from = '07:00'\nquiet_until = '07:00'",
            "notify.quiet_until",
        ),
        ("digest_at = '24:00'", "notify.digest_at"),
        ("group_seconds = 3601", "notify.group_seconds"),
        ("max_items = 46", "notify.max_items"),
        ("max_items = 0", "notify.max_items"),
        ("max_age_hours = 0", "notify.max_age_hours"),
        (
            "max_age_hours = 8\nquiet_from = '22:00'\nquiet_until = '06:00'",
            "notify.max_age_hours",
        ),
        ("poll_seconds = 0", "notify.poll_seconds"),
        (
            "request_timeout_seconds = 0",
            "notify.request_timeout_seconds",
        ),
        (
            "backoff_first_seconds = 9\nbackoff_cap_seconds = 8",
            "notify.backoff_cap_seconds",
        ),
        ("min_severity = 'fatal'", "unknown variant"),
        ("default_channels = ['nowhere']", "notify.default_channels"),
        (
            "operator_channels = ['nowhere']",
            "notify.operator_channels",
        ),
        (
            "[notify.channels.log]\nkind = 'slack'",
            "notify.channels.log",
        ),
        (
            "[notify.channels.Team-1]\nkind = 'slack'",
            "notify.channels.Team-1",
        ),
        ("[notify.channels.team]\nkind = 'email'", "unknown variant"),
        (
            "[notify.channels.team]\nkind = 'slack'\nurl = 'https://x'",
            "unknown field",
        ),
    ] {
        let (world, _receiver) = World::with_outbox(&format!("[notify]\n{settings}")).await;
        let error = world.try_config().expect_err(settings).to_string();
        assert!(error.contains(key), "{settings}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_work_is_refused_by_its_variable_and_not_shown() {
    for (name, value) in [
        (
            "CRM_HEALTH_CHANNEL_SLACK_URL",
            "http://hooks.slack.com/services/T0/B0/hidden",
        ),
        ("CRM_HEALTH_CHANNEL_SLACK_URL", "hidden"),
        ("CRM_HEALTH_CHANNEL_WEBHOOK_URL", "ftp://127.0.0.1/hidden"),
        ("CRM_HEALTH_CHANNEL_WEBHOOK_SECRET", "hidden"),
    ] {
        let (mut world, _receiver) = World::with_outbox("").await;
        world.set_variable(name, value);
        let error = world.try_config().expect_err(value).to_string();
        assert!(error.contains(name) && !error.contains("hidden"), "{error}");
    }
}
