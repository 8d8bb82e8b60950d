//! Runs that a database cuts short.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
