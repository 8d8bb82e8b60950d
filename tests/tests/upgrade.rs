//! From each released version to this one: the catalog of a fresh installation, and nothing lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crm_health_tests::cluster::{install_crm, repository};
use crm_health_tests::database::error_of;
use crm_health_tests::kept::{CONFIGURE, configuration, configure_and_score, scores};
use crm_health_tests::session::Role;
use crm_health_tests::{Crm, Database};
use postgres::Client;

const CATALOG: &str = include_str!("../src/extension_catalog.sql");

/// The versions whose scripts are frozen, the oldest first.
fn released() -> Vec<String> {
    let mut versions: Vec<String> = fs::read_dir(repository().join("sql/extension"))
        .expect("sql/extension")
        .filter_map(|entry| {
            let name = entry.expect("a file").file_name().into_string().ok()?;
            let version = name.strip_prefix("crm_health--")?.strip_suffix(".sql")?;
            (!version.contains("--")).then(|| version.to_owned())
        })
        .collect();
    versions.sort();
    assert!(versions.contains(&"0.1.0".to_owned()), "{versions:?}");
    versions
}

/// A database with the CRM tables and the extension, in an old version.
fn old(version: &str) -> Database {
    let mut db = Database::empty();
    db.run(&format!("CREATE EXTENSION crm_health VERSION '{version}'"));
    install_crm(&db.url());
    db
}

const UPDATE: &str = "ALTER EXTENSION crm_health UPDATE";

/// What the extension is made of: (object, property) and its value.
fn catalog(client: &mut Client) -> BTreeMap<(String, String), String> {
    client
        .query(CATALOG, &[])
        .expect("the catalog")
        .iter()
        .map(|row| {
            let value: Option<String> = row.get(2);
            ((row.get(0), row.get(1)), value.unwrap_or_default())
        })
        .collect()
}

/// The rows that ship, without what tells when they came. Each names its table.
fn shipped_rows(client: &mut Client) -> BTreeSet<String> {
    let tables: Vec<String> = client
        .query(
            "SELECT DISTINCT a.attrelid::regclass::text FROM pg_attribute a
             JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.deptype = 'e'
             JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_health'
             WHERE a.attname = 'shipped'",
            &[],
        )
        .expect("the tables with rows that ship")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(tables.len() >= 5, "{tables:?}");
    tables
        .iter()
        .flat_map(|table| {
            let query = format!(
                "SELECT '{table} ' || (to_jsonb(t) - '{{fitted_at}}'::text[])::text FROM {table} t WHERE shipped"
            );
            client.query(&query, &[]).expect("rows that ship")
        })
        .map(|row| row.get(0))
        .collect()
}

/// The differences of two catalogs, a line each, by the name of what differs.
fn differences(
    fresh: &BTreeMap<(String, String), String>,
    upgraded: &BTreeMap<(String, String), String>,
) -> Vec<String> {
    let missing = |key: &(String, String)| (key.0.clone(), "membership".to_owned());
    let keys: BTreeSet<_> = fresh.keys().chain(upgraded.keys()).collect();
    keys.into_iter()
        .filter_map(|key| match (fresh.get(key), upgraded.get(key)) {
            (a, b) if a == b => None,
            (Some(_), None) if key.1 == "membership" => Some(format!("LACKS       {}", key.0)),
            (None, Some(_)) if key.1 == "membership" => Some(format!("STILL HAS   {}", key.0)),
            // Of an object that is missing as a whole it is enough to say so.
            (Some(_), None)
                if !upgraded.contains_key(&missing(key)) && fresh.contains_key(&missing(key)) =>
            {
                None
            }
            (None, Some(_))
                if !fresh.contains_key(&missing(key)) && upgraded.contains_key(&missing(key)) =>
            {
                None
            }
            (a, b) => Some(format!(
                "DIFFERS IN  {}: {}\n    fresh:    {}\n    upgraded: {}",
                key.0,
                key.1,
                a.map_or("(none)", |value| value),
                b.map_or("(none)", |value| value)
            )),
        })
        .collect()
}

#[test]
fn an_upgraded_catalog_is_that_of_a_fresh_installation() {
    // Default privileges reach whatever a script makes, and must leave no trace in either.
    let grantee = Role::new("NOLOGIN");
    let role = &grantee.name;
    let open = format!(
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {role};
         ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO {role};"
    );
    let close = open.replace("GRANT", "REVOKE").replace(" TO ", " FROM ");
    for version in released() {
        let mut fresh = Database::empty();
        fresh.run(&format!("{open} CREATE EXTENSION crm_health; {close}"));
        let mut upgraded = Database::empty();
        upgraded.run(&format!(
            "{open} CREATE EXTENSION crm_health VERSION '{version}'; {UPDATE}; {close}"
        ));
        let found = differences(&catalog(fresh.client()), &catalog(upgraded.client()));
        assert!(
            found.is_empty(),
            "after the upgrade from {version}, sql/upgrade/{version}--*.sql leaves the database so:\n{}",
            found.join("\n")
        );
        let (fresh, upgraded) = (
            shipped_rows(fresh.client()),
            shipped_rows(upgraded.client()),
        );
        let lacking: Vec<_> = fresh.difference(&upgraded).collect();
        let beyond: Vec<_> = upgraded.difference(&fresh).collect();
        assert!(
            lacking.is_empty() && beyond.is_empty(),
            "rows that ship, after the upgrade from {version}:\nlacking {lacking:#?}\nbeyond {beyond:#?}"
        );
    }
}

/// Rows of every table of the extension and of the CRM that a person or a run put there, by the
/// columns that there are now: what a later version adds is no matter.
fn rows(client: &mut Client, columns: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
    columns
        .iter()
        .flat_map(|(table, columns)| {
            let own = if columns.iter().any(|column| column == "changed_at") {
                "changed_at IS NOT NULL"
            } else {
                "true"
            };
            let list: Vec<_> = columns.iter().map(|column| format!("\"{column}\"")).collect();
            let query = format!(
                "SELECT '{table} ' || to_jsonb(t)::text FROM (SELECT {} FROM {table} WHERE {own}) t",
                list.join(", ")
            );
            client.query(&query, &[]).expect("rows")
        })
        .map(|row| row.get(0))
        .collect()
}

fn columns(client: &mut Client) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    let rows = client
        .query(
            "SELECT c.oid::regclass::text, a.attname::text FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text IN ('public', 'crm_health')
             ORDER BY 1, a.attnum",
            &[],
        )
        .expect("the columns");
    for row in rows {
        found.entry(row.get(0)).or_default().push(row.get(1));
    }
    found
}

/// What a deployment has after a while: configuration, scores, runs, models of its own in use.
fn fill(db: &mut Database) {
    configure_and_score(db);
    db.run(
        "INSERT INTO crm_health.ghost_models (name, constants, decision)
           SELECT 'ours', constants, 'fitted here' FROM crm_health.ghost_models WHERE name = 'default';
         SELECT crm_health.use_ghost_model('ours');
         INSERT INTO crm_health.deal_models (name, model, as_of, decision, deals_used, spells_used, spells_completed)
           VALUES ('ours', '{}', now(), 'fitted here', 1, 2, 3);",
    );
}

#[test]
fn an_upgrade_keeps_configuration_models_runs_scores_and_history() {
    for version in released() {
        let mut db = old(&version);
        fill(&mut db);
        let there = columns(db.client());
        let before = rows(db.client(), &there);
        for table in [
            "settings",
            "config_changes",
            "runs",
            "ghost_models",
            "deal_models",
        ] {
            let table = format!("crm_health.{table} ");
            assert!(
                before.iter().any(|row| row.starts_with(&table)),
                "no row of {table}"
            );
        }
        let (configured, scored) = (configuration(db.client()), scores(db.client()));
        assert!(
            configured.contains("setting active_window_days 31 t"),
            "{configured}"
        );
        db.run(UPDATE);
        let after = rows(db.client(), &there);
        let lost: Vec<_> = before.difference(&after).collect();
        let new: Vec<_> = after.difference(&before).collect();
        assert!(
            lost.is_empty(),
            "from {version}: lost or changed {lost:#?}\nnow {new:#?}"
        );
        assert_eq!(scores(db.client()), scored);
        for line in configured.lines() {
            assert!(configuration(db.client()).contains(line), "{line}");
        }
        let active: String = db.value(
            "SELECT name FROM crm_health.ghost_models WHERE is_active",
            &[],
        );
        assert_eq!(active, "ours");
    }
}

#[test]
fn a_configuration_kept_from_an_old_version_is_read_back_by_this_one() {
    for version in released() {
        let mut db = old(&version);
        db.run(CONFIGURE);
        db.run("DROP EXTENSION crm_health; CREATE EXTENSION crm_health");
        let value: String = db.value(
            "SELECT value FROM crm_health.settings WHERE name = 'active_window_days'",
            &[],
        );
        assert_eq!(value, "31", "from {version}");
    }
}

#[test]
fn an_upgrade_keeps_what_was_granted_and_what_was_revoked() {
    let grantee = Role::new("NOLOGIN");
    let role = &grantee.name;
    for version in released() {
        let mut db = old(&version);
        db.run(&format!(
            "GRANT EXECUTE ON FUNCTION crm_health.explain_deal(uuid, timestamptz), public.refresh_deal_health_scores(uuid, integer) TO {role};
             GRANT SELECT ON crm_health.settings TO {role};
             REVOKE EXECUTE ON FUNCTION crm_health.explain_contact(uuid, timestamptz) FROM authenticated"
        ));
        db.run(UPDATE);
        let kept: bool = db.value(
            &format!(
                "SELECT has_function_privilege('{role}', 'crm_health.explain_deal(uuid, timestamptz)', 'EXECUTE')
                    AND has_function_privilege('{role}', 'public.refresh_deal_health_scores(uuid, integer)', 'EXECUTE')
                    AND has_table_privilege('{role}', 'crm_health.settings', 'SELECT')
                    AND NOT has_function_privilege('authenticated', 'crm_health.explain_contact(uuid, timestamptz)', 'EXECUTE')"
            ),
            &[],
        );
        assert!(kept, "from {version}");
        db.run("DROP EXTENSION crm_health");
    }
}

/// The library is replaced when the package is; the catalog when someone says so.
#[test]
fn between_package_and_update_an_old_catalog_works_with_the_new_library() {
    for version in released() {
        let mut db = old(&version);
        fill(&mut db);
        db.run("CALL crm_health.refresh_active_users('meanwhile', p_max_age_hours => 0)");
        let state: String = db.value(
            "SELECT state || ' ' || errors FROM crm_health.last_run",
            &[],
        );
        assert_eq!(state, "succeeded []", "with {version} in the catalog");
        db.run("SELECT crm_health.explain_deal(id) FROM deals; SELECT crm_health.explain_contact(id) FROM contacts;
                SELECT crm_health.fit_ghost_model(); SELECT crm_health.needs_attention(); SELECT crm_health.purge()");
    }
}

#[test]
fn an_update_does_not_disturb_those_who_read_and_refresh() {
    for version in released() {
        let mut db = old(&version);
        fill(&mut db);
        let user: uuid::Uuid = db.value("SELECT id FROM profiles", &[]);
        Crm(&mut db).deal(user, "SQL", 3.0);
        let (done, calls) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..4)
                .map(|reader| {
                    let (mut session, done, calls) = (db.session(), &done, &calls);
                    scope.spawn(move || {
                        let reading = match reader % 2 {
                            0 => "SELECT count(*) FROM deals d, crm_health.explain_deal(d.id)",
                            _ => "SELECT count(*) FROM profiles p, refresh_deal_health_scores(p.id, 0)",
                        };
                        while !done.load(Ordering::Relaxed) {
                            let found: i64 = session.query_one(reading, &[]).expect(reading).get(0);
                            assert!(found > 0, "{reading}");
                            calls.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            let wait_for_calls = || {
                let wanted = calls.load(Ordering::Relaxed) + 40;
                while calls.load(Ordering::Relaxed) < wanted
                    && readers.iter().all(|r| !r.is_finished())
                {
                    std::thread::yield_now();
                }
            };
            wait_for_calls();
            let mut admin = db.session();
            let updated = admin.batch_execute(UPDATE);
            wait_for_calls();
            done.store(true, Ordering::Relaxed);
            updated.unwrap_or_else(|error| panic!("{error:?}"));
        });
        let now: String = db.value(
            "SELECT extversion FROM pg_extension WHERE extname = 'crm_health'",
            &[],
        );
        assert_eq!(now, env!("CARGO_PKG_VERSION"));
    }
}

#[test]
fn there_is_no_way_back_and_the_error_says_so() {
    let mut db = Database::new();
    let (state, message, _) = error_of(db.client(), "ALTER EXTENSION crm_health UPDATE TO '0.1.0'");
    assert_eq!(state, "22023");
    assert!(message.contains("no update path"), "{message}");
}

#[test]
fn released_scripts_are_as_they_were_released() {
    let list = fs::read_to_string(repository().join("sql/released.sha256")).expect("the list");
    for version in released() {
        assert!(
            list.contains(&format!("sql/extension/crm_health--{version}.sql")),
            "sql/released.sha256 lacks the script of {version}"
        );
    }
    let check = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "sql/released.sha256"])
        .current_dir(repository())
        .output()
        .expect("sha256sum");
    assert!(
        check.status.success(),
        "a released script was changed; a change belongs into sql/upgrade:\n{}{}",
        String::from_utf8_lossy(&check.stdout),
        String::from_utf8_lossy(&check.stderr)
    );
}
