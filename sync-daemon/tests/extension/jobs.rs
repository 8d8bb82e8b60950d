//! The refresh of everyone and the outbox, by the unprivileged daemon.

use super::*;

/// The job of one daemon, by itself; `stop` ends it.
pub(super) fn job(
    world: &World,
    stop: &CancellationToken,
) -> tokio::task::JoinHandle<HealthReport> {
    let (engine, stop) = (world.engine(), stop.clone());
    tokio::spawn(async move { refresh_health(&engine, "test", &stop).await })
}

async fn wait_for(world: &World, sql: &str) {
    for _ in 0..1500 {
        if world.number(sql).await > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never true: {sql}");
}

/// A transaction that keeps every refresh waiting.
async fn deals_locked(world: &World) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut held = world.pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE deals")
        .execute(&mut *held)
        .await
        .expect("the lock");
    held
}

const RUNNING: &str = "SELECT count(*) FROM crm_health.runs WHERE state = 'running'";

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_leaves_a_row_in_the_log_and_who_comes_while_it_is_on_gets_its_report() {
    let home = Home::new();
    let world = world(&home).await;
    let user = add_rep(&world, REP).await;
    let stop = CancellationToken::new();
    let held = deals_locked(&world).await;
    let first = job(&world, &stop);
    wait_for(&world, RUNNING).await;
    let second = job(&world, &stop);
    // Let the second one find that it is taken.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    held.rollback().await.expect("released");
    let (first, second) = (first.await.expect("join"), second.await.expect("join"));
    for report in [&first, &second] {
        assert!(report.success, "{report:?}");
        assert_eq!(
            (
                report.users_processed,
                report.deals_refreshed,
                report.relationships_refreshed
            ),
            (1, 1, 1)
        );
    }
    let log = "SELECT string_agg(concat_ws(' ', state, triggered_by, users_done), ',') FROM crm_health.runs";
    assert_eq!(world.text(log).await.as_deref(), Some("succeeded test 1"));
    assert_eq!(scored(&world).await, both(user));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stops_cancels_its_refresh_which_tells_so() {
    let home = Home::new();
    let world = world(&home).await;
    add_rep(&world, REP).await;
    let stop = CancellationToken::new();
    let held = deals_locked(&world).await;
    let job = job(&world, &stop);
    wait_for(&world, RUNNING).await;
    stop.cancel();
    let report = job.await.expect("join");
    held.rollback().await.expect("released");
    assert_eq!(report.errors[0].code, "interrupted", "{report:?}");
    let told = "SELECT count(*) FROM crm_health.runs r JOIN crm_health.notifications n ON n.subject_id = r.id::text
                WHERE r.state = 'interrupted' AND n.kind = 'run_failed'";
    assert_eq!(world.number(told).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_users_failure_is_in_the_report_and_the_others_have_their_scores() {
    let home = Home::new();
    let world = world(&home).await;
    let (bad, good) = (add_rep(&world, REP).await, add_rep(&world, QUIET).await);
    world
        .execute(&format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no scores for this one''; END';
             CREATE TRIGGER refuse BEFORE INSERT ON relationship_health_scores FOR EACH ROW
                 WHEN (NEW.user_id = '{bad}') EXECUTE FUNCTION refuse()"
        ))
        .await;
    let report = job(&world, &CancellationToken::new()).await.expect("join");
    assert_eq!(report.users_processed, 1, "{report:?}");
    let [error] = &report.errors[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        (error.user_id, error.code.as_str()),
        (Some(bad), "database")
    );
    assert!(
        error
            .reason
            .contains("no scores for this one (SQLSTATE P0001)"),
        "{error:?}"
    );
    assert_eq!(scored(&world).await, both(good));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unprivileged_daemon_posts_reads_and_delivers_notifications_and_the_digest() {
    let home = Home::new();
    let at = (chrono::Utc::now() - chrono::TimeDelta::minutes(1)).format("%H:%M");
    let settings =
        format!("[notify]\ngroup_seconds = 0\ndefault_channels = ['slack']\ndigest_at = '{at}'");
    let mut world = world_with(&home, &settings).await;
    let receiver = Receiver::start().await;
    world.set_variable("CRM_HEALTH_CHANNEL_SLACK_URL", &receiver.url("slack"));
    let user = add_rep(&world, REP).await;
    let notifier = world.notifier();
    round(&notifier).await;
    assert!(
        job(&world, &CancellationToken::new())
            .await
            .expect("join")
            .success
    );
    world.gmail.revoke(REP).expect("revoked");
    let report = world.sync().await;
    assert_eq!(support::codes(&report), ["reconnect_required"]);
    world
        .execute(
            "UPDATE deal_health_scores SET health_status = 'stalled', overall_health_score = 5;
                  UPDATE crm_health_sync.channels SET last_digest_at = now() - interval '26 h'",
        )
        .await;
    round(&notifier).await;
    let texts: Vec<String> = receiver.taken().iter().flat_map(|p| p.texts()).collect();
    let told = format!("🟠 The mailbox {REP} must be connected again");
    assert!(
        texts
            .iter()
            .any(|t| t.starts_with(&told) && t.contains(&user.to_string())),
        "{texts:?}"
    );
    assert!(
        texts
            .iter()
            .any(|t| t.starts_with("🔴 Deal\ndeal: stalled")),
        "{texts:?}"
    );
    let state = "SELECT reason FROM crm_health_sync.channels WHERE name = 'slack'";
    assert_eq!(world.text(state).await, None);
}
