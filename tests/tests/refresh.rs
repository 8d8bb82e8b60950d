//! What a refresh returns and writes.

use crm_health_tests::{Crm, Database};
use uuid::Uuid;

#[test]
fn a_deal_is_scored_and_the_second_call_finds_it_fresh() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 40.0);
    let first = db.query("SELECT * FROM refresh_deal_health_scores($1)", &[&user]);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].get::<_, Uuid>("deal_id"), deal);
    assert!(first[0].get::<_, bool>("updated"));
    let second = db.query("SELECT * FROM refresh_deal_health_scores($1)", &[&user]);
    assert!(!second[0].get::<_, bool>("updated"));
    assert_eq!(
        first[0].get::<_, i32>("health_score"),
        second[0].get::<_, i32>("health_score")
    );
}
