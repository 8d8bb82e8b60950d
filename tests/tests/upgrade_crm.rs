//! The tables outside the extension: those that a released version made are completed by the scripts of
//! this one, and come out as if they had been made today.

use std::collections::BTreeSet;

use crm_health_tests::cluster::{install_crm, psql, repository};
use crm_health_tests::{Crm, Database};

/// A database with the CRM tables and the daemon's, as version 0.1.0 made them: a dump of its schema.
fn old() -> Database {
    let db = Database::empty();
    run_script(&db, "tests/released/crm-0.1.0.sql");
    db
}

fn run_script(db: &Database, path: &str) {
    let script = repository().join(path).display().to_string();
    psql(&db.url(), &["-f", &script]);
}

fn install(db: &Database) {
    install_crm(&db.url());
    run_script(db, "sql/sync/install.sql");
}

/// Tables with columns, keys, indexes, triggers, policies, grants, owners and comments, a line each. The
/// order of columns is left out: what is added to a table stands last.
fn shape(db: &mut Database) -> BTreeSet<String> {
    db.query(
        "WITH t AS (SELECT c.oid::regclass::text AS name, c.oid, c.relkind, c.relowner, c.relrowsecurity, c.reloptions, c.relacl FROM pg_class c
                    WHERE c.relnamespace::regnamespace::text IN ('public', 'crm_health_sync') AND c.relkind IN ('r', 'v', 'S'))
         SELECT concat_ws(' ', 'table', name, relkind, relowner::regrole, relrowsecurity, reloptions::text,
                          (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(relacl) a), obj_description(oid, 'pg_class')) FROM t
         UNION ALL
         SELECT concat_ws(' ', 'column', name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
                          a.attidentity, (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM unnest(a.attacl) x), col_description(a.attrelid, a.attnum))
           FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.relkind <> 'S'
           LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         UNION ALL SELECT concat_ws(' ', 'constraint', name, c.conname, pg_get_constraintdef(c.oid)) FROM t JOIN pg_constraint c ON c.conrelid = t.oid
         UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid)) FROM t JOIN pg_index i ON i.indrelid = t.oid
         UNION ALL SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(g.oid), g.tgenabled) FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
         UNION ALL SELECT concat_ws(' ', 'policy', name, p.polname, p.polcmd, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
           FROM t JOIN pg_policy p ON p.polrelid = t.oid
         UNION ALL SELECT concat_ws(' ', 'function', pg_get_functiondef(p.oid), p.proowner::regrole, p.proacl::text) FROM pg_proc p
           WHERE p.pronamespace::regnamespace::text IN ('public', 'crm_health_sync')",
        &[],
    )
    .iter()
    .map(|row| row.get(0))
    .collect()
}

#[test]
fn tables_of_an_old_version_become_those_of_this_one() {
    let mut fresh = Database::empty();
    install(&fresh);
    let mut upgraded = old();
    install(&upgraded);
    let (fresh, upgraded) = (shape(&mut fresh), shape(&mut upgraded));
    let lacking: Vec<_> = fresh.difference(&upgraded).collect();
    // No index is ever dropped: what another took the place of is left to the DBA.
    let beyond: Vec<_> = upgraded
        .difference(&fresh)
        .filter(|object| !object.contains(" communication_events_contact_idx "))
        .collect();
    assert!(
        lacking.is_empty() && beyond.is_empty(),
        "lacking {lacking:#?}\nbeyond {beyond:#?}"
    );
}

#[test]
fn rows_stay_and_a_second_run_changes_nothing() {
    let mut db = old();
    let mut crm = Crm(&mut db);
    let user = crm.user(1.0);
    let contact = crm.contact(user);
    crm.sent(user, contact, 2.0);
    let rows = "SELECT concat_ws(' ', (SELECT count(*) FROM profiles), (SELECT count(*) FROM contacts),
                                 (SELECT count(*) FROM communication_events), (SELECT max(event_timestamp) FROM communication_events))";
    let before: String = db.value(rows, &[]);
    install(&db);
    let once = shape(&mut db);
    install(&db);
    assert_eq!(shape(&mut db), once);
    let after: String = db.value(rows, &[]);
    assert_eq!(after, before);
}
