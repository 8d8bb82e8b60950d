//! `sql/citus.sql` and `sql/uncitus.sql`.

use crm_health_tests::scores::SAMPLE;
use crm_health_tests::{CitusCluster, Database};
use serde_json::Value;

use crate::{AS_OF, NEXT_DAY, WRITTEN, assert_same_rows, refresh_everyone, run, value};

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
