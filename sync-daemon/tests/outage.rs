//! The database goes away in the middle of a run. A test binary of its own: the restart breaks all connections.

mod support;

use support::{Cluster, World};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_database_in_the_middle_of_a_run_is_waited_out() {
    let world = World::with("[sync]\nbatch_size = 5").await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 60);
    world.gmail.set_latency(local_gmail::Latency {
        round_trip_ms: 60,
        ..Default::default()
    });
    let engine = world.engine();
    let restart = async {
        while sqlx::query_scalar::<_, i64>("SELECT count(*) FROM communication_events")
            .fetch_one(&world.pool)
            .await
            .unwrap_or(0)
            == 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        tokio::task::spawn_blocking(|| Cluster::shared().restart())
            .await
            .expect("restart");
    };
    let (report, ()) = tokio::join!(world.sync_by(&engine), restart);
    assert!(
        report.errors.iter().all(|e| e.code == "extension_missing"),
        "{report:?}"
    );
    world.assert_synced(&ids).await;
}
