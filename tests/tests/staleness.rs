//! Which scores a call computes: those older than the age it is given, and no others.

use crm_health_tests::{Crm, Database};
use uuid::Uuid;

/// A user with one deal, contact and company for each age in hours, scored so long ago.
fn scored_hours_ago(db: &mut Database, hours: &[i32]) -> Uuid {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    for _ in hours {
        crm.company_contact(user);
        crm.deal(user, "SQL", 5.0);
    }
    crm.refresh(user);
    for table in ["deal_health_scores", "relationship_health_scores"] {
        let key = match table {
            "deal_health_scores" => "deal_id",
            _ => "relationship_type, contact_id, company_id",
        };
        let of = match table {
            "deal_health_scores" => "true",
            _ => "relationship_type",
        };
        db.query(
            &format!(
                "UPDATE {table} s SET last_calculated_at = now() - a.hours * interval '1 hour'
                 FROM (SELECT id, ($1::int4[])[row_number() OVER (PARTITION BY {of} ORDER BY {key})] AS hours FROM {table}) a
                 WHERE s.id = a.id"
            ),
            &[&hours],
        );
    }
    user
}

/// How many rows of a call say updated, and how many there are.
fn updated(db: &mut Database, name: &str, user: Uuid, age: &str) -> (i64, i64) {
    let row = &db.query(
        &format!("SELECT count(*) FILTER (WHERE updated), count(*) FROM {name}($1{age})"),
        &[&user],
    )[0];
    (row.get(0), row.get(1))
}

const BOTH: [&str; 2] = [
    "refresh_deal_health_scores",
    "refresh_relationship_health_scores",
];

#[test]
fn the_default_age_is_a_day() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[0, 23, 25, 1000]);
    for name in BOTH {
        assert_eq!(updated(&mut db, name, user, ""), (2, 4), "{name}");
        assert_eq!(updated(&mut db, name, user, ""), (0, 4), "{name} again");
    }
}

#[test]
fn an_age_of_zero_computes_everything_however_fresh() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[0, 0, 5]);
    for name in BOTH {
        for _ in 0..2 {
            assert_eq!(updated(&mut db, name, user, ", 0"), (3, 3), "{name}");
        }
        // In the very transaction that computed them, too.
        db.run("BEGIN");
        for _ in 0..2 {
            assert_eq!(updated(&mut db, name, user, ", 0"), (3, 3), "{name}");
        }
        db.run("COMMIT");
    }
}

#[test]
fn an_age_in_hours_is_kept_to() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[0, 2, 4, 6]);
    for name in BOTH {
        assert_eq!(updated(&mut db, name, user, ", 876600"), (0, 4), "{name}");
        assert_eq!(updated(&mut db, name, user, ", 5"), (1, 4), "{name}");
        assert_eq!(updated(&mut db, name, user, ", 1"), (2, 4), "{name}");
    }
}

#[test]
fn a_fresh_score_is_returned_as_it_is_stored() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[1]);
    db.run(
        "UPDATE deal_health_scores SET overall_health_score = 1, health_status = 'stalled';
         UPDATE relationship_health_scores SET overall_health_score = 2, health_status = 'ghost'",
    );
    for (name, expected) in BOTH.into_iter().zip([(1, "stalled"), (2, "ghost")]) {
        let rows = db.query(&format!("SELECT * FROM {name}($1)"), &[&user]);
        assert_eq!(rows.len(), 1);
        let found: (i32, &str) = (rows[0].get("health_score"), rows[0].get("health_status"));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn only_what_is_stale_is_written() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[1, 30]);
    let untouched = "SELECT count(*) FROM deal_health_scores WHERE xmin::text::bigint = ANY ($1)";
    let before: Vec<i64> = db
        .query("SELECT xmin::text::bigint FROM deal_health_scores", &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    db.query("SELECT refresh_deal_health_scores($1)", &[&user]);
    assert_eq!(db.value::<i64>(untouched, &[&before]), 1);
}

#[test]
fn a_new_deal_or_contact_is_scored_at_the_next_call_whatever_the_age() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[0]);
    let mut crm = Crm(&mut db);
    crm.contact(user);
    crm.deal(user, "SQL", 5.0);
    for name in BOTH {
        assert_eq!(updated(&mut db, name, user, ", 876600"), (1, 2), "{name}");
    }
}

#[test]
fn a_stale_company_is_scored_though_its_contacts_are_fresh() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[0]);
    db.run("UPDATE relationship_health_scores SET last_calculated_at = '2020-01-01' WHERE relationship_type = 'company'");
    assert_eq!(updated(&mut db, BOTH[1], user, ""), (0, 1));
    let fresh: bool = db.value(
        "SELECT last_calculated_at > now() - interval '1 minute' FROM relationship_health_scores WHERE relationship_type = 'company'",
        &[],
    );
    assert!(fresh);
}

#[test]
fn a_score_that_was_computed_for_a_later_instant_counts_as_fresh() {
    let mut db = Database::new();
    let user = scored_hours_ago(&mut db, &[0]);
    let rows: i64 = db.value(
        "SELECT count(*) FILTER (WHERE updated) FROM crm_health.refresh_deals(ARRAY[$1::uuid], 24, '2024-06-15')",
        &[&user],
    );
    assert_eq!(rows, 0);
}

#[test]
fn the_score_of_a_deal_that_changes_hands_goes_over_at_the_next_call() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let (user, heir) = (crm.user(0.0), crm.user(0.0));
    let deal = crm.deal(user, "SQL", 5.0);
    crm.refresh(user);
    crm.set("deals", deal, &format!("owner_id = '{heir}'"));
    assert_eq!(updated(&mut db, BOTH[0], user, ""), (0, 0));
    assert_eq!(
        updated(&mut db, BOTH[0], heir, ""),
        (1, 1),
        "fresh, but not the heir's"
    );
    let owner: Uuid = db.value("SELECT user_id FROM deal_health_scores", &[]);
    assert_eq!(owner, heir);
}
