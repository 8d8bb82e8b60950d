//! Runs that a database or an OAuth client cuts short are made up for, and do not wait for the next day.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local_gmail::{Endpoint, Fault, FaultRule};
use support::service::Service;
use support::{World, codes};
use tokio::net::{TcpListener, TcpStream};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

async fn world_with(settings: &str) -> (World, Vec<String>) {
    crm_health_sync::gmail::install_tls_provider();
    let world = World::with(settings).await;
    world.stand_in_for_extension().await;
    let mut ids = Vec::new();
    for rep in [REP, "other@acme.example"] {
        let user = world.add_user(rep).await;
        world.add_contact(user, ADA).await;
        ids.extend(world.receive(rep, ADA, 2));
    }
    (world, ids)
}

/// A proxy in front of PostgreSQL: while it is `down`, it takes connections and closes them.
async fn proxy(url: &str, down: Arc<AtomicBool>) -> String {
    let (start, rest) = url.split_once('@').expect("a user");
    let (server, name) = rest.split_once('/').expect("a database");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its number").port();
    let server = server.to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            if down.load(Ordering::SeqCst) {
                continue;
            }
            let mut backend = TcpStream::connect(&server).await.expect("PostgreSQL");
            tokio::spawn(async move {
                // Either end may hang up.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut backend).await;
            });
        }
    });
    format!("{start}@127.0.0.1:{port}/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_hangs_up_while_the_database_is_down_is_waited_out() {
    let (mut world, ids) = world_with("").await;
    let down = Arc::new(AtomicBool::new(true));
    world.url = proxy(&world.url, Arc::clone(&down)).await;
    let engine = world.engine();
    let mend = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        down.store(false, Ordering::SeqCst);
    };
    let (report, ()) = tokio::join!(world.sync_by(&engine), mend);
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_the_server_ended_for_idleness_are_made_anew() {
    let (world, _) = world_with("").await;
    let limit = format!(
        "ALTER DATABASE {} SET idle_session_timeout = '200ms'",
        world.database
    );
    world.execute(&limit).await;
    let engine = world.engine();
    for _ in 0..3 {
        let report = world.sync_by(&engine).await;
        assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_shares_sessions_is_named_with_its_mend() {
    let (world, _) = world_with("").await;
    for statement in [
        "PREPARE one AS SELECT 1; PREPARE one AS SELECT 1",
        "EXECUTE never",
    ] {
        let refused = sqlx::raw_sql(statement).execute(&world.pool).await;
        let said = crm_health_sync::store::describe(&refused.expect_err("an error"));
        for part in ["prepared statement", "SQLSTATE", "session pooling"] {
            assert!(said.contains(part), "{part} is missing in: {said}");
        }
    }
}

/// Waits for the mail of everybody; a service that does nothing more fails the test.
async fn synced(world: &World, service: &Service, ids: &[String]) {
    for _ in 0..600 {
        if world.events().await.len() >= ids.len() {
            return world.assert_synced(ids).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the mail is still missing: {}", service.log());
}

fn refused_client() -> FaultRule {
    let error = "invalid_client".to_owned();
    FaultRule::always(Endpoint::Token, Fault::Oauth { error })
}

/// The run at the start makes up for a schedule of long ago; nothing else is due in the test's lifetime.
const SCHEDULE: &str = "[sync]\nschedule = '0 0 29 2 1'\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_refused_client_cut_short_is_repeated_at_a_reload() {
    let (world, ids) = world_with(SCHEDULE).await;
    world.gmail.inject(refused_client());
    let service = Service::start(&world).await;
    service.said("run finished").await;
    let untouched = "SELECT count(*) FROM google_integrations WHERE is_active";
    assert_eq!(world.number(untouched).await, 2);
    world.gmail.clear_faults();
    service.signal("HUP");
    synced(&world, &service, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_short_is_repeated_after_a_time() {
    let (world, ids) = world_with(&format!("{SCHEDULE}repeat_after_seconds = 2")).await;
    world.gmail.inject(refused_client().times(2));
    let service = Service::start(&world).await;
    synced(&world, &service, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_its_tables_is_repeated_after_a_time() {
    let (world, ids) = world_with(&format!("{SCHEDULE}repeat_after_seconds = 1")).await;
    let hide = "ALTER TABLE crm_health_sync.mailboxes RENAME TO hidden";
    world.execute(hide).await;
    let service = Service::start(&world).await;
    service.said("cut short").await;
    let show = "ALTER TABLE crm_health_sync.hidden RENAME TO mailboxes";
    world.execute(show).await;
    synced(&world, &service, &ids).await;
}
