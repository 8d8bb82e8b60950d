//! Keys and indexes that a refresh reads by, each missed by what it holds.

use crm_health_tests::Database;

use crate::{assert_found_and_mended, troubles};

#[test]
fn each_index_that_a_refresh_reads_by_is_missed() {
    let mut db = Database::new();
    for (drop, words) in [
        (
            "communication_events_time_idx",
            "communication_events has no index on (user_id, event_timestamp) that holds what a score is made of",
        ),
        (
            "communication_events_automated_idx",
            "communication_events has no index of automated mail",
        ),
        (
            "communication_events_deal_idx",
            "communication_events has no index that leads with (user_id, deal_id)",
        ),
        (
            "communication_events_company_idx",
            "communication_events has no index that leads with (user_id, company_id)",
        ),
        (
            "meeting_contacts_contact_id_idx",
            "meeting_contacts has no index that leads with (contact_id)",
        ),
        (
            "deal_health_scores_user_id_idx",
            "deal_health_scores has no index that leads with (user_id)",
        ),
        (
            "deal_health_history_deal_id_snapshot_at_idx",
            "deal_health_history has no index that leads with (deal_id, snapshot_at)",
        ),
        (
            "relationship_health_history_snapshot_at_idx",
            "relationship_health_history has no index that leads with (relationship_health_id, snapshot_at)",
        ),
        (
            "deal_health_alerts_active_key",
            "deal_health_alerts has no unique key on (deal_id, alert_type) where status = 'active'",
        ),
        (
            "ghost_detection_signals_open_key",
            "ghost_detection_signals has no unique key on (relationship_health_id, signal_type) where resolved_at IS NULL",
        ),
    ] {
        assert_found_and_mended(&mut db, &format!("DROP INDEX {drop}"), "warning", words);
    }
}

#[test]
fn one_of_another_name_and_a_longer_one_will_do() {
    let mut db = Database::new();
    db.run(
        "ALTER INDEX deal_health_alerts_active_key RENAME TO of_ours; DROP INDEX deal_health_scores_user_id_idx, communication_events_deal_idx;
         CREATE INDEX ON deal_health_scores (user_id, deal_id); CREATE INDEX ON communication_events (user_id, deal_id, event_timestamp)",
    );
    assert_eq!(troubles(&mut db), []);
}

#[test]
fn one_over_a_part_of_the_rows_will_not() {
    let mut db = Database::new();
    let damage = "DROP INDEX deal_health_scores_user_id_idx;
                  CREATE INDEX ON deal_health_scores (user_id) WHERE deal_id > '80000000-0000-0000-0000-000000000000'";
    assert_found_and_mended(
        &mut db,
        damage,
        "warning",
        "deal_health_scores has no index that leads with (user_id)",
    );
}

#[test]
fn definitions_are_the_same_where_all_identifiers_are_quoted() {
    let mut db = Database::new();
    db.run("SET quote_all_identifiers = on");
    assert_eq!(troubles(&mut db), []);
}
