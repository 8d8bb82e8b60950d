//! Quiet hours and the daily digest.

mod support;

use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use crm_health_sync::notify::Hours;
use support::World;
use support::outbox::round;
use support::receiver::Mood;
use uuid::Uuid;

fn time(text: &str) -> NaiveTime {
    text.parse().expect("a time")
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn hours(zone: &str, quiet: Option<(&str, &str)>, digest: &str) -> Hours {
    Hours {
        zone: zone.parse().expect("a zone"),
        quiet: quiet.map(|(from, until)| (time(from), time(until))),
        digest: Some(time(digest)),
    }
}

/// HH:MM so many minutes from now, UTC.
fn from_now(minutes: i64) -> String {
    (Utc::now() + TimeDelta::minutes(minutes))
        .format("%H:%M")
        .to_string()
}

#[test]
fn quiet_hours_include_their_beginning_and_not_their_end_also_over_midnight() {
    let night = hours("UTC", Some(("22:00:00", "07:00:00")), "08:00:00");
    let noon = hours("UTC", Some(("12:00:00", "13:00:00")), "08:00:00");
    for (at, at_night, at_noon) in [
        ("2026-03-01T21:59:59Z", false, false),
        ("2026-03-01T22:00:00Z", true, false),
        ("2026-03-02T00:00:00Z", true, false),
        ("2026-03-02T06:59:59Z", true, false),
        ("2026-03-02T07:00:00Z", false, false),
        ("2026-03-02T12:00:00Z", false, true),
        ("2026-03-02T12:59:59Z", false, true),
        ("2026-03-02T13:00:00Z", false, false),
    ] {
        let found = (night.is_quiet(instant(at)), noon.is_quiet(instant(at)));
        assert_eq!(found, (at_night, at_noon), "{at}");
    }
}

#[test]
fn quiet_hours_and_the_digest_go_by_the_clock_of_the_place() {
    let berlin = hours("Europe/Berlin", Some(("22:00:00", "07:00:00")), "08:00:00");
    for (at, quiet, digest) in [
        // Winter: an hour ahead.
        ("2026-01-10T21:00:00Z", true, "2026-01-10T07:00:00Z"),
        ("2026-01-10T20:59:00Z", false, "2026-01-10T07:00:00Z"),
        // Summer: two.
        ("2026-07-10T20:00:00Z", true, "2026-07-10T06:00:00Z"),
        ("2026-07-10T05:59:00Z", false, "2026-07-09T06:00:00Z"),
        // The day of the change.
        ("2026-03-29T06:00:00Z", false, "2026-03-29T06:00:00Z"),
    ] {
        assert_eq!(berlin.is_quiet(instant(at)), quiet, "{at}");
        assert_eq!(
            berlin.last_digest(instant(at)),
            Some(instant(digest)),
            "{at}"
        );
    }
}

#[test]
fn a_time_that_the_clock_skips_or_shows_twice_comes_once() {
    let spring = hours("Europe/Berlin", None, "02:30:00");
    // 02:00–03:00 does not exist on 29 March: 03:00 it is.
    assert_eq!(
        spring.last_digest(instant("2026-03-29T12:00:00Z")),
        Some(instant("2026-03-29T01:00:00Z"))
    );
    let early = hours("Europe/Berlin", None, "02:15:00");
    assert_eq!(
        early.last_digest(instant("2026-03-29T12:00:00Z")),
        Some(instant("2026-03-29T01:00:00Z")),
        "not a quarter of an hour after the gap"
    );
    // 02:30 is twice on 25 October: the first one.
    for now in ["2026-10-25T00:30:00Z", "2026-10-25T12:00:00Z"] {
        assert_eq!(
            spring.last_digest(instant(now)),
            Some(instant("2026-10-25T00:30:00Z")),
            "{now}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_quiet_hours_only_what_is_critical_goes_out_and_the_rest_when_they_end() {
    let settings = |quiet: bool, breaks: bool| {
        let (from, until) = if quiet {
            (from_now(-60), from_now(60))
        } else {
            Default::default()
        };
        format!(
            "[notify]\ngroup_seconds = 0\ndefault_channels = ['slack']\nquiet_from = '{from}'\n\
             quiet_until = '{until}'\ncritical_breaks_quiet = {breaks}"
        )
    };
    let (world, receiver) = World::with_outbox(&settings(true, true)).await;
    world.post(None, "warning", "can wait", 2).await;
    world.post(None, "critical", "cannot", 1).await;
    world.round().await;
    world.round().await;
    assert_eq!(receiver.posts().len(), 1);
    assert_eq!(receiver.posts()[0].texts()[1..], ["🔴 cannot"]);
    world.post(None, "critical", "even this can", 1).await;
    world.rewrite_config(|old| {
        old.replace(
            "critical_breaks_quiet = true",
            "critical_breaks_quiet = false",
        )
    });
    world.round().await;
    assert_eq!(receiver.posts().len(), 1, "nothing breaks the quiet");
    world.rewrite_config(|old| {
        let lines = old.lines().filter(|l| !l.starts_with("quiet_"));
        lines.collect::<Vec<_>>().join("\n")
    });
    world.round().await;
    let posts = receiver.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[1].texts()[0], "crm_health: 1 critical, 2 warnings");
}

/// Functions in place of the extension's: the given users are active, and each has a deal that needs attention.
async fn stand_in_for_attention(world: &World, users: &[Uuid]) {
    let list: Vec<String> = users.iter().map(|u| format!("'{u}'::uuid")).collect();
    let list = list.join(",");
    world
        .execute(&format!(
            "CREATE FUNCTION crm_health.active_users(p_as_of timestamptz DEFAULT now()) RETURNS SETOF uuid
                 LANGUAGE sql AS $$ SELECT unnest(ARRAY[{list}]) $$;
             CREATE FUNCTION crm_health.needs_attention(p_user_ids uuid[], p_limit integer)
                 RETURNS TABLE (kind text, user_id uuid, id uuid, name text, health_score integer,
                                health_status text, deal_value numeric, reasons text[])
                 LANGUAGE sql AS $$ SELECT 'deal', u, u, 'Deal of <' || n || '>', 20 + n::integer, 'stalled', 5.0,
                                           ARRAY['no contact for 30 days', 'no meeting & no plan']
                                    FROM unnest(p_user_ids) WITH ORDINALITY AS x(u, n) LIMIT p_limit $$"
        ))
        .await;
}

fn digest_settings() -> String {
    format!(
        "[notify]\ngroup_seconds = 0\ndefault_channels = ['slack']\ndigest_at = '{}'\nmax_items = 2\n\
         [notify.channels.sales]\nkind = 'slack'",
        from_now(-1)
    )
}

async fn digest_of_yesterday(world: &World) {
    world
        .execute("UPDATE crm_health_sync.channels SET last_digest_at = now() - interval '26 h'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_channel_gets_the_digest_of_its_users_once_a_day_whatever_daemons_there_are() {
    let (mut world, receiver) = World::with_outbox(&digest_settings()).await;
    world.set_variable("CRM_HEALTH_CHANNEL_SALES_URL", &receiver.url("slack-sales"));
    let [ann, bob, cy, dee, muted] = std::array::from_fn(|_| Uuid::new_v4());
    stand_in_for_attention(&world, &[ann, bob, cy, dee, muted]).await;
    world
        .execute(&format!(
            "INSERT INTO crm_health_sync.routes (user_id, channels, muted_until) VALUES
             ('{dee}', '{{sales}}', NULL), ('{muted}', '{{}}', 'infinity')"
        ))
        .await;
    let daemons: Vec<_> = (0..3).map(|_| world.notifier()).collect();
    round(&daemons[0]).await;
    assert_eq!(
        receiver.posts().len(),
        0,
        "installed after the time of today's digest"
    );
    digest_of_yesterday(&world).await;
    futures::future::join_all(daemons.iter().map(round)).await;
    // After a restart too.
    world.round().await;
    let posts = receiver.posts();
    let slack: Vec<_> = posts.iter().filter(|p| p.path == "slack").collect();
    let sales: Vec<_> = posts.iter().filter(|p| p.path == "slack-sales").collect();
    assert_eq!((slack.len(), sales.len()), (1, 1), "{posts:#?}");
    let first = "🔴 Deal of &lt;1&gt;\ndeal: stalled, 21 of 100\nno contact for 30 days; no meeting &amp; no plan";
    let second = first
        .replace("&lt;1&gt;", "&lt;2&gt;")
        .replace("21 of", "22 of");
    assert_eq!(
        slack[0].texts(),
        ["Needs attention today", first, &second, "and more"]
    );
    assert_eq!(sales[0].texts().len(), 2);
    assert_eq!(posts.len(), 2, "{posts:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_fails_is_tried_again_and_says_so_when_there_is_nothing() {
    let (world, receiver) = World::with_outbox(&digest_settings()).await;
    stand_in_for_attention(&world, &[Uuid::new_v4()]).await;
    world
        .execute("CREATE OR REPLACE FUNCTION crm_health.needs_attention(p_user_ids uuid[], p_limit integer)
                 RETURNS TABLE (kind text, user_id uuid, id uuid, name text, health_score integer,
                                health_status text, deal_value numeric, reasons text[])
                 LANGUAGE sql AS $$ SELECT NULL::text, NULL::uuid, NULL::uuid, NULL::text, 1, NULL::text, 5.0, NULL::text[] WHERE false $$")
        .await;
    let notifier = world.notifier();
    round(&notifier).await;
    digest_of_yesterday(&world).await;
    receiver.set_mood(Mood::Status(502, String::new()));
    round(&notifier).await;
    round(&notifier).await;
    assert_eq!(receiver.posts().len(), 1, "tried again at once");
    receiver.set_mood(Mood::Fine);
    world.let_pass(3_600).await;
    round(&notifier).await;
    round(&notifier).await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        taken[0].texts(),
        ["Needs attention today", "Nothing needs attention today."]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_extensions_functions_the_digest_waits_and_notifications_go_on() {
    let (world, receiver) = World::with_outbox(&digest_settings()).await;
    let notifier = world.notifier();
    round(&notifier).await;
    digest_of_yesterday(&world).await;
    world.post(None, "info", "goes on", 1).await;
    round(&notifier).await;
    let (state, reason) = world.channel("slack").await;
    assert_eq!(state, "failing");
    assert!(reason.expect("a reason").contains("active_users"));
    world.let_pass(3_600).await;
    world
        .execute("UPDATE crm_health_sync.channels SET last_digest_at = now()")
        .await;
    let wait = round(&notifier).await;
    assert!(wait <= Duration::from_secs(60));
    assert_eq!(receiver.taken()[0].texts()[1], "🔵 goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_is_repeated_keeps_its_id_and_the_next_one_has_another() {
    let settings = digest_settings().replace("['slack']", "['webhook']");
    let (world, receiver) = World::with_outbox(&settings).await;
    stand_in_for_attention(&world, &[Uuid::new_v4()]).await;
    world.round().await;
    digest_of_yesterday(&world).await;
    receiver.set_mood(Mood::Status(502, String::new()));
    world.round().await;
    receiver.set_mood(Mood::Fine);
    world.let_pass(3_600).await;
    // By another daemon: this one may have died after the answer.
    world.round().await;
    let ids = || -> Vec<String> {
        let posts = receiver.posts();
        let ids = posts.iter().map(|p| p.header("x-crm-health-delivery"));
        ids.collect()
    };
    assert_eq!(ids().len(), 2, "{:?}", ids());
    assert_eq!(ids()[0], ids()[1]);
    let digest = receiver.posts()[1].json();
    assert_eq!(
        (&digest["type"], &digest["delivery_id"]),
        (&"daily_digest".into(), &ids()[1].clone().into())
    );
    let earlier = from_now(-10);
    world.rewrite_config(|old| {
        let (before, after) = old.split_once("digest_at = ").expect("a time");
        let rest = after.split_once('\n').map_or("", |(_, rest)| rest);
        format!("{before}digest_at = '{earlier}'\n{rest}")
    });
    digest_of_yesterday(&world).await;
    world.round().await;
    assert_eq!(ids().len(), 3);
    assert_ne!(ids()[1], ids()[2]);
}
