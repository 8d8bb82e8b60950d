//! The ways into a database that we did not design, as docs/adoption.md tells them: `check_install()`
//! leads, and what it says is done until it says nothing more.

use crm_health_tests::cluster::{install_crm, psql, repository};
use crm_health_tests::session::{Role, become_role};
use crm_health_tests::{Crm, Database};

const REP: &str = "00000000-0000-4000-8000-00000000000a";
const OTHER: &str = "00000000-0000-4000-8000-00000000000b";

/// Does what the hints say until no error is left, and returns the warnings that stay.
fn follow_hints(db: &mut Database) -> Vec<String> {
    for _ in 0..20 {
        let found = db.query(
            "SELECT severity, problem, hint FROM crm_health.check_install()",
            &[],
        );
        let errors: Vec<(String, String)> = found
            .iter()
            .filter(|row| row.get::<_, &str>(0) == "error")
            .map(|row| (row.get(1), row.get(2)))
            .collect();
        let Some((problem, hint)) = errors.first() else {
            return found.iter().map(|row| row.get(1)).collect();
        };
        if hint.starts_with("psql -f sql/crm/install.sql") {
            install_crm(&db.url());
        } else if hint.starts_with("psql -v crm_schema=sales -f sql/crm/install.sql") {
            let script = repository()
                .join("sql/crm/install.sql")
                .display()
                .to_string();
            psql(&db.url(), &["-v", "crm_schema=sales", "-f", &script]);
        } else {
            db.run(hint);
        }
        let again = db.query(
            "SELECT FROM crm_health.check_install() WHERE severity = 'error' AND problem = $1",
            &[problem],
        );
        assert!(
            again.is_empty(),
            "still there after its hint: {problem}\n{hint}"
        );
    }
    panic!("check_install() leads nowhere");
}

/// A hosted backend's CRM of the same names, with scores of its own making.
fn application() -> (Role, Database) {
    let owner = Role::new("NOLOGIN NOBYPASSRLS");
    let mut db = Database::empty();
    db.run(&format!(
        "SELECT set_config('app.owner', '{}', false); GRANT CREATE ON SCHEMA public TO {0}",
        owner.name
    ));
    db.run(include_str!("../src/app_with_scores.sql"));
    (owner, db)
}

fn adopt(db: &mut Database) -> Vec<String> {
    let script = repository().join("sql/adopt.sql").display().to_string();
    psql(&db.url(), &["-f", &script]);
    install_crm(&db.url());
    follow_hints(db)
}

/// The application's own rows, policies and triggers.
fn own(db: &mut Database) -> String {
    db.value(
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
           SELECT concat('deal ', d.id, d.name, d.value, d.status, d.stage_changed_at) AS line FROM deals d
           UNION ALL SELECT concat('contact ', c.id, c.email, c.owner_id) FROM contacts c
           UNION ALL SELECT concat('event ', e.id, e.event_timestamp) FROM communication_events e
           UNION ALL SELECT concat('history ', h.id, h.snapshot_at) FROM deal_health_history h
           UNION ALL SELECT concat('policy ', p.polrelid::regclass, p.polname, pg_get_expr(p.polqual, p.polrelid))
             FROM pg_policy p WHERE p.polname = 'own'
           UNION ALL SELECT concat('trigger ', pg_get_triggerdef(t.oid)) FROM pg_trigger t WHERE t.tgname IN ('touch', 'keep_deal_history')
           UNION ALL SELECT concat('owner ', c.relname, c.relowner::regrole) FROM pg_class c
             WHERE c.relname IN ('deals', 'contacts', 'deal_health_scores', 'deal_health_history')) t",
        &[],
    )
}

#[test]
fn a_hosted_backend_with_functions_of_the_same_names_is_adopted_as_it_stands() {
    let (_owner, mut db) = application();
    let before = own(&mut db);
    let warnings = adopt(&mut db);
    assert_eq!(
        own(&mut db),
        before,
        "nothing of the application was touched"
    );
    assert!(
        warnings.iter().any(|warning| warning.contains(
            "trigger keep_deal_history of public.deal_health_scores writes deal_health_history"
        )),
        "{warnings:#?}"
    );
    db.run("CALL crm_health.refresh_active_users('adopted', p_max_age_hours => 0)");
    let run: String = db.value(
        "SELECT state || ' ' || errors FROM crm_health.last_run",
        &[],
    );
    assert_eq!(run, "succeeded []");
}

#[test]
fn a_user_of_a_hosted_backend_refreshes_its_own_scores_and_no_others() {
    let (_owner, mut db) = application();
    adopt(&mut db);
    let mut session = db.session();
    become_role(&mut session, "authenticated", Some(REP));
    let scored = session
        .query("SELECT deal_id::text, health_status FROM refresh_deal_health_scores($1::text::uuid, 0)", &[&REP])
        .expect("its own scores");
    assert_eq!(scored.len(), 1);
    let relationships = session
        .query(
            "SELECT FROM refresh_relationship_health_scores($1::text::uuid, 0)",
            &[&REP],
        )
        .expect("its own scores");
    assert_eq!(relationships.len(), 1);
    let refused = session
        .query(
            "SELECT FROM refresh_deal_health_scores($1::text::uuid, 0)",
            &[&OTHER],
        )
        .expect_err("another's scores");
    assert_eq!(refused.code().expect("a code").code(), "42501");
}

#[test]
fn a_history_that_a_trigger_keeps_is_not_kept_twice() {
    let (_owner, mut db) = application();
    adopt(&mut db);
    let snapshots =
        |db: &mut Database| -> i64 { db.value("SELECT count(*) FROM deal_health_history", &[]) };
    let first = snapshots(&mut db);
    db.run(&format!("SELECT refresh_deal_health_scores('{REP}', 0)"));
    assert_eq!(
        snapshots(&mut db),
        first + 1,
        "the trigger's snapshot of the new score, and no other"
    );

    db.run("DROP TRIGGER keep_deal_history ON deal_health_scores");
    let warnings = follow_hints(&mut db);
    assert!(
        !warnings
            .iter()
            .any(|warning| warning.contains("keep_deal_history")),
        "{warnings:#?}"
    );
    db.run(&format!(
        "UPDATE deals SET stage_changed_at = now();
         SELECT refresh_deal_health_scores('{REP}', 0)"
    ));
    assert_eq!(snapshots(&mut db), first + 2, "now the refresh writes it");
}

#[test]
fn nor_is_that_of_relationships() {
    let (_owner, mut db) = application();
    adopt(&mut db);
    db.run(
        "CREATE FUNCTION keep_relationship_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO relationship_health_history (relationship_health_id, user_id, overall_health_score)
           VALUES (NEW.id, NEW.user_id, NEW.overall_health_score);
           RETURN NEW; END $$;
         -- Its name has no schema: the first hint is to give it one.
         CREATE TRIGGER keep_relationship_history AFTER INSERT OR UPDATE ON relationship_health_scores
           FOR EACH ROW EXECUTE FUNCTION keep_relationship_history()",
    );
    let warnings = follow_hints(&mut db);
    assert!(
        warnings.iter().any(|warning| warning.contains(
            "trigger keep_relationship_history of public.relationship_health_scores writes relationship_health_history"
        )),
        "{warnings:#?}"
    );
    db.run(&format!(
        "SELECT refresh_relationship_health_scores('{REP}', 0)"
    ));
    let [scores, snapshots] = ["relationship_health_scores", "relationship_health_history"]
        .map(|table| db.value::<i64>(&format!("SELECT count(*) FROM {table}"), &[]));
    assert_eq!((scores, snapshots), (1, 1));
}

#[test]
fn an_empty_database_is_led_to_its_first_scores() {
    let mut db = Database::empty();
    db.run("CREATE EXTENSION crm_health");
    let problems: i64 = db.value(
        "SELECT count(*) FROM crm_health.check_install() WHERE severity = 'error'",
        &[],
    );
    assert!(problems > 0, "nothing is there yet, and that is said");
    follow_hints(&mut db);
    let mut crm = Crm(&mut db);
    let user = crm.user(1.0);
    crm.deal(user, "SQL", 3.0);
    let scored = db.query("SELECT FROM refresh_deal_health_scores($1, 0)", &[&user]);
    assert_eq!(scored.len(), 1);
}

#[test]
fn a_crm_behind_views_is_led_to_its_first_scores() {
    let mut db = Database::new();
    db.run(crm_health_tests::scores::SAMPLE);
    db.run(include_str!("../src/legacy_crm.sql"));
    db.run("UPDATE crm_health.settings SET value = 'sales' WHERE name = 'crm_schema'");
    let warnings = follow_hints(&mut db);
    assert!(
        warnings.iter().any(|warning| warning.contains("sales.")),
        "columns that the views leave out are told: {warnings:#?}"
    );
    let scored = db.query(
        "SELECT FROM sales.profiles p, crm_health.refresh_deals(ARRAY[p.id], 0, '2024-06-15 12:00Z')",
        &[],
    );
    assert!(!scored.is_empty());
}
