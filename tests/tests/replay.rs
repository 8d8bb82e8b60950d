//! The past is scored from what was known then, and can be kept where there was no history yet.

use crm_health_tests::database::error_of;
use crm_health_tests::scores::SAMPLE;
use crm_health_tests::session::become_role;
use crm_health_tests::{Crm, Database};
use serde_json::Value;
use uuid::Uuid;

/// What a replay returns at one instant, by subject.
const REPLAYED: &str =
    "SELECT coalesce(jsonb_object_agg(r.subject_type || ' ' || r.subject_id || ' of ' || u.id,
       jsonb_build_array(r.health_score, r.health_status, r.risk_level, r.is_ghost_risk, r.ghost_probability_percent)), '{}')
     FROM profiles u, crm_health.replay(u.id, $1::text::timestamptz, $1::text::timestamptz) r";

/// What the score tables hold, in the same form.
const STORED: &str =
    "SELECT jsonb_object_agg(kind || ' ' || id || ' of ' || user_id, jsonb_build_array(score, status, risk, ghost, probability))
     FROM (SELECT 'deal' AS kind, deal_id AS id, user_id, overall_health_score AS score, health_status AS status,
                  risk_level AS risk, NULL::boolean AS ghost, NULL::integer AS probability
           FROM deal_health_scores
           UNION ALL
           SELECT relationship_type, coalesce(contact_id, company_id), user_id, overall_health_score, health_status,
                  risk_level, is_ghost_risk, ghost_probability_percent
           FROM relationship_health_scores) s";

/// Takes away what came after an instant, and links the answers that had come.
const CUT: &str = "
    DELETE FROM communication_events WHERE event_timestamp > $at;
    DELETE FROM activities WHERE created_at > $at;
    DELETE FROM deal_meetings l USING meetings m WHERE m.id = l.meeting_id AND m.meeting_start > $at AND m.created_at > $at;
    DELETE FROM meeting_contacts l USING meetings m WHERE m.id = l.meeting_id AND m.meeting_start > $at AND m.created_at > $at;
    DELETE FROM meetings WHERE meeting_start > $at AND created_at > $at;
    UPDATE meetings SET sentiment_score = NULL WHERE meeting_start > $at;";

const LINK: &str = "SELECT crm_health.link_replies(id) FROM profiles;";

fn refresh_everyone(at: &str) -> String {
    ["deals", "relationships"]
        .map(|kind| format!("SELECT count(*) FROM crm_health.refresh_{kind}((SELECT array_agg(id) FROM profiles), 0, {at});"))
        .concat()
}

/// A sample whose rows were entered before they happened, and none of whose mail was answered yet.
fn sample(db: &mut Database) {
    db.run(SAMPLE);
    db.run(
        "UPDATE contacts SET created_at = '2024-01-01';
         UPDATE meetings SET created_at = meeting_start - interval '10 days';
         UPDATE communication_events SET was_replied = false;",
    );
}

fn replayed(db: &mut Database, at: &str) -> Value {
    db.value(REPLAYED, &[&at])
}

fn keys<'a>(scores: &'a Value, kind: &str) -> Vec<&'a String> {
    let scores = scores.as_object().expect("scores").keys();
    scores.filter(|key| key.starts_with(kind)).collect()
}

#[test]
fn an_instant_is_scored_as_a_refresh_then_scored_it() {
    let mut db = Database::new();
    sample(&mut db);
    let instants = ["2024-05-20 12:00+00", "2024-06-15 12:00+00"];
    let wrote = instants.map(|at| {
        let quoted = format!("'{at}'::timestamptz");
        db.run(&format!(
            "BEGIN; {} {LINK} {}",
            CUT.replace("$at", &quoted),
            refresh_everyone(&quoted)
        ));
        let wrote: Value = db.value(STORED, &[]);
        db.run("ROLLBACK");
        wrote
    });
    // What came later: answers, moves, ends, new people.
    db.run(&format!(
        "{LINK}
         UPDATE deals SET stage_id = (SELECT id FROM deal_stages WHERE name = 'Verbal'), stage_changed_at = now()
         WHERE id IN (SELECT id FROM deals WHERE stage_changed_at < '2024-05-20' ORDER BY id LIMIT 5);
         UPDATE deals SET status = 'won'
         WHERE id IN (SELECT id FROM deals WHERE stage_changed_at < '2024-05-20' ORDER BY id DESC LIMIT 5);
         INSERT INTO deals (owner_id, name, value) SELECT id, 'New', 1 FROM profiles;
         INSERT INTO contacts (owner_id, email) SELECT id, 'new@example.com' FROM profiles;"
    ));
    for (at, wrote) in instants.into_iter().zip(wrote) {
        let found = replayed(&mut db, at);
        for (subject, score) in found.as_object().expect("scores") {
            assert_eq!(*score, wrote[subject], "{subject} at {at}");
        }
        for (kind, least) in [("contact", 60), ("company", 12), ("deal", 15)] {
            let count = keys(&found, kind).len();
            assert!(
                count >= least,
                "{count} of {kind} at {at}: {:?}",
                keys(&wrote, kind).len()
            );
        }
    }
    // All of them at the second instant, for then every deal was where it was last seen in 2024.
    assert_eq!(keys(&replayed(&mut db, instants[1]), "deal").len(), 30);
}

#[test]
fn it_writes_nothing() {
    let mut db = Database::new();
    sample(&mut db);
    db.run("BEGIN READ ONLY");
    assert!(!keys(&replayed(&mut db, "2024-06-15 12:00+00"), "deal").is_empty());
    db.run("COMMIT");
}

#[test]
fn the_instants_are_a_step_apart() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let contact = crm.contact(user);
    crm.set("contacts", contact, "created_at = '2024-01-01'");
    let instants: Vec<String> = db
        .query(
            "SELECT to_char(as_of AT TIME ZONE 'UTC', 'MM-DD HH24') FROM crm_health.replay(
               $1, '2024-01-30 12:00+00', '2024-04-29 13:00+00', '1 month')",
            &[&user],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(instants, ["01-30 12", "02-29 12", "03-29 12", "04-29 12"]);
}

/// The stages that replays on some days of June 2024 find a deal in, by its score for the days there.
fn stage_scores(db: &mut Database, user: Uuid, days: &[u32]) -> Vec<Option<i32>> {
    days.iter()
        .map(|day| {
            let rows = db.query(
                "SELECT r.health_score FROM crm_health.replay($1, $2::text::timestamptz, $2::text::timestamptz) r
                 WHERE r.subject_type = 'deal'",
                &[&user, &format!("2024-06-{day:02} 12:00+00")],
            );
            rows.first().map(|row| row.get(0))
        })
        .collect()
}

const SINCE_THE_5TH: &str = "stage_changed_at = '2024-06-05 12:00+00'";

/// A deal of a stage and status, entered on 2024-06-01 at noon; no history of it was kept.
fn deal_of_june(db: &mut Database, stage: &str, status: &str, more: &str) -> (Uuid, Uuid) {
    let mut crm = Crm(db);
    let user = crm.user(0.0);
    let deal = crm.deal(user, stage, 0.0);
    crm.set(
        "deals",
        deal,
        &format!("created_at = '2024-06-01 12:00+00', status = '{status}', {more}"),
    );
    db.query(
        "DELETE FROM deal_stage_history WHERE deal_id = $1",
        &[&deal],
    );
    (user, deal)
}

#[test]
fn a_deal_is_in_the_stage_that_it_was_in() {
    let mut db = Database::new();
    let (user, deal) = deal_of_june(&mut db, "Opportunity", "active", SINCE_THE_5TH);
    for (stage, status, day) in [
        ("SQL", "active", 3),
        ("SQL", "on hold", 8),
        ("SQL", "active", 10),
        ("Opportunity", "active", 20),
    ] {
        db.query(
            "INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at)
             VALUES ($1, $2, (SELECT id FROM deal_stages WHERE name = $3), $4, make_timestamptz(2024, 6, $5, 12, 0, 0, 'UTC'))",
            &[&deal, &user, &stage, &status, &day],
        );
    }
    db.query(
        "UPDATE deals SET stage_changed_at = '2024-06-20 12:00+00' WHERE id = $1",
        &[&deal],
    );
    // Sentiment 50, engagement 50, activity 20, response 70 with their weights are 32.5; to them comes 0.3 of the stage:
    // SQL for 2 days, for 10 (100 − 40·3/7 = 83), for 15 (60 − 40/16 = 57.5); Opportunity for 2.
    assert_eq!(
        stage_scores(&mut db, user, &[2, 5, 9, 13, 18, 22]),
        [None, Some(63), None, Some(57), Some(50), Some(63)],
        "nowhere known, SQL, on hold, SQL since the third, Opportunity"
    );
}

#[test]
fn a_deal_that_never_moved_is_known_from_its_dates() {
    let mut db = Database::new();
    let (user, _) = deal_of_june(&mut db, "SQL", "active", SINCE_THE_5TH);
    assert_eq!(
        stage_scores(&mut db, user, &[4, 6]),
        [None, Some(63)],
        "in June it came from another stage, or nobody knows"
    );
    let (user, _) = deal_of_june(&mut db, "SQL", "active", "stage_changed_at = NULL");
    assert_eq!(stage_scores(&mut db, user, &[1, 2]), [Some(63), Some(63)]);
}

#[test]
fn a_closed_deal_was_active_until_it_closed() {
    let mut db = Database::new();
    for (more, expected) in [
        ("closed_lost_date = '2024-06-09'", [Some(63), None]),
        ("closed_won_date = '2024-06-09'", [Some(63), None]),
        // When it ended nobody knows.
        ("closed_won_date = NULL", [None, None]),
    ] {
        let more = format!("{SINCE_THE_5TH}, {more}");
        let (user, _) = deal_of_june(&mut db, "SQL", "closed", &more);
        assert_eq!(stage_scores(&mut db, user, &[8, 10]), expected, "{more}");
    }
    let more = format!("{SINCE_THE_5TH}, closed_won_date = '2024-06-09'");
    let (user, _) = deal_of_june(&mut db, "Signed", "won", &more);
    assert_eq!(
        stage_scores(&mut db, user, &[6]),
        [None],
        "a final stage is no place to be active in"
    );
}

#[test]
fn a_contact_is_there_from_its_entry_or_the_first_that_passed() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let [entered, wrote, met, guest] = [(); 4].map(|()| crm.contact(user));
    crm.set(
        "contacts",
        entered,
        "created_at = now() - interval '30 days'",
    );
    crm.received(user, wrote, 20.0);
    crm.meeting(user, met, 10.0);
    let meeting = crm.meeting(user, entered, 5.0);
    db.query(
        "INSERT INTO meeting_contacts (meeting_id, contact_id) VALUES ($1, $2)",
        &[&meeting, &guest],
    );
    for (days, there) in [
        (31, vec![]),
        (25, vec![entered]),
        (15, vec![entered, wrote]),
        (7, vec![entered, wrote, met]),
        (2, vec![entered, wrote, met, guest]),
    ] {
        let mut found: Vec<Uuid> = db
            .query(
                "SELECT subject_id FROM crm_health.replay($1, now() - make_interval(days => $2), now() - make_interval(days => $2))",
                &[&user, &days],
            )
            .iter()
            .map(|row| row.get(0))
            .collect();
        let mut there = there;
        found.sort();
        there.sort();
        assert_eq!(found, there, "{days} days ago");
    }
}

#[test]
fn whoever_is_not_the_user_and_not_trusted_is_refused() {
    let mut db = Database::new();
    let mut crm = Crm(&mut db);
    let (own, other) = (crm.user(0.0), crm.user(0.0));
    let calls = |user: Uuid| {
        ["replay", "fill_history"].map(|function| {
            format!("SELECT * FROM crm_health.{function}('{user}', now() - interval '1 day')")
        })
    };
    let mut session = db.session();
    become_role(&mut session, "authenticated", Some(&own.to_string()));
    for call in calls(own) {
        session.batch_execute(&call).expect(&call);
    }
    for call in calls(other) {
        assert_eq!(error_of(&mut session, &call).0, "42501", "{call}");
    }
    become_role(&mut session, "anon", Some(&own.to_string()));
    for call in calls(own) {
        assert_eq!(error_of(&mut session, &call).0, "42501", "anon: {call}");
    }
    become_role(&mut session, "service_role", None);
    for call in calls(own) {
        session.batch_execute(&call).expect(&call);
    }
}

#[test]
fn nobody_has_no_past() {
    let mut db = Database::new();
    sample(&mut db);
    for user in ["NULL", "gen_random_uuid()"] {
        let rows = db.query(
            &format!("SELECT * FROM crm_health.replay({user}, '2024-06-15', '2024-06-16')"),
            &[],
        );
        assert!(rows.is_empty(), "{user}");
        let filled = &db.query(
            &format!("SELECT * FROM crm_health.fill_history({user}, '2024-06-15', '2024-06-16')"),
            &[],
        )[0];
        assert_eq!((filled.get::<_, i64>(0), filled.get::<_, i64>(1)), (0, 0));
    }
}

#[test]
fn bad_arguments_are_told() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    for (arguments, reason) in [
        ("NULL", "must not be null"),
        ("now() - interval '1 day', NULL", "must not be null"),
        ("now() - interval '1 day', now(), NULL", "must not be null"),
        ("'-infinity'", "must be finite times"),
        ("'infinity'", "must be finite times"),
        ("now(), now() - interval '1 day'", "must not lie before"),
        (
            "now(), now() + interval '1 hour'",
            "must not lie in the future",
        ),
        ("now(), now(), '59 minutes'", "at least an hour"),
        ("now(), now(), '0'", "at least an hour"),
        ("now(), now(), '-1 day'", "at least an hour"),
        ("now() - interval '1000 days'", "at most 1000 instants"),
        // A step that is longer than an hour on paper, and goes back in February.
        (
            "'2024-02-01', '2024-03-01', '1 month -29 days'",
            "at most 1000 instants",
        ),
    ] {
        for function in ["replay", "fill_history"] {
            let (state, message, _) = db.error(&format!(
                "SELECT * FROM crm_health.{function}('{user}', {arguments})"
            ));
            assert_eq!(state, "22023", "{function} {arguments}: {message}");
            assert!(
                message.contains(reason),
                "{function} {arguments}: {message}"
            );
        }
    }
    db.query(
        "SELECT * FROM crm_health.replay($1, now() - interval '999 days')",
        &[&user],
    );
}
