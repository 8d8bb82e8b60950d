//! What the kept stage changes say of deals, however they were recorded, and when a fit takes the place of another.

use crm_health_tests::fits::known_hazards;
use crm_health_tests::{Crm, Database};

/// A fit: (spells used, spells completed, activated, decision).
fn fit(db: &mut Database, arguments: &str) -> (i64, i64, bool, String) {
    let row = &db.query(
        &format!(
            "SELECT spells_used, spells_completed, activated, decision FROM crm_health.fit_deal_model({arguments})"
        ),
        &[],
    )[0];
    (row.get(0), row.get(1), row.get(2), row.get(3))
}

fn in_use(db: &mut Database) -> Option<String> {
    let rows = db.query(
        "SELECT name FROM crm_health.deal_models WHERE is_active",
        &[],
    );
    rows.first().map(|row| row.get(0))
}

/// Deals, as many as it takes for their changes not to come in order by chance, that move on and are won in two
/// statements of one transaction: both changes have one time.
fn moved_on_and_won_at_once(db: &mut Database, deals: i32) {
    let owner = Crm(db).user(0.0);
    db.query(
        "INSERT INTO deals (owner_id, name, status, stage_id, created_at)
         SELECT $1, 'Deal ' || n, 'active', (SELECT id FROM deal_stages WHERE name = 'SQL'), now() - interval '50 days'
         FROM generate_series(1, $2::integer) n",
        &[&owner, &deals],
    );
    db.run(
        "UPDATE deal_stage_history SET recorded_at = entered_at;
         DO $$
         DECLARE
           deal uuid;
         BEGIN
           FOR deal IN SELECT id FROM deals ORDER BY random() LOOP
             UPDATE deals SET stage_id = (SELECT id FROM deal_stages WHERE name = 'Verbal') WHERE id = deal;
             UPDATE deals SET status = 'won' WHERE id = deal;
           END LOOP;
         END
         $$;",
    );
}

#[test]
fn a_deal_that_moved_on_and_was_won_in_one_transaction_is_won() {
    let mut db = Database::new();
    moved_on_and_won_at_once(&mut db, 200);
    let (used, completed, ..) = fit(&mut db, "");
    assert_eq!((used, completed), (400, 400));
    let open: i64 = db.value(
        "SELECT count(*) FROM crm_health.replay((SELECT id FROM profiles), now()) WHERE subject_type = 'deal'",
        &[],
    );
    assert_eq!(open, 0, "deals that are replayed as if they were open");
}

#[test]
fn a_stay_that_was_over_before_it_was_recorded_tells_nothing() {
    let mut db = Database::new();
    known_hazards(&mut db);
    db.run("UPDATE deal_stage_history SET recorded_at = now()");
    let (used, completed, activated, decision) = fit(&mut db, "");
    assert_eq!(completed, 0, "of {used}: {decision}");
    assert!(used > 0, "deals that are still there are seen from now on");
    assert!(!activated, "{decision}");
}

#[test]
fn a_stay_is_known_to_be_over_when_that_was_recorded() {
    let mut db = Database::new();
    known_hazards(&mut db);
    let cutoffs = |db: &mut Database| -> i64 {
        db.value(
            "SELECT count(cutoff) FROM crm_health.backtest_deals(now() - interval '200 days', now() - interval '100 days', 90)",
            &[],
        )
    };
    assert_eq!(cutoffs(&mut db), 4);
    // Where every deal went from its first stage is put down today.
    db.run(
        "UPDATE deal_stage_history h SET recorded_at = now()
         WHERE EXISTS (SELECT FROM deal_stage_history e WHERE e.deal_id = h.deal_id AND e.entered_at < h.entered_at)",
    );
    assert_eq!(cutoffs(&mut db), 0, "nothing was known to learn from");
}

#[test]
fn a_fit_is_not_held_against_days_that_the_one_in_use_has_seen() {
    let mut db = Database::new();
    known_hazards(&mut db);
    fit(&mut db, "now() - interval '30 days', 'a month ago'");
    let (.., activated, decision) = fit(&mut db, "p_name => 'today'");
    assert!(activated, "{decision}");
    assert!(
        decision.starts_with("put in use: the one in use has seen the days"),
        "{decision}"
    );
    // Who knows less does not take its place.
    let (.., activated, decision) = fit(&mut db, "now() - interval '10 days', 'late'");
    assert!(!activated, "{decision}");
    assert!(
        decision.starts_with("not put in use: the one in use has seen as much"),
        "{decision}"
    );
    assert_eq!(in_use(&mut db).as_deref(), Some("today"));
    // One that has not seen them is compared.
    db.run("SELECT crm_health.use_deal_model(NULL)");
    fit(&mut db, "now() - interval '120 days', 'a season ago'");
    let (.., decision) = fit(&mut db, "p_name => 'compared'");
    assert!(
        decision.contains("put in use: no worse about the last 90 days")
            || decision.contains("not put in use: worse about the last 90 days"),
        "{decision}"
    );
    let compared: i64 = db.value(
        "SELECT count(compared_log_loss) FROM crm_health.deal_model_report('compared')",
        &[],
    );
    assert_eq!(compared, 1);
}

#[test]
fn no_column_tells_a_chance_to_be_won_as_certain() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    db.query(
        "INSERT INTO deals (owner_id, name, status, stage_id, created_at)
         SELECT $1, 'Deal ' || n, 'active', (SELECT id FROM deal_stages WHERE name = 'SQL'), now() - interval '50 days'
         FROM generate_series(1, 1000) n",
        &[&user],
    );
    db.run(
        "UPDATE deal_stage_history SET recorded_at = entered_at; UPDATE deals SET status = 'won'",
    );
    let deal = Crm(&mut db).deal(user, "SQL", 1.0);
    fit(&mut db, "");
    let told: String = db.value(
        "SELECT concat_ws('; ', value, reason) FROM crm_health.explain_deal($1) WHERE signal = 'close_probability'",
        &[&deal],
    );
    assert!(told.starts_with("over 99 %; slower than "), "{told}");
    assert!(!told.contains("100 % likely"), "{told}");
}
