//! A refresh reads a few targets one by one and whole users at once, and the events by whatever index there is. The
//! scores are the same in each of these ways.

use crm_health_tests::Database;

/// Three users: contacts with and without a company, all kinds of events over 500 days (also mail to two contacts,
/// events of a company alone, automated mail, silent contacts), meetings of all three kinds, deals.
const FILL: &str = "
SET session_replication_role = replica;
INSERT INTO profiles (id, last_login_at) SELECT md5('user' || u)::uuid, now() FROM generate_series(1, 3) u;
INSERT INTO companies (id, name) SELECT md5('company' || k)::uuid, 'Company' FROM generate_series(1, 6) k;
INSERT INTO contacts (id, owner_id, email, company_id)
  SELECT md5('contact' || c)::uuid, md5('user' || c % 3 + 1)::uuid, c || '@example.com',
         CASE WHEN c % 4 > 0 THEN md5('company' || c % 6 + 1)::uuid END
  FROM generate_series(1, 60) c;
INSERT INTO communication_events (id, user_id, contact_id, company_id, event_type, direction, event_timestamp, subject,
    was_opened, was_replied, response_time_hours, sentiment_score, thread_id, thread_position, external_id,
    external_source, metadata)
  SELECT md5('event' || e)::uuid, md5('user' || c % 3 + 1)::uuid, CASE WHEN h % 23 > 0 THEN md5('contact' || c)::uuid END,
         CASE WHEN h % 5 = 0 THEN md5('company' || h % 7 + 1)::uuid END,
         (ARRAY['email_sent', 'email_received', 'email_sent', 'email_received', 'email_opened', 'call_made', 'meeting_held',
                'meeting_rescheduled', 'meeting_cancelled', 'meeting_scheduled'])[h % 10 + 1],
         (ARRAY['outbound', 'inbound', 'outbound', 'inbound', 'system', 'outbound', 'inbound', 'inbound', 'inbound', 'inbound'])[h % 10 + 1],
         '2026-03-01'::timestamptz - CASE WHEN c % 5 = 0 THEN 95 ELSE 0 END * interval '1 day'
           - (h % 1000 / 1000.0) ^ 2 * interval '400 days' - c % 7 * interval '7 days',
         'Subject ' || e, h % 3 = 0, h % 11 = 0, CASE WHEN h % 2 = 0 THEN round((h % 977) / 10.0, 2) END,
         CASE WHEN h % 3 = 0 THEN round((h % 201) / 100.0 - 1, 2) END,
         CASE WHEN h % 2 = 0 THEN 'thread ' || c || ' ' || h % 3 END, h % 4 + 1,
         CASE WHEN h % 3 > 0 THEN 'mail ' || h % 1500 END, 'gmail',
         CASE WHEN h % 13 = 0 THEN '{\"automated\": true}'::jsonb ELSE '{}' END
  FROM generate_series(1, 4000) e,
       LATERAL (SELECT abs(hashint4(e)) AS h) AS a, LATERAL (SELECT e % 60 + 1 AS c) AS b
  ON CONFLICT DO NOTHING;
INSERT INTO meetings (id, title, meeting_start, owner_user_id, primary_contact_id, company_id, sentiment_score)
  SELECT md5('meeting' || m)::uuid, 'Meeting ' || m, '2026-03-20'::timestamptz - m * interval '1 day', md5('user' || m % 3 + 1)::uuid,
         CASE WHEN m % 2 = 0 THEN md5('contact' || m % 60 + 1)::uuid END, CASE WHEN m % 3 = 0 THEN md5('company' || m % 6 + 1)::uuid END,
         CASE WHEN m % 4 > 0 THEN round(cos(m)::numeric, 2) END
  FROM generate_series(1, 250) m;
INSERT INTO meeting_contacts (meeting_id, contact_id)
  SELECT md5('meeting' || m)::uuid, md5('contact' || m % 30 + 1)::uuid FROM generate_series(1, 250, 3) m;
INSERT INTO deals (id, owner_id, name, value, status, created_at, primary_contact_id, company_id)
  SELECT md5('deal' || d)::uuid, md5('user' || d % 3 + 1)::uuid, 'Deal', d * 1000.50, 'active', '2026-01-01',
         md5('contact' || d % 60 + 1)::uuid, CASE WHEN d % 2 = 0 THEN md5('company' || d % 6 + 1)::uuid END
  FROM generate_series(1, 40) d;
RESET session_replication_role;
ANALYZE;";

const USERS: &str = "(SELECT array_agg(id) FROM profiles)";

/// How users are refreshed: all in one call, or in a call each.
const TOGETHER: [&str; 2] = [
    "SELECT count(*) FROM crm_health.refresh_{kind}({USERS}, 0, '{at}')",
    "SELECT count(r) FROM profiles p CROSS JOIN LATERAL crm_health.refresh_{kind}(ARRAY[p.id], 0, '{at}') r",
];

fn scores(db: &Database) -> Vec<String> {
    scores_by(db, TOGETHER[0], "SELECT")
}

/// Refreshes as of two instants, the later one by what is kept of the earlier one's streams, and returns each time every
/// score as text. A session of its own, so that nothing is kept from another way.
fn scores_by(db: &Database, call: &str, settings: &str) -> Vec<String> {
    let mut session = db.session();
    session.batch_execute(settings).expect("settings");
    session
        .batch_execute("DELETE FROM relationship_health_scores; DELETE FROM contact_streams; DELETE FROM relationship_health_history;
             DELETE FROM crm_health.notifications;")
        .expect("nothing is scored yet");
    let mut all = Vec::new();
    for at in ["2026-03-01 08:00+00", "2026-03-04 20:00+00"] {
        for kind in ["deals", "relationships"] {
            let filled = call.replace("{kind}", kind).replace("{USERS}", USERS);
            session
                .batch_execute(&filled.replace("{at}", at))
                .expect("a refresh");
        }
        let rows = session
            .query(
                "SELECT (to_jsonb(s) - '{id,created_at,updated_at}'::text[])::text
                 FROM relationship_health_scores s ORDER BY s.user_id, s.contact_id, s.company_id",
                &[],
            )
            .expect("scores");
        all.extend(rows.iter().map(|row| row.get(0)));
        let history = session
            .query(
                "SELECT (to_jsonb(h) - '{id,relationship_health_id}'::text[])::text AS snapshot
                 FROM relationship_health_history h ORDER BY snapshot",
                &[],
            )
            .expect("history");
        all.extend(history.iter().map(|row| row.get(0)));
    }
    let told = session
        .query(
            "SELECT concat_ws(' ', n.kind, n.subject_id, n.title, n.detail, n.data) AS told
             FROM crm_health.notifications n WHERE n.subject_type IN ('contact', 'company') ORDER BY told",
            &[],
        )
        .expect("notifications");
    assert!(told.len() > 2, "nobody's status worsens");
    all.extend(told.iter().map(|row| row.get(0)));
    all
}

fn assert_same(found: &[String], expected: &[String], way: &str) {
    assert_eq!(found.len(), expected.len(), "{way}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{way}");
    }
}

fn all_ways_agree(prepare: &str) {
    let mut db = Database::new();
    db.run(FILL);
    db.run(prepare);
    // Without this function targets are read one by one, as before there was a way to read them at once.
    db.run("ALTER FUNCTION crm_health.scored_relationships RENAME TO scored_put_aside");
    let expected = scores(&db);
    db.run("ALTER FUNCTION crm_health.scored_put_aside RENAME TO scored_relationships");
    assert!(expected.len() > 140, "{} rows", expected.len());
    let ways = [
        ("SELECT", "an index that holds all"),
        (
            "DROP INDEX communication_events_automated_idx",
            "an index on time, and rows",
        ),
        (
            "DROP INDEX communication_events_time_idx",
            "an index on contact and time",
        ),
        (
            "DROP INDEX communication_events_contact_time_idx",
            "no index on time",
        ),
        (
            "ALTER TABLE communication_events RENAME TO all_events;
             CREATE VIEW communication_events AS SELECT * FROM all_events;
             DO $$BEGIN EXECUTE format('ALTER VIEW communication_events OWNER TO %I',
               (SELECT tableowner FROM pg_tables WHERE tablename = 'all_events')); END$$",
            "a view",
        ),
    ];
    for (change, way) in ways {
        db.run(change);
        for call in TOGETHER {
            assert_same(
                &scores_by(&db, call, "SELECT"),
                &expected,
                &format!("{way}: {call}"),
            );
        }
    }
}

/// Where the events of all users do not fit into memory, they are read in several passes.
#[test]
fn so_they_do_where_memory_is_short() {
    let mut db = Database::new();
    db.run(FILL);
    // Ten megabytes, where one is to do; and users of whom one alone has more than that.
    db.run("UPDATE communication_events SET subject = subject || repeat('.', 4000)");
    let expected = scores_by(&db, TOGETHER[1], "SET maintenance_work_mem = '1GB'");
    db.run("DROP INDEX communication_events_automated_idx, communication_events_time_idx");
    for memory in ["1MB", "5MB", "1GB"] {
        let found = scores_by(
            &db,
            TOGETHER[0],
            &format!("SET maintenance_work_mem = '{memory}'"),
        );
        assert_same(&found, &expected, memory);
    }
}

#[test]
fn all_ways_to_the_events_lead_to_the_same_scores() {
    all_ways_agree("SELECT");
}

#[test]
fn so_they_do_under_the_rules() {
    all_ways_agree("UPDATE crm_health.settings SET value = 'rules' WHERE name = 'ghost_model'");
}

#[test]
fn so_they_do_where_a_few_are_stale() {
    let mut db = Database::new();
    db.run(FILL);
    let expected = scores(&db);
    // One in twenty is made stale: those are looked up one by one. Half of them: their users are read at once.
    for (one_in, way) in [(20, "one by one"), (2, "at once")] {
        db.run(&format!(
            "UPDATE relationship_health_scores s SET last_calculated_at = '2026-02-01', overall_health_score = 1,
                    total_interactions_30_days = -1
             FROM (SELECT id, row_number() OVER (ORDER BY user_id, contact_id, company_id) AS n
                   FROM relationship_health_scores) r WHERE r.id = s.id AND r.n % {one_in} = 0"
        ));
        let updated: i64 = db.value(
            &format!("SELECT count(*) FILTER (WHERE updated) FROM crm_health.refresh_relationships({USERS}, 24, '2026-03-04 20:00+00')"),
            &[],
        );
        let all: i64 = db.value("SELECT count(*) FROM relationship_health_scores", &[]);
        assert_eq!(updated, all / one_in, "{way}");
        let rows: Vec<String> = db
            .query(
                "SELECT (to_jsonb(s) - '{id,created_at,updated_at}'::text[])::text
                 FROM relationship_health_scores s ORDER BY s.user_id, s.contact_id, s.company_id",
                &[],
            )
            .iter()
            .map(|row| row.get(0))
            .collect();
        for row in &rows {
            assert!(expected.contains(row), "{way}: {row}");
        }
    }
}

#[test]
fn a_numeric_becomes_the_double_that_a_cast_makes_of_it() {
    let mut db = Database::new();
    let differ: Vec<String> = db
        .query(
            "SELECT n::text FROM (
               SELECT (random() * 10 ^ (random() * 24))::numeric(40, 12) * CASE WHEN random() < 0.5 THEN -1 ELSE 1 END AS n
               FROM generate_series(1, 20000)
               UNION ALL SELECT round((random() * 2000 - 1000)::numeric, (random() * 6)::int) FROM generate_series(1, 20000)
               UNION ALL SELECT m * 10::numeric ^ e FROM unnest(ARRAY[0, 1, -1, 3, 9999, 10000, 10001, -99999999, 123456789012]) m,
                                                         generate_series(-30, 30) e
               UNION ALL SELECT unnest('{NaN,Infinity,-Infinity,0.0001,-0.00009,1e-140,12345678901234567890.5}'::numeric[])
             ) a WHERE crm_health.float8_of(n) IS DISTINCT FROM n::float8",
            &[],
        )
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(differ.is_empty(), "{differ:?}");
}
