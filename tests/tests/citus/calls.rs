//! The functions that an app calls: who may, and many at once.

use crm_health_tests::database::error_of;
use uuid::Uuid;

use crate::{AS_OF, cluster_with_sample, refresh_everyone, run, users_of_workers, value};

#[test]
fn who_may_call_is_asked_where_the_claims_are() {
    let Some(cluster) = cluster_with_sample() else {
        return;
    };
    let mut client = cluster.client();
    let [first, second] = users_of_workers(&cluster);
    let (me, other) = (first[0], second[0]);
    run(
        &mut client,
        &format!(
            "BEGIN; SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = '{{\"sub\":\"{me}\"}}'"
        ),
    );
    let mine: i64 = value(
        &mut client,
        &format!("SELECT count(*) FROM refresh_deal_health_scores('{me}')"),
    );
    assert_eq!(mine, 10);
    let refused = error_of(
        &mut client,
        &format!("SELECT * FROM refresh_deal_health_scores('{other}')"),
    );
    assert_eq!(refused.0, "42501");
    run(&mut client, "ROLLBACK");
    // After an error in planning Citus keeps the calls of a session to itself: they must not be taken for a stranger's.
    let unplannable = "WITH x AS (
        SELECT s.deal_id FROM deal_health_scores s CROSS JOIN LATERAL (
            SELECT h.overall_health_score FROM deal_health_history h WHERE h.deal_id = s.deal_id
            ORDER BY h.snapshot_at DESC LIMIT 1) b LIMIT 5)
        SELECT * FROM x LEFT JOIN deals d ON d.id = x.deal_id";
    error_of(&mut client, unplannable);
    let call = format!("SELECT * FROM refresh_deal_health_scores('{me}')");
    let kept = error_of(&mut client, &call);
    assert_eq!(kept.0, "55000", "{kept:?}");
    let mut client = cluster.client();
    run(&mut client, &format!("BEGIN; {call}; ROLLBACK"));
    // On a worker there is nobody to ask, and its settings are not those of the cluster.
    for mut worker in cluster.worker_clients() {
        for user in [me, other] {
            let refused = worker.query("SELECT crm_health.on_worker($1, 'refresh_deals', '{}', '{\"crm_schema\":\"public\"}')", &[&user]);
            assert!(refused.is_err());
        }
    }
    let written: i64 = value(&mut client, "SELECT count(*) FROM deal_health_scores");
    assert_eq!(
        written, 0,
        "the transaction was rolled back on the workers, too"
    );

    // Nothing of that is different for users whom the coordinator holds itself.
    for step in [
        "ALTER ROLE crm_health_owner LOGIN",
        "GRANT CREATE ON SCHEMA public TO crm_health_owner",
        "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node WHERE groupid = 0",
        "SELECT citus_move_shard_placement(s.shardid, s.nodename, s.nodeport, '127.0.0.1', n.nodeport, 'block_writes')
         FROM citus_shards s, pg_dist_node n
         WHERE n.groupid = 0 AND s.shardid IN (
            SELECT get_shard_id_for_distribution_column('deals', p.id) FROM profiles p ORDER BY p.id LIMIT 1)",
    ] {
        run(&mut client, step);
    }
    let home: Uuid = value(&mut client, "SELECT id FROM profiles ORDER BY id LIMIT 1");
    let here: i64 = value(
        &mut client,
        &format!(
            "SELECT count(*) FROM pg_dist_placement WHERE groupid = 0
             AND shardid = get_shard_id_for_distribution_column('deals', '{home}'::uuid)"
        ),
    );
    assert_eq!(here, 1);
    run(
        &mut client,
        &format!(
            "BEGIN; SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = '{{\"sub\":\"{home}\"}}'"
        ),
    );
    let mine: i64 = value(
        &mut client,
        &format!("SELECT count(*) FROM refresh_deal_health_scores('{home}')"),
    );
    assert_eq!(mine, 10);
    run(&mut client, "ROLLBACK");
}

#[test]
fn calls_at_once_write_each_score_once() {
    let Some(cluster) = cluster_with_sample() else {
        return;
    };
    let [first, second] = users_of_workers(&cluster);
    std::thread::scope(|scope| {
        for user in first.iter().chain(&second).cycle().take(9) {
            let cluster = &cluster;
            scope.spawn(move || {
                let mut client = cluster.client();
                for function in [
                    "refresh_deal_health_scores",
                    "refresh_relationship_health_scores",
                ] {
                    let rows: i64 = value(
                        &mut client,
                        &format!("SELECT count(*) FROM {function}('{user}', 0)"),
                    );
                    assert!(rows >= 10);
                }
            });
        }
        scope.spawn(|| refresh_everyone(&mut cluster.client(), 0, AS_OF));
    });
    let mut client = cluster.client();
    let twice: i64 = value(
        &mut client,
        "SELECT count(*) - count(DISTINCT (user_id, contact_id, company_id)) FROM relationship_health_scores",
    );
    let scores: i64 = value(
        &mut client,
        "SELECT count(*) FROM relationship_health_scores",
    );
    assert_eq!((scores, twice), (72, 0));
}
