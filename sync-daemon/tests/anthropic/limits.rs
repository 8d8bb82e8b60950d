//! Cost and pace over all daemons, and what operators see.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_days_cost_is_capped_over_all_daemons() {
    // One request may cost up to 0.0048 and costs 0.0015: a second one is no longer covered.
    let s = Setting::with_subjects(
        "batch_size = 1\ndaily_cap_usd = 0.0055",
        &["Meeting", "Terrible"],
    )
    .await;
    assert_eq!(s.sync().await, format!("none/unread {BAD}"));
    assert_eq!(
        s.sync().await,
        format!("none/unread {BAD}"),
        "another daemon"
    );
    assert_eq!(s.asked(), 1);
    s.world
        .execute("UPDATE crm_health_sync.model_usage SET day = day - 1")
        .await;
    assert_eq!(s.sync().await, format!("{PLAIN} {BAD}"), "the next day");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_keep_their_pace_over_all_daemons() {
    let settings = "batch_size = 1\nrequests_per_minute = 1\nmax_seconds_per_mailbox = 5";
    let s = Setting::with_subjects(settings, &["Meeting", "Terrible"]).await;
    assert_eq!(s.sync().await, format!("none/unread {BAD}"));
    assert_eq!(
        s.sync().await,
        format!("none/unread {BAD}"),
        "another daemon"
    );
    assert_eq!(s.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_tables_the_daemon_reads_nothing_and_syncs_all_the_same() {
    let s = Setting::with_subjects("", &["Terrible"]).await;
    s.world
        .execute("DROP TABLE crm_health_sync.model_usage")
        .await;
    assert_eq!(s.sync().await, "none/unread");
    assert_eq!(s.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_models_outcomes_tokens_and_cost() {
    let s = Setting::with_subjects(
        "batch_size = 1\nmax_tries = 1",
        &["Later", "Meeting", "Terrible"],
    )
    .await;
    let engine = s.world.engine();
    s.world.sync_by(&engine).await;
    s.api
        .fail_always(Some(Fault::Status(529, "overloaded_error", None)));
    s.world
        .gmail
        .add_message(REP, from_ada("One more"))
        .expect("message");
    s.world.sync_by(&engine).await;
    let summary = engine.store.summary().await.expect("summary");
    let text = engine.metrics.render(Some(&summary), "");
    for line in [
        "crm_health_sync_sentiment_mails_total{model=\"claude-haiku-4-5\",outcome=\"scored\"} 1",
        "crm_health_sync_sentiment_mails_total{model=\"claude-haiku-4-5\",outcome=\"no_signal\"} 2",
        "crm_health_sync_sentiment_mails_total{model=\"claude-haiku-4-5\",outcome=\"left\"} 1",
        "crm_health_sync_sentiment_tokens_total{direction=\"input\"} 3000",
        "crm_health_sync_sentiment_tokens_total{direction=\"output\"} 300",
        "crm_health_sync_sentiment_stops_total{class=\"busy\"} 1",
        "crm_health_sync_sentiment_cost_today_usd 0.0045",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

async fn checked(s: &Setting) -> String {
    let run = s.world.run_daemon(|command| {
        command.arg("check-config");
    });
    String::from_utf8(run.await.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn check_config_names_the_model_and_what_is_wrong_with_it() {
    let mut s = Setting::with_subjects("", &[]).await;
    let fine = checked(&s).await;
    assert!(
        fine.contains("the mood of mail: read by claude-haiku-4-5"),
        "{fine}"
    );
    assert!(!fine.contains("refuses the request"), "{fine}");
    s.world.anthropic_key = Some("sk-ant-a-wrong-key".to_owned());
    let wrong = checked(&s).await;
    assert!(wrong.contains("HTTP 401 authentication_error"), "{wrong}");
    assert!(!wrong.contains("sk-ant"), "{wrong}");
    s.world.anthropic_key = Some(API_KEY.to_owned());
    s.world.rewrite_config(|old| {
        old.replace("[anthropic]\n", "[anthropic]\nmodel = \"claude-none\"\n")
    });
    let unknown = checked(&s).await;
    assert!(unknown.contains("HTTP 404 not_found_error"), "{unknown}");
}
