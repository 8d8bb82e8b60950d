//! Which model is in use, where two sessions say so at once.

use std::thread::spawn;

use crm_health_tests::Database;
use crm_health_tests::session::{pid, wait_for_lock};

/// Puts `first` in use, and `second` from another session before that is committed: the later one is in use.
fn the_later_choice_counts(db: &mut Database, kind: &str) {
    let call = |name| format!("SELECT crm_health.use_{kind}_model('{name}')");
    let (mut first, mut second) = (db.session(), db.session());
    let mut choosing = first.transaction().expect("a transaction");
    choosing.batch_execute(&call("first")).expect("a choice");
    let waiting = pid(&mut second);
    let later = call("second");
    let chosen = spawn(move || second.batch_execute(&later));
    wait_for_lock(db.client(), waiting);
    choosing.commit().expect("committed");
    let chosen = chosen.join().expect("no panic");
    chosen.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
    let in_use: Vec<String> = db
        .query(
            &format!("SELECT name FROM crm_health.{kind}_models WHERE is_active"),
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(in_use, ["second"], "{kind}");
}

#[test]
fn of_two_choices_of_a_model_at_once_the_later_counts() {
    let mut db = Database::new();
    db.run(
        "INSERT INTO crm_health.ghost_models (name, constants, decision)
         SELECT n, m.constants, 'a test''s' FROM crm_health.ghost_models m, unnest(ARRAY['first', 'second']) n
         WHERE m.shipped;
         INSERT INTO crm_health.deal_models (name, model, is_active, as_of, decision, deals_used, spells_used, spells_completed)
         SELECT n, '{}', n = 'before', now(), 'a test''s', 0, 0, 0 FROM unnest(ARRAY['before', 'first', 'second']) n",
    );
    the_later_choice_counts(&mut db, "ghost");
    the_later_choice_counts(&mut db, "deal");
}
