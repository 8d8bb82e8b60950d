//! What docs/citus.md tells a person to run, runs, on a coordinator and three workers; without Citus it is skipped.

use crate::markdown::Document;
use crm_health_tests::CitusCluster;
use crm_health_tests::scores::SAMPLE;
use postgres::Client;

const HOSTS: [&str; 4] = ["coordinator", "worker1", "worker2", "worker3"];

fn run(client: &mut Client, statement: &str) {
    client
        .batch_execute(statement)
        .unwrap_or_else(|error| panic!("{error:?}\nin: {statement}"));
}

fn count(client: &mut Client, of: &str) -> i64 {
    let row = client.query_one(&format!("SELECT count(*) FROM {of}"), &[]);
    row.expect(of).get(0)
}

/// The document's hosts are servers of this machine.
fn fill(text: &str, ports: &[u16]) -> String {
    HOSTS
        .iter()
        .zip(ports)
        .fold(text.to_owned(), |text, (host, port)| {
            text.replace(&format!("'{host}.internal'"), "'127.0.0.1'")
                .replace("'127.0.0.1', 5432", &format!("'127.0.0.1', {port}"))
        })
}

#[test]
fn what_the_document_on_citus_tells_to_run_runs() {
    let Some(cluster) = CitusCluster::servers(3) else {
        return;
    };
    let ports = cluster.ports();
    let mut coordinator = cluster.client();
    let on_worker3 = format!("citus_shards WHERE nodeport = {}", ports[3]);
    let mut done = 0;
    for block in Document::read("docs/citus.md").blocks() {
        let text = fill(&block.text, &ports);
        assert!(
            !text.contains(".internal"),
            "a host that is none of these: {text}"
        );
        match block.language.as_str() {
            "sql" if text.contains("CREATE EXTENSION citus;") => {
                for mut client in cluster.clients() {
                    run(&mut client, &text);
                }
            }
            // One by one, as psql does: Citus would not have some of them in one transaction.
            "sql" => text
                .split_inclusive(";\n")
                .for_each(|one| run(&mut coordinator, one)),
            "sh" => {
                for line in text.lines() {
                    let script = line.strip_prefix("psql -d mydb -f ").expect(line);
                    if script == "sql/citus.sql" {
                        run(&mut coordinator, SAMPLE);
                    }
                    cluster.script(script);
                }
            }
            _ => continue,
        }
        if text.contains("rebalance_table_shards") {
            assert!(
                count(&mut coordinator, &on_worker3) > 0,
                "worker3 got a part"
            );
            let call =
                "CALL crm_health.refresh_active_users('spread', 0, '2024-06-15 12:00+00', NULL)";
            run(&mut coordinator, call);
            assert_eq!(count(&mut coordinator, "crm_health.run_failures"), 0);
        }
        done += 1;
    }
    assert_eq!(done, 5, "blocks of the document that were run");
    assert_eq!(
        count(&mut coordinator, "pg_dist_partition"),
        0,
        "one server again"
    );
    assert!(
        count(&mut coordinator, "deal_health_scores") > 0,
        "with its rows"
    );
}
