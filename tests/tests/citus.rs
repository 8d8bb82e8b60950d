//! A CRM on a Citus cluster, a coordinator and two workers, beside the same CRM on one server.
//!
//! Where Citus is not installed each test says that it was skipped, and how to install it.

use crm_health_tests::database::error_of;
use crm_health_tests::scores::SAMPLE;
use crm_health_tests::{CitusCluster, Database};
use postgres::Client;
use serde_json::Value;
use uuid::Uuid;

const AS_OF: &str = "2024-06-15 12:00+00";
const NEXT_DAY: &str = "2024-06-16 12:30+00";

const MONTHS_LATER: &str = "2024-08-20 12:00+00";

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

#[test]
fn a_cluster_and_one_server_write_the_same_rows() {
    let Some(cluster) = cluster_with_sample() else {
        return;
    };
    let mut single: Database = cluster.single();
    single.run(SAMPLE);
    let mut spread = cluster.client();
    users_of_workers(&cluster);

    for (age, as_of) in [(0, AS_OF), (24, AS_OF), (24, NEXT_DAY), (1, MONTHS_LATER)] {
        let results =
            [single.client(), &mut spread].map(|client| refresh_everyone(client, age, as_of));
        assert_eq!(results[0], results[1], "as of {as_of}");
        let written = [single.client(), &mut spread].map(|client| value::<Value>(client, WRITTEN));
        assert_same_rows(&written[0], &written[1]);
        let something = ["alerts", "signals"].map(|name| written[0][name].is_array());
        assert_eq!(something, [true, true], "as of {as_of}");
    }
    let told: i64 = value(&mut spread, "SELECT count(*) FROM crm_health.notifications");
    assert!(told > 0);
    // Nothing of it is on the coordinator, and its own tables stayed there.
    let here: i64 = value(
        &mut spread,
        "SELECT count(*) FROM ONLY pg_dist_placement p JOIN pg_dist_shard s USING (shardid)
        JOIN pg_dist_partition t USING (logicalrelid) WHERE t.partmethod = 'h' AND p.groupid = 0",
    );
    assert_eq!(here, 0);
}

#[test]
fn one_users_failure_and_a_lost_server_are_kept_to_themselves() {
    let Some(cluster) = cluster_with_sample() else {
        return;
    };
    let [first, second] = users_of_workers(&cluster);
    let mut client = cluster.client();
    let bad = first[0];
    run(
        &mut client,
        &format!(
            "ALTER TABLE deal_health_scores ADD CONSTRAINT not_her CHECK (user_id <> '{bad}') NOT VALID"
        ),
    );
    let result = refresh_everyone(&mut client, 0, AS_OF);
    let errors = result["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{result}");
    assert_eq!(
        (&errors[0]["userId"], &errors[0]["sqlState"]),
        (&bad.to_string().into(), &"23514".into())
    );
    assert_eq!(result["usersProcessed"], 2, "{result}");
    let scored: i64 = value(
        &mut client,
        "SELECT count(DISTINCT user_id) FROM deal_health_scores",
    );
    assert_eq!(scored, 2);
    let logged: (String, i32) = {
        let row = client
            .query_one("SELECT state, users_done FROM crm_health.last_run", &[])
            .expect("the run");
        (row.get(0), row.get(1))
    };
    assert_eq!(logged, ("failed".to_owned(), 3));

    run(
        &mut client,
        "ALTER TABLE deal_health_scores DROP CONSTRAINT not_her",
    );
    cluster.stop_worker(1);
    let result = refresh_everyone(&mut client, 0, NEXT_DAY);
    let errors = result["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), second.len(), "{result}");
    for error in errors {
        assert_eq!(error["sqlState"], "08006", "{result}");
        assert!(
            second
                .iter()
                .any(|user| error["userId"] == user.to_string()),
            "{result}"
        );
    }
    assert_eq!(result["usersProcessed"], first.len(), "{result}");
}

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

#[test]
fn setting_up_repeats_refuses_and_goes_back() {
    let Some(cluster) = CitusCluster::start() else {
        return;
    };
    let mut client = cluster.client();
    run(&mut client, SAMPLE);
    refresh_everyone(&mut client, 0, AS_OF);
    let before: Value = value(&mut client, WRITTEN);
    let catalog = "SELECT jsonb_agg(x ORDER BY x) FROM (
        SELECT concat(conrelid::regclass, conname, replace(pg_get_constraintdef(oid), ' NOT VALID', '')) AS x FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat(polrelid::regclass, polname, polcmd, pg_get_expr(polqual, polrelid)) FROM pg_policy) c";
    let objects: Value = value(&mut client, catalog);

    run(
        &mut client,
        "CREATE TABLE tasks (id integer, deal_id uuid REFERENCES deals)",
    );
    let refused = cluster.try_script("sql/citus.sql");
    assert!(
        refused.contains("foreign key tasks_deal_id_fkey of public.tasks to public.deals"),
        "{refused}"
    );
    run(&mut client, "DROP TABLE tasks");
    cluster.spread();
    let mut spread: Value = value(&mut client, WRITTEN);
    assert_same_rows(&before, &spread);
    let noted = "SELECT count(*) FROM crm_health_citus.replaced";
    let replaced: i64 = value(&mut client, noted);
    cluster.spread();
    assert_eq!(
        value::<i64>(&mut client, noted),
        replaced,
        "a second run replaces nothing"
    );

    cluster.script("sql/uncitus.sql");
    cluster.script("sql/uncitus.sql");
    spread = value(&mut client, WRITTEN);
    assert_same_rows(&before, &spread);
    assert_eq!(value::<Value>(&mut client, catalog), objects);
    let result = refresh_everyone(&mut client, 0, NEXT_DAY);
    assert_eq!(
        (&result["usersProcessed"], &result["errors"]),
        (&3.into(), &serde_json::json!([]))
    );
}

#[test]
fn without_citus_in_the_database_the_script_says_how_to_get_it() {
    // On the server that all tests share: it needs no cluster.
    let mut db = Database::new();
    let said = crm_health_tests::citus::try_script(&db.url(), "sql/citus.sql");
    assert!(
        said.contains("extension citus is not in this database")
            && said.contains("shared_preload_libraries"),
        "{said}"
    );
    let nothing: bool = db.value("SELECT to_regnamespace('crm_health_citus') IS NULL", &[]);
    assert!(nothing);
}

/// The answers of the functions that are about one deal, contact, user or about all, as JSON.
fn answers(client: &mut Client) -> Vec<(String, Value)> {
    let json = |call: &str| format!("SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM {call} r");
    let mut calls = vec![
        json(&format!(
            "crm_health.needs_attention(NULL, 50, '{NEXT_DAY}')"
        )),
        json(
            "(SELECT * FROM crm_health.metrics WHERE name ~ 'scores|alerts' ORDER BY name, labels)",
        ),
        json("(SELECT * FROM crm_health.check_install() c WHERE c.severity = 'error')"),
    ];
    let ids = |client: &mut Client, sql: &str| -> Vec<Uuid> {
        let rows = client.query(sql, &[]).expect("ids");
        rows.iter().map(|row| row.get(0)).collect()
    };
    for user in ids(client, "SELECT id FROM profiles ORDER BY id") {
        calls.push(json(&format!(
            "crm_health.needs_attention(ARRAY['{user}'::uuid], 5, '{NEXT_DAY}')"
        )));
        calls.push(json(&format!(
            "crm_health.replay('{user}', '2024-05-01', '2024-06-14', '11 days')"
        )));
    }
    for deal in ids(client, "SELECT id FROM deals ORDER BY id") {
        calls.push(json(&format!(
            "crm_health.explain_deal('{deal}', '{NEXT_DAY}')"
        )));
    }
    for contact in ids(client, "SELECT id FROM contacts ORDER BY id") {
        calls.push(json(&format!(
            "crm_health.explain_contact('{contact}', '{NEXT_DAY}')"
        )));
        calls.push(format!(
            "SELECT to_jsonb(crm_health.ghost_probability('{contact}', 14, '{NEXT_DAY}'))"
        ));
    }
    let ask = |call: String| {
        let answer: Option<Value> = value(client, &call);
        (call, answer.unwrap_or_default())
    };
    calls.into_iter().map(ask).collect()
}

#[test]
fn what_is_asked_of_one_row_is_answered_by_its_server() {
    let Some(cluster) = cluster_with_sample() else {
        return;
    };
    let mut single: Database = cluster.single();
    single.run(SAMPLE);
    let mut spread = cluster.client();
    for client in [single.client(), &mut spread] {
        refresh_everyone(client, 0, AS_OF);
        refresh_everyone(client, 24, NEXT_DAY);
    }
    let [one, many] = [single.client(), &mut spread].map(answers);
    assert!(one.len() > 150);
    for (one, many) in one.iter().zip(&many) {
        assert_eq!(one, many);
    }

    // What changes rows: the same counts, the same rows left.
    let alert = "SELECT id FROM deal_health_alerts WHERE status = 'active' ORDER BY deal_id, alert_type LIMIT 1";
    let contact: Uuid = value(
        &mut spread,
        "SELECT contact_id FROM ghost_detection_signals g JOIN relationship_health_scores s
        ON s.user_id = g.user_id AND s.id = g.relationship_health_id ORDER BY contact_id LIMIT 1",
    );
    let colleague = format!(
        "INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
         SELECT p.id, '{contact}', 'email_sent', 'outbound', '2024-06-01' FROM profiles p"
    );
    let user: Uuid = value(&mut spread, "SELECT id FROM profiles ORDER BY id LIMIT 1");
    let steps = [
        format!("SELECT to_jsonb(crm_health.acknowledge_alert(({alert})))"),
        format!("SELECT to_jsonb(crm_health.dismiss_alert(({alert})))"),
        format!(
            "SELECT to_jsonb(r) FROM crm_health.fill_history('{user}', '2024-05-01', '2024-06-14', '6 hours') r"
        ),
        "SELECT crm_health.purge('2024-07-20')".to_owned(),
        format!(
            "SELECT jsonb_object_agg(e.key, jsonb_array_length(e.value)) FROM jsonb_each(crm_health.export_contact('{contact}')) e"
        ),
        // Streams are not kept on a cluster.
        format!("SELECT crm_health.forget_contact('{contact}') #- '{{deleted,contact_streams}}'"),
    ];
    let name: String = value(
        &mut spread,
        &format!("SELECT full_name FROM contacts WHERE id = '{contact}'"),
    );
    let owner: Uuid = value(
        &mut spread,
        &format!("SELECT owner_id FROM contacts WHERE id = '{contact}'"),
    );
    let mention = format!(
        "UPDATE activities SET subject = 'Call {name}' WHERE user_id = '{owner}';
         SELECT crm_health.post_notification('alert_raised', '{owner}', 'contact', '{contact}', 'info', '{name}')"
    );
    for client in [single.client(), &mut spread] {
        run(client, &colleague);
        run(client, &mention);
    }
    for step in steps {
        let [one, many] =
            [single.client(), &mut spread].map(|client| value::<Value>(client, &step));
        assert_eq!(one, many, "{step}");
    }
    let scrubbed: i64 = value(
        &mut spread,
        &format!(
            "SELECT count(*) FROM activities WHERE user_id = '{owner}' AND subject = 'Call [erased]'"
        ),
    );
    assert!(scrubbed > 0);
    let left = format!("SELECT count(*) FROM communication_events WHERE contact_id = '{contact}'");
    assert_eq!(value::<i64>(&mut spread, &left), 0);
    let [one, many] = [single.client(), &mut spread].map(|client| value::<Value>(client, WRITTEN));
    assert_same_rows(&one, &many);
    let refused = error_of(&mut spread, "SELECT * FROM crm_health.fit_ghost_model()");
    assert_eq!(refused.0, "0A000");
}
