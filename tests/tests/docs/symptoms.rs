//! The section "Troubleshooting" of docs/install.md: each error is what a person sees, and the mend
//! under it mends it.

use crate::markdown::Document;
use crm_health_tests::cluster::{install_crm, psql};
use crm_health_tests::database::error_of;
use crm_health_tests::{Crm, Database};

const REFRESH: &str =
    "SELECT * FROM refresh_deal_health_scores((SELECT id FROM profiles LIMIT 1), 0)";

/// What is broken, and the statement that then fails. Each in a database of its own.
const BROKEN: [(&str, &str); 6] = [
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
];

/// What breaks something and then fails, in one transaction. The mend is no statement.
const SEEN: [&str; 5] = [
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

#[test]
fn a_symptom_without_a_statement_that_mends_it_is_told_as_it_is_seen() {
    let document = Document::read("docs/install.md");
    let db = Database::new();
    for call in SEEN {
        let (_, message, _) = error_of(&mut db.session(), &format!("BEGIN; {call}"));
        let told = format!("`{message}`");
        assert!(
            document.headings().any(|heading| heading.contains(&told)),
            "no section for: {message}"
        );
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
