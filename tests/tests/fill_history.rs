//! The history of a fresh installation, made up for from the past.

use crm_health_tests::database::error_of;
use crm_health_tests::{Crm, Database};
use serde_json::Value;
use uuid::Uuid;

const FROM_TO: &str = "now() - interval '40 days', now() - interval '1 hour'";

/// Snapshots without ids that differ from run to run, in order.
const SNAPSHOTS: &str = "
    SELECT coalesce(jsonb_agg(s ORDER BY s -> 'snapshot_at', s ->> 'subject'), '[]') FROM (
      SELECT to_jsonb(h) - '{id}'::text[] || jsonb_build_object('subject', h.deal_id) AS s FROM deal_health_history h
      UNION ALL
      SELECT to_jsonb(h) - '{id,relationship_health_id}'::text[] || jsonb_build_object('subject', coalesce(r.contact_id, r.company_id))
      FROM relationship_health_history h JOIN relationship_health_scores r ON r.id = h.relationship_health_id) t";

/// A user with a deal, a contact who falls silent and comes back, and a company.
fn somebody(db: &mut Database) -> Uuid {
    let mut crm = Crm(db);
    crm.ghost_by_rules();
    let user = crm.user(0.0);
    let deal = crm.deal(user, "SQL", 35.0);
    crm.activity(user, deal, 30.0);
    let (_, contact) = crm.company_contact(user);
    crm.set(
        "contacts",
        contact,
        "created_at = now() - interval '35 days'",
    );
    crm.received(user, contact, 33.5);
    for day in [9.0, 9.2, 9.4, 9.6] {
        crm.received(user, contact, day);
    }
    // A daily refresh, replayed by hand, knows of it as soon as it was entered: long before.
    let meeting = crm.meeting(user, contact, 12.0);
    crm.set(
        "meetings",
        meeting,
        "created_at = now() - interval '50 days'",
    );
    user
}

fn fill(db: &mut Database, user: Uuid, from_to: &str) -> (i64, i64) {
    let row = &db.query(
        &format!("SELECT * FROM crm_health.fill_history($1, {from_to})"),
        &[&user],
    )[0];
    (row.get(0), row.get(1))
}

#[test]
fn it_is_what_daily_refreshes_would_have_left() {
    let mut db = Database::new();
    let user = somebody(&mut db);
    // One transaction, so that now() is the same for both.
    db.run("BEGIN; SAVEPOINT fresh");
    for day in 0..=40 {
        // Not before there was anything to score: a refresh cannot know.
        if day < 36 {
            for kind in ["deals", "relationships"] {
                db.query(
                    &format!(
                        "SELECT crm_health.refresh_{kind}(ARRAY[$1::uuid], 0, now() - make_interval(days => $2))"
                    ),
                    &[&user, &(35 - day)],
                );
            }
        }
    }
    db.run("DELETE FROM deal_health_history WHERE snapshot_at = now(); DELETE FROM relationship_health_history WHERE snapshot_at = now()");
    let daily: Value = db.value(SNAPSHOTS, &[]);
    db.run("ROLLBACK TO fresh");
    Crm(&mut db).refresh(user);
    let real: Value = db.value(SNAPSHOTS, &[]);
    let (deals, relationships) = fill(&mut db, user, FROM_TO);
    let all: Value = db.value(SNAPSHOTS, &[]);
    db.run("COMMIT");
    let (all, real) = (
        all.as_array().expect("rows"),
        real.as_array().expect("rows"),
    );
    let (filled, kept) = all.split_at(all.len() - real.len());
    assert_eq!(kept, real, "what was there is untouched");
    assert_eq!(filled.len() as i64, deals + relationships);
    let daily = daily.as_array().expect("rows");
    for (filled, daily) in filled.iter().zip(daily) {
        assert_eq!(filled, daily);
    }
    assert_eq!(filled.len(), daily.len());
    assert!(deals > 2 && relationships > 4, "{deals}, {relationships}");
    let reasons: Vec<&str> = filled
        .iter()
        .filter_map(|row| row["snapshot_reason"].as_str())
        .collect();
    for reason in ["scheduled", "ghost_detected", "recovery"] {
        assert!(reasons.contains(&reason), "{reason} in {reasons:?}");
    }
}

#[test]
fn a_second_run_adds_nothing_and_an_earlier_start_only_what_was_before() {
    let mut db = Database::new();
    let user = somebody(&mut db);
    Crm(&mut db).refresh(user);
    let (deals, relationships) = fill(&mut db, user, "now() - interval '10 days'");
    assert!(deals > 0 && relationships > 0);
    let rows: Value = db.value(SNAPSHOTS, &[]);
    assert_eq!(fill(&mut db, user, "now() - interval '10 days'"), (0, 0));
    assert_eq!(
        fill(&mut db, user, "now() - interval '10 days', now(), '1 hour'"),
        (0, 0)
    );
    assert_eq!(db.value::<Value>(SNAPSHOTS, &[]), rows);
    let (deals, relationships) = fill(&mut db, user, FROM_TO);
    assert!(deals > 0 && relationships > 0);
    let later: i64 = db.value(
        "SELECT count(*) FROM relationship_health_history WHERE snapshot_at > now() - interval '9 days'",
        &[],
    );
    let before: usize = rows
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["deal_id"].is_null())
        .count();
    assert!(later as usize <= before, "nothing between what was there");
    assert_eq!(fill(&mut db, user, FROM_TO), (0, 0));
}

#[test]
fn a_relationship_that_was_never_scored_has_no_place_for_snapshots_and_a_deal_has() {
    let mut db = Database::new();
    let user = somebody(&mut db);
    let (deals, relationships) = fill(&mut db, user, FROM_TO);
    assert!(deals > 0, "{deals}");
    assert_eq!(relationships, 0);
    let scores: i64 = db.value(
        "SELECT (SELECT count(*) FROM deal_health_scores) + (SELECT count(*) FROM relationship_health_scores)",
        &[],
    );
    assert_eq!(scores, 0, "no score is written");
}

#[test]
fn another_users_history_is_left_alone() {
    let mut db = Database::new();
    let (user, other) = (somebody(&mut db), somebody(&mut db));
    for user in [user, other] {
        Crm(&mut db).refresh(user);
    }
    fill(&mut db, user, FROM_TO);
    let rows: i64 = db.value(
        "SELECT count(*) FROM relationship_health_history WHERE user_id = $1 AND snapshot_at < now() - interval '1 hour'",
        &[&other],
    );
    assert_eq!(rows, 0);
}

#[test]
fn one_that_is_cancelled_keeps_nothing() {
    let mut db = Database::new();
    let user = somebody(&mut db);
    Crm(&mut db).refresh(user);
    let rows: Value = db.value(SNAPSHOTS, &[]);
    for function in ["replay", "fill_history"] {
        let mut session = db.session();
        session
            .batch_execute("SET statement_timeout = '100ms'")
            .expect("a setting");
        let (state, ..) = error_of(
            &mut session,
            &format!(
                "SELECT count(*) FROM crm_health.{function}('{user}', now() - interval '999 hours', now(), '1 hour')"
            ),
        );
        assert_eq!(state, "57014", "{function}");
    }
    assert_eq!(db.value::<Value>(SNAPSHOTS, &[]), rows);
    // Nothing is left locked.
    fill(&mut db, user, FROM_TO);
}

#[test]
fn two_at_once_keep_each_snapshot_once() {
    let mut db = Database::new();
    let user = somebody(&mut db);
    Crm(&mut db).refresh(user);
    let fills = [db.session(), db.session()].map(|mut session| {
        std::thread::spawn(move || {
            let row = session.query_one(
                &format!("SELECT deal_snapshots + relationship_snapshots FROM crm_health.fill_history($1, {})",
                    "date_trunc('day', now()) - interval '40 days', date_trunc('day', now())"),
                &[&user],
            );
            row.expect("a fill").get::<_, i64>(0)
        })
    });
    let mut kept = fills.map(|fill| fill.join().expect("no panic"));
    kept.sort_unstable();
    assert_eq!(kept[0], 0);
    assert!(kept[1] > 0);
    let twice: i64 = db.value(
        "SELECT count(*) FROM (SELECT FROM deal_health_history GROUP BY deal_id, snapshot_at HAVING count(*) > 1
                               UNION ALL
                               SELECT FROM relationship_health_history GROUP BY relationship_health_id, snapshot_at HAVING count(*) > 1) t",
        &[],
    );
    assert_eq!(twice, 0);
}
