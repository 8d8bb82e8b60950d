//! Many at once, strange names, other users, and tables that are missing or broken.

use super::*;

#[test]
fn ten_thousand_alerts_are_raised_in_one_refresh_and_again_changed_in_one() {
    let mut db = Database::new();
    let user = Crm(&mut db).user(0.0);
    db.query(
        "INSERT INTO deals (owner_id, name, value, status, stage_id, created_at, stage_changed_at)
         SELECT $1, 'Deal ' || n, n, 'active', (SELECT id FROM deal_stages WHERE name = 'SQL'), now(), now()
         FROM generate_series(1, 10000) n",
        &[&user],
    );
    db.run("UPDATE deal_health_rules SET is_active = rule_type = 'days_in_current_stage'");
    refresh(&mut db, user, 0);
    let count = "SELECT concat_ws(' ', count(*), count(DISTINCT deal_id), min(severity), min(status)) FROM deal_health_alerts";
    refresh(&mut db, user, 15);
    assert_eq!(db.value::<String>(count, &[]), "10000 10000 warning active");
    let told = "SELECT count(DISTINCT data ->> 'alert_id') FROM crm_health.notifications WHERE kind = 'alert_raised' AND severity = $1";
    assert_eq!(db.value::<i64>(told, &[&"warning"]), 10_000);
    refresh(&mut db, user, 40);
    assert_eq!(
        db.value::<String>(count, &[]),
        "10000 10000 critical active"
    );
    assert_eq!(db.value::<i64>(told, &[&"critical"]), 10_000);
    db.run("UPDATE deals SET stage_changed_at = now() + interval '39 days'");
    refresh(&mut db, user, 40);
    assert_eq!(
        db.value::<String>(count, &[]),
        "10000 10000 critical resolved"
    );
}

#[test]
fn names_are_kept_to_the_letter_whatever_is_in_them() {
    for name in [
        "{company} {deal_name} {{x}} }{",
        "<script>alert(1)</script>",
        "'; DROP TABLE deals; --",
        "\" \\ \u{1} \n 😀 %s $1",
    ] {
        let (mut db, user, deal) = scored();
        db.query(
            "UPDATE deals SET name = $2, company = '{deal_name}' WHERE id = $1",
            &[&deal, &name],
        );
        set_stage_days(&mut db, deal, 15.0);
        refresh(&mut db, user, 0);
        let message: String = db.value("SELECT message FROM deal_health_alerts", &[]);
        assert_eq!(
            message,
            format!("{name} ({{deal_name}}) has been in Opportunity for 15 days.")
        );
        let title: String = db.value("SELECT title FROM crm_health.notifications", &[]);
        assert_eq!(title, format!("{name}: no progress in its stage"));
    }
}

#[test]
fn two_refreshes_at_once_raise_one_alert() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    refresh_twice_at_once(&mut db, "refresh_deals", user);
    assert_eq!(alerts(&mut db), json!(["stage_stall warning active"]));
    assert_eq!(told(&mut db).len(), 1);
}

#[test]
fn one_is_acknowledged_and_dismissed_by_its_owner_and_trusted_roles_only() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 15.0);
    refresh(&mut db, user, 0);
    let id = alert_id(&mut db);
    let mut session = db.session();
    for function in ["acknowledge_alert", "dismiss_alert"] {
        let call = format!("SELECT crm_health.{function}('{id}')");
        assert_refused_to_others(&mut session, user, &call);
    }
    assert_eq!(alerts(&mut db), json!(["stage_stall warning active"]));
    become_role(&mut session, "authenticated", Some(&user.to_string()));
    let call = "SELECT crm_health.acknowledge_alert($1)";
    let status: String = session.query_one(call, &[&id]).expect("one's own").get(0);
    assert_eq!(status, "acknowledged");
    let by: Uuid = db.value(
        "SELECT acknowledged_by FROM deal_health_alerts WHERE acknowledged_at IS NOT NULL",
        &[],
    );
    assert_eq!(by, user);
    become_role(&mut session, "service_role", None);
    let dismiss = "SELECT crm_health.dismiss_alert($1)";
    let status: String = session.query_one(dismiss, &[&id]).expect("anyone's").get(0);
    assert_eq!(status, "dismissed");
    // What is dismissed is not made louder, and what is over stays over.
    let status: String = session.query_one(call, &[&id]).expect("idempotent").get(0);
    assert_eq!(status, "dismissed");
    db.run("UPDATE deal_health_alerts SET status = 'resolved'");
    for call in [call, dismiss] {
        let status: String = session.query_one(call, &[&id]).expect("idempotent").get(0);
        assert_eq!(status, "resolved");
    }
    let (code, message, hint) = error_of(
        &mut session,
        "SELECT crm_health.dismiss_alert('00000000-0000-0000-0000-000000000001')",
    );
    assert_eq!(code, "P0002", "{message}");
    assert!(
        message.contains("00000000-0000-0000-0000-000000000001"),
        "{message}"
    );
    assert!(hint.contains("SELECT"), "{hint}");
    let none = session
        .query_one("SELECT crm_health.dismiss_alert(NULL)", &[])
        .expect("NULL");
    assert_eq!(none.get::<_, Option<String>>(0), None);
}

#[test]
fn without_the_tables_of_alerts_or_rules_scores_are_what_they_are() {
    let (mut db, user, deal) = scored();
    set_stage_days(&mut db, deal, 31.0);
    let expected = {
        refresh(&mut db, user, 0);
        all_scores(&mut db)
    };
    for damage in [
        "DROP TABLE deal_health_rules",
        "DROP TABLE deal_health_alerts",
        "ALTER TABLE deal_health_alerts DROP COLUMN message",
        "DROP TABLE deal_health_alerts; CREATE VIEW deal_health_alerts AS SELECT 1 AS id",
        "ALTER TABLE deal_health_rules DROP COLUMN rule_type",
    ] {
        db.run(&format!("BEGIN; {damage}"));
        refresh(&mut db, user, 0);
        assert_eq!(all_scores(&mut db), expected, "{damage}");
        db.run("ROLLBACK");
    }
}

#[test]
fn a_table_of_alerts_that_cannot_be_written_is_warned_of() {
    let (mut db, user, _) = scored();
    db.run("ALTER TABLE deal_health_alerts DROP COLUMN message");
    let (mut session, notices) = listen(&db.url());
    session
        .query(
            "SELECT crm_health.refresh_deals(ARRAY[$1::uuid], 0)",
            &[&user],
        )
        .expect("a refresh");
    let warnings = notices.of("WARNING");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with(
            "no alerts are raised: table \"public.deal_health_alerts\" has no column \"message\""
        ),
        "{warnings:?}"
    );
}
