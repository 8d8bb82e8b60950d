//! A CRM on a Citus cluster, a coordinator and two workers, beside the same CRM on one server.
//!
//! Where Citus is not installed each test says that it was skipped, and how to install it.

use crm_health_tests::CitusCluster;
use crm_health_tests::scores::SAMPLE;
use postgres::Client;
use serde_json::Value;
use uuid::Uuid;

mod calls;
mod everyone;
mod rows;
mod setup;

const AS_OF: &str = "2024-06-15 12:00+00";
const NEXT_DAY: &str = "2024-06-16 12:30+00";

/// What a refresh writes, in a fixed order, without the ids that each database makes for itself.
const WRITTEN: &str = "SELECT jsonb_build_object(
    'deals', (SELECT jsonb_agg(to_jsonb(t) - '{id,created_at,updated_at}'::text[] ORDER BY t.deal_id) FROM deal_health_scores t),
    'relationships', (SELECT jsonb_agg(to_jsonb(t) - '{id,created_at,updated_at}'::text[] ORDER BY t.user_id, t.contact_id, t.company_id)
                      FROM relationship_health_scores t),
    'deal_history', (SELECT jsonb_agg(to_jsonb(t) - '{id,user_id}'::text[] ORDER BY t.snapshot_at, t.deal_id) FROM deal_health_history t),
    'relationship_history', (SELECT jsonb_agg(to_jsonb(t) - '{id,relationship_health_id}'::text[] || jsonb_build_object('of', coalesce(s.contact_id, s.company_id))
                                              ORDER BY t.snapshot_at, t.user_id, s.contact_id, s.company_id)
                             FROM relationship_health_history t
                             JOIN relationship_health_scores s ON s.user_id = t.user_id AND s.id = t.relationship_health_id),
    'alerts', (SELECT jsonb_agg(to_jsonb(t) - '{id,health_score_id,updated_at,acknowledged_at,dismissed_at}'::text[] ORDER BY t.created_at, t.deal_id, t.alert_type)
               FROM deal_health_alerts t),
    'signals', (SELECT jsonb_agg(to_jsonb(t) - '{id,relationship_health_id}'::text[] || jsonb_build_object('of', s.contact_id)
                                 ORDER BY t.detected_at, t.user_id, s.contact_id, t.signal_type)
                FROM ghost_detection_signals t
                JOIN relationship_health_scores s ON s.user_id = t.user_id AND s.id = t.relationship_health_id),
    'told', (SELECT jsonb_agg(to_jsonb(t) - '{id,created_at,data}'::text[] || jsonb_build_object('data', t.data - 'alert_id') ORDER BY t.kind, t.subject_id, t.title) FROM crm_health.notifications t))";

/// A cluster with the sample CRM, distributed.
fn cluster_with_sample() -> Option<CitusCluster> {
    let cluster = CitusCluster::start()?;
    run(&mut cluster.client(), SAMPLE);
    cluster.spread();
    Some(cluster)
}

fn run(client: &mut Client, sql: &str) {
    client
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{error:?}\nin: {sql}"));
}

fn value<T: for<'a> postgres::types::FromSql<'a>>(client: &mut Client, sql: &str) -> T {
    client
        .query_one(sql, &[])
        .unwrap_or_else(|error| panic!("{error:?}\nin: {sql}"))
        .get(0)
}

/// Compares what [`WRITTEN`] tells, and names the first row that differs.
fn assert_same_rows(one: &Value, other: &Value) {
    let tables = one.as_object().expect("tables");
    for (table, rows) in tables {
        let none = Vec::new();
        let rows = rows.as_array().unwrap_or(&none);
        let others = other[table].as_array().unwrap_or(&none);
        assert_eq!(rows.len(), others.len(), "rows of {table}");
        for (row, other) in rows.iter().zip(others) {
            assert_eq!(row, other, "a row of {table}");
        }
    }
}

/// `refresh_active_users`, as of an instant; its result without the time.
fn refresh_everyone(client: &mut Client, max_age_hours: i32, as_of: &str) -> Value {
    let call =
        format!("CALL crm_health.refresh_active_users('test', {max_age_hours}, '{as_of}', NULL)");
    let mut result: Value = value(client, &call);
    result
        .as_object_mut()
        .expect("an object")
        .remove("timestamp");
    result
}

/// The users of the sample, those on the first worker before those on the second.
fn users_of_workers(cluster: &CitusCluster) -> [Vec<Uuid>; 2] {
    let mut client = cluster.client();
    let rows = client
        .query(
            "SELECT p.id, dense_rank() OVER (ORDER BY s.nodeport) FROM profiles p
             JOIN citus_shards s ON s.table_name = 'deals'::regclass
              AND s.shardid = get_shard_id_for_distribution_column('deals', p.id) ORDER BY 1",
            &[],
        )
        .expect("where the users are");
    let mut users = [Vec::new(), Vec::new()];
    let ports: Vec<i32> = client
        .query(
            "SELECT nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY nodeport",
            &[],
        )
        .expect("the workers")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(ports.len(), 2);
    for row in rows {
        let worker = row.get::<_, i64>(1) as usize - 1;
        users[worker].push(row.get(0));
    }
    assert!(
        users.iter().all(|users| !users.is_empty()),
        "users on both workers: {users:?}"
    );
    users
}
