//! What is written and answered is the same, to the row, on a cluster and on one server.

use crm_health_tests::Database;
use crm_health_tests::database::error_of;
use crm_health_tests::scores::SAMPLE;
use postgres::Client;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    AS_OF, NEXT_DAY, WRITTEN, assert_same_rows, cluster_with_sample, refresh_everyone, run,
    users_of_workers, value,
};

const MONTHS_LATER: &str = "2024-08-20 12:00+00";

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
