//! On a standby fresh scores are read, and what would have to write says so.

use crm_health_tests::database::{connect, error_of};
use crm_health_tests::session::wait_until;
use crm_health_tests::{Cluster, Crm, Database};

#[test]
fn a_standby_reads_fresh_scores_and_refuses_to_compute() {
    let primary = Cluster::start("postgres", &["fsync = off"]);
    primary.crm_database("crm");
    let mut db = Database::on(&primary.server(), Some("crm"));
    let mut crm = Crm(&mut db);
    let user = crm.user(0.0);
    let (deal, contact) = (crm.deal(user, "SQL", 40.0), crm.contact(user));
    crm.sent(user, contact, 3.0);
    db.run("CALL crm_health.refresh_active_users()");
    let standby = primary.standby();
    let name = db.url().rsplit('/').next().expect("a name").to_owned();
    let mut reader = connect(&format!("{}{name}", standby.server()));

    for function in [
        "refresh_deal_health_scores",
        "refresh_relationship_health_scores",
    ] {
        let rows = reader
            .query(&format!("SELECT updated FROM {function}($1)"), &[&user])
            .unwrap_or_else(|error| panic!("{function}: {error:?}"));
        assert_eq!(rows.len(), 1, "{function}");
        assert!(!rows[0].get::<_, bool>(0), "{function}");
        let (code, message, hint) =
            error_of(&mut reader, &format!("SELECT {function}('{user}', 0)"));
        assert_eq!(
            (code.as_str(), message.as_str(), hint.as_str()),
            (
                "25006",
                "cannot refresh scores or fit a model on a standby",
                "call it on the primary"
            )
        );
    }
    let (code, _, hint) = error_of(&mut reader, "CALL crm_health.refresh_active_users()");
    assert_eq!(
        (code.as_str(), hint.as_str()),
        ("25006", "schedule the job on the primary")
    );

    for (read, id) in [("explain_deal", deal), ("explain_contact", contact)] {
        let rows = reader.query(&format!("SELECT * FROM crm_health.{read}($1)"), &[&id]);
        assert!(rows.expect(read).len() > 5, "{read}");
    }
    for read in [
        format!("SELECT crm_health.ghost_probability('{contact}', 30)"),
        "SELECT * FROM crm_health.backtest(now() - interval '90 days', now(), 30)".to_owned(),
        format!("SELECT * FROM crm_health.replay('{user}', now() - interval '3 days')"),
    ] {
        reader.query(&read, &[]).expect(&read);
    }
    for write in [
        "fit_ghost_model()".to_owned(),
        "fit_deal_model()".to_owned(),
        format!("fill_history('{user}', now() - interval '3 days')"),
    ] {
        let call = format!("SELECT * FROM crm_health.{write}");
        assert_eq!(error_of(&mut reader, &call).0, "25006", "{write}");
    }
    assert_eq!(
        reader
            .query("SELECT * FROM crm_health.needs_attention()", &[])
            .expect("the board")
            .len(),
        2
    );
    reader
        .query("SELECT * FROM crm_health.check_install()", &[])
        .expect("a check");
    let state: String = reader
        .query_one("SELECT state FROM crm_health.last_success", &[])
        .expect("a run")
        .get(0);
    assert_eq!(state, "succeeded");

    // What the primary computes arrives there.
    db.run("DELETE FROM deal_health_scores");
    wait_until("the deletion arrives", || {
        reader
            .query("SELECT FROM deal_health_scores", &[])
            .expect("scores")
            .is_empty()
    });
    assert_eq!(
        error_of(
            &mut reader,
            &format!("SELECT refresh_deal_health_scores('{user}')")
        )
        .0,
        "25006"
    );
}
