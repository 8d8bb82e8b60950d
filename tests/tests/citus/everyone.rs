//! The refresh of everyone: all workers side by side, and what fails is kept to itself.

use std::time::{Duration, Instant};

use postgres::Client;

use crate::{AS_OF, NEXT_DAY, cluster_with_sample, refresh_everyone, run, users_of_workers, value};

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

/// Whether a session on this server waits for a lock.
fn waits_for_a_lock(client: &mut Client) -> bool {
    value(
        client,
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_type = 'client backend')",
    )
}

#[test]
fn all_workers_work_at_the_same_time() {
    let Some(cluster) = cluster_with_sample() else {
        return;
    };
    let mut client = cluster.client();
    refresh_everyone(&mut client, 0, AS_OF);
    // A user of each worker is held, so that the refresh has to wait on each: on both at once, if it is at both.
    let mut holder = cluster.client();
    run(&mut holder, "BEGIN");
    for users in users_of_workers(&cluster) {
        let held = format!(
            "SELECT FROM deal_health_scores WHERE user_id = '{}' FOR UPDATE",
            users[0]
        );
        run(&mut holder, &held);
    }
    let mut workers = cluster.worker_clients();
    std::thread::scope(|scope| {
        let refresh = scope.spawn(|| refresh_everyone(&mut cluster.client(), 0, NEXT_DAY));
        let patience = Instant::now() + Duration::from_secs(60);
        while !workers.iter_mut().all(waits_for_a_lock) {
            assert!(
                Instant::now() < patience,
                "one worker has not begun while the other waits"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        run(&mut holder, "COMMIT");
        let result = refresh.join().expect("the refresh");
        assert_eq!(
            (&result["usersProcessed"], &result["errors"]),
            (&3.into(), &serde_json::json!([]))
        );
    });
}
