//! The section "Troubleshooting" of docs/install.md: each error is what a person sees, and the mend
//! under it mends it.

use std::collections::BTreeSet;
use std::fs;

use crate::markdown::Document;
use crm_health_tests::cluster::{install_crm, psql, repository};
use crm_health_tests::database::error_of;
use crm_health_tests::{Crm, Database};

/// A user with a deal.
const SOMEBODY: &str = "INSERT INTO profiles (id) VALUES (gen_random_uuid());
    INSERT INTO deals (name, owner_id, status) SELECT 'Deal', id, 'active' FROM profiles";
const REFRESH: &str =
    "SELECT * FROM refresh_deal_health_scores((SELECT id FROM profiles LIMIT 1), 0)";

/// What is broken, and the statement that then fails. Each in a database of its own.
const BROKEN: [(&str, &str); 7] = [
    (
        "UPDATE crm_health.settings SET value = 'sales' WHERE name = 'crm_schema'",
        REFRESH,
    ),
    ("DROP TABLE deal_stages CASCADE", REFRESH),
    ("ALTER TABLE deals DROP COLUMN value CASCADE", REFRESH),
    (
        "ALTER TABLE deal_health_scores OWNER TO postgres;
         ALTER TABLE relationship_health_scores OWNER TO postgres",
        REFRESH,
    ),
    (
        "ALTER TABLE relationship_health_scores OWNER TO postgres",
        REFRESH,
    ),
    (
        "UPDATE crm_health.signal_weights SET weight = 0 WHERE model = 'deal'",
        REFRESH,
    ),
    (
        "CREATE FUNCTION keep_deal_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO deal_health_history (deal_id, overall_health_score)
           VALUES (NEW.deal_id, NEW.overall_health_score); RETURN NEW; END $$;
         CREATE TRIGGER keep_deal_history AFTER INSERT ON deal_health_scores
           FOR EACH ROW EXECUTE FUNCTION keep_deal_history()",
        REFRESH,
    ),
];

/// What breaks something and then fails, in one transaction. The mend is no statement.
const SEEN: [&str; 8] = [
    // Of an extension whose files are nowhere the server says the same as of ours where they are missing.
    "CREATE EXTENSION absent",
    "DROP EXTENSION crm_health; CREATE ROLE docs_rep; SET LOCAL ROLE docs_rep; CREATE EXTENSION crm_health",
    "ALTER EXTENSION crm_health UPDATE TO '0.1.0'",
    "SET LOCAL ROLE authenticated; SELECT refresh_deal_health_scores(gen_random_uuid())",
    "SET LOCAL ROLE anon; SELECT refresh_deal_health_scores(gen_random_uuid())",
    "SELECT crm_health.schedule()",
    "CREATE ROLE docs_owner;
     GRANT USAGE ON SCHEMA public TO docs_owner;
     GRANT SELECT ON ALL TABLES IN SCHEMA public TO docs_owner;
     ALTER TABLE deal_health_scores OWNER TO docs_owner;
     ALTER TABLE relationship_health_scores OWNER TO docs_owner;
     SELECT refresh_deal_health_scores(gen_random_uuid())",
    "DROP EXTENSION crm_health;
     CREATE FUNCTION public.refresh_deal_health_scores(uuid, integer) RETURNS void LANGUAGE sql AS '';
     CREATE EXTENSION crm_health",
];

/// What another test sees, for it takes a server of its own, or a bare Debian: the message and the test.
const SEEN_ELSEWHERE: [(&str, &str); 6] = [
    (
        "pg_cron is not installed on this server",
        "tests/tests/no_cron.rs",
    ),
    (
        "pg_cron is installed but not loaded",
        "tests/tests/schedule/main.rs",
    ),
    (
        "pg_cron is loaded, but not created in this database",
        "tests/tests/schedule/main.rs",
    ),
    (
        "cannot refresh scores or fit a model on a standby",
        "tests/tests/standby.rs",
    ),
    (
        "could not access file \"crm_health\": No such file or directory",
        "scripts/test-packages.sh",
    ),
    (
        "crm_health needs a database in UTF8, and this one is in LATIN1",
        "tests/tests/check_install/tables.rs",
    ),
];

/// The errors that the section "Troubleshooting" has a heading for.
fn told() -> BTreeSet<String> {
    let document = Document::read("docs/install.md");
    let (_, section) = document
        .text
        .split_once("\n## Troubleshooting\n")
        .expect("the section");
    let headings = section.lines().filter(|line| line.starts_with("### `"));
    headings
        .flat_map(|heading| heading.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// What fails in a database of its own, as it is told.
fn seen(call: &str) -> String {
    let db = Database::new();
    let (_, message, _) = error_of(&mut db.session(), &format!("BEGIN; {call}"));
    message.replace("\"absent\"", "\"crm_health\"")
}

#[test]
fn every_error_that_is_told_of_is_seen_by_a_test() {
    let mut left = told();
    assert!(left.len() > 12, "{left:#?}");
    for call in SEEN {
        left.remove(&seen(call));
    }
    for (damage, call) in BROKEN {
        left.remove(&seen(&format!("{SOMEBODY}; {damage}; {call}")));
    }
    for (message, test) in SEEN_ELSEWHERE {
        let test = fs::read_to_string(repository().join(test)).expect("the test");
        assert!(test.replace('\\', "").contains(message), "{message}");
        assert!(left.remove(message), "no section for: {message}");
    }
    assert_eq!(left, BTreeSet::new(), "told of, and seen by no test");
}

#[test]
fn a_symptom_without_a_statement_that_mends_it_is_told_as_it_is_seen() {
    let told = told();
    for call in SEEN {
        let message = seen(call);
        assert!(told.contains(&message), "no section for: {message}");
    }
}

#[test]
fn each_symptom_is_told_as_it_is_seen_and_its_mend_mends_it() {
    let document = Document::read("docs/install.md");
    for (damage, call) in BROKEN {
        let mut db = Database::new();
        let user = Crm(&mut db).user(0.0);
        Crm(&mut db).deal(user, "SQL", 1.0);
        db.run(damage);
        let (_, message, _) = error_of(&mut db.session(), call);
        let heading = format!("`{message}`");
        assert!(
            document.headings().any(|found| found == heading),
            "no section for: {message}"
        );
        mend(&db, &document, &heading);
        db.session()
            .batch_execute(call)
            .unwrap_or_else(|error| panic!("not mended: {heading}: {error:?}"));
    }
}

fn mend(db: &Database, document: &Document, heading: &str) {
    let blocks = document.blocks();
    for block in blocks.iter().filter(|block| block.heading == heading) {
        if block.language == "sql" {
            psql(&db.url(), &["-c", &block.text]);
        } else {
            assert!(block.text.contains("sql/crm/install.sql"), "{heading}");
            install_crm(&db.url());
        }
    }
}
