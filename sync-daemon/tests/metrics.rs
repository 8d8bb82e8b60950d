//! The daemon's own metrics at `/metrics`: right after a reload, a restart, and while the database is away.

mod support;

use crm_health_sync::failure::Failure;
use support::service::Service;
use support::{CRON_SECRET, World};
use uuid::Uuid;

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

/// A world in which runs are asked for, and never due.
async fn quiet_world() -> World {
    crm_health_sync::gmail::install_tls_provider();
    World::with("[sync]\nschedule = '0 0 29 2 1'\nrefresh_scores = false").await
}

async fn metrics(service: &Service) -> String {
    let (status, text) = service.get("/metrics", &[]).await;
    assert_eq!(status, 200);
    text
}

/// The value of a sample; none where there is no such sample.
fn sample(text: &str, name: &str) -> Option<f64> {
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let (_, value) = lines.find(|(found, _)| *found == name)?;
    Some(value.parse().expect("a number"))
}

async fn sync(service: &Service) {
    let header = ("x-cron-secret", CRON_SECRET);
    let (status, report) = service.get("/api/cron/email-sync", &[header]).await;
    assert_eq!(status, 200, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn units_go_on_being_counted_after_a_reload() {
    let world = quiet_world().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let service = Service::start(&world).await;
    let name = "crm_health_sync_quota_units_total";
    world.receive(REP, ADA, 20);
    sync(&service).await;
    let before = sample(&metrics(&service).await, name).expect(name);
    assert!(before > 0.0);
    service.signal("HUP");
    service.said("configuration reloaded").await;
    world.receive(REP, ADA, 1);
    sync(&service).await;
    let after = sample(&metrics(&service).await, name).expect(name);
    assert!(after > before, "{after} after {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_success_is_known_after_a_restart() {
    let world = quiet_world().await;
    let name = "crm_health_sync_last_success_timestamp_seconds";
    // Another daemon's, whose clock is ahead: what this one does meanwhile is older.
    world
        .execute(
            "INSERT INTO crm_health_sync.runs (daemon, triggered_by, started_at, finished_at, report) VALUES
               ('another', 'schedule', now(), to_timestamp(4000000000), '{\"success\": true}'),
               ('another', 'schedule', now(), to_timestamp(4000000100), '{\"success\": false}')",
        )
        .await;
    let service = Service::start(&world).await;
    assert_eq!(sample(&metrics(&service).await, name), Some(4e9));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_class_of_errors_is_there_before_the_first_one() {
    let world = quiet_world().await;
    let service = Service::start(&world).await;
    let text = metrics(&service).await;
    let more = ["extension_missing", "internal", "integrations_hidden"];
    for class in Failure::CODES.iter().copied().chain(more) {
        let name = format!("crm_health_sync_errors_total{{class=\"{class}\"}}");
        assert!(sample(&text, &name).is_some(), "{name} is not in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_is_that_of_mailboxes_which_runs_take_also_of_one_that_never_was_synced() {
    let world = quiet_world().await;
    let service = Service::start(&world).await;
    // The run that is made up for at the start would take the mailboxes.
    service.said("run finished").await;
    let [on_leave, new, gone]: [Uuid; 3] = {
        let mut users = Vec::new();
        for email in [
            "leave@acme.example",
            "new@acme.example",
            "gone@acme.example",
        ] {
            users.push(world.add_user(email).await);
        }
        users.try_into().expect("three")
    };
    world
        .execute(&format!(
            "UPDATE profiles SET last_login_at = now() - interval '100 days' WHERE id = '{on_leave}';
             INSERT INTO crm_health_sync.mailboxes (user_id, integration_id, state, last_good_at, created_at)
               SELECT g.user_id, g.id, CASE g.user_id WHEN '{new}' THEN 'failing' WHEN '{gone}' THEN 'reconnect_required' ELSE 'ok' END,
                      CASE WHEN g.user_id <> '{new}' THEN now() - interval '90 days' END, now() - interval '3 hours'
               FROM google_integrations g
             ON CONFLICT (user_id, integration_id) DO UPDATE
               SET state = excluded.state, last_good_at = excluded.last_good_at, created_at = excluded.created_at;
             DELETE FROM google_integrations WHERE user_id = '{gone}'"
        ))
        .await;
    let text = metrics(&service).await;
    let lag = sample(&text, "crm_health_sync_lag_seconds").expect("a lag");
    assert!((10_800.0..10_900.0).contains(&lag), "{lag}");
    // Nobody can connect again what is not there any more.
    let reconnect = "crm_health_sync_mailboxes{state=\"reconnect_required\"}";
    assert_eq!(sample(&text, reconnect), None, "{text}");
    let inactive = "crm_health_sync_mailboxes{state=\"inactive\"}";
    assert_eq!(sample(&text, inactive), Some(1.0), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_no_old_figure_stands_for_a_new_one() {
    let world = quiet_world().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let service = Service::start(&world).await;
    sync(&service).await;
    let up = "crm_health_sync_database_up";
    let there = metrics(&service).await;
    assert_eq!(sample(&there, up), Some(1.0), "{there}");
    let success = "crm_health_sync_last_success_timestamp_seconds";
    let succeeded = sample(&there, success);
    assert!(succeeded > Some(0.0), "{there}");
    world
        .execute("ALTER SCHEMA crm_health_sync RENAME TO away")
        .await;
    let away = metrics(&service).await;
    assert_eq!(sample(&away, up), Some(0.0), "{away}");
    for stale in [
        "crm_health_sync_lag_seconds",
        "crm_health_sync_mailboxes{state=\"ok\"}",
        "crm_health_sync_sentiment_cost_today_usd",
    ] {
        assert!(sample(&there, stale).is_some(), "{stale} in {there}");
        assert_eq!(sample(&away, stale), None, "{stale} in {away}");
    }
    // What this process did itself, it knows: only within a second of what it noted.
    let known = sample(&away, success).zip(succeeded).expect("both");
    assert!((known.0 - known.1).abs() <= 1.0, "{known:?}");
    world
        .execute("ALTER SCHEMA away RENAME TO crm_health_sync")
        .await;
    assert_eq!(sample(&metrics(&service).await, up), Some(1.0));
}
