//! Histories to fit models to, and fits that do not go their way: one beside another, one that is ended.

use std::thread::{JoinHandle, spawn};

use postgres::Client;

use crate::Database;

/// Fits a model called `first` by `function`, and asks for another before that is committed: it is
/// refused with SQLSTATE 55P03 and a hint.
///
/// # Panics
/// Where it is not.
pub fn no_two_at_once(db: &mut Database, function: &str) {
    let mut first = db.session();
    let mut fitting = first.transaction().expect("a transaction");
    fitting
        .batch_execute(&format!("SELECT * FROM {function}(p_name => 'first')"))
        .expect("a fit");
    let (state, message, hint) = db.error(&format!("SELECT * FROM {function}()"));
    assert_eq!(state, "55P03", "{message}");
    assert!(!hint.is_empty());
    fitting.commit().expect("committed");
}

/// Begins a fit that the test will end; its SQLSTATE, empty where the connection closed first.
///
/// # Panics
/// In its thread, where the fit comes to its end.
#[must_use]
pub fn ending(mut session: Client, function: &str) -> JoinHandle<String> {
    let fit = format!("SELECT * FROM {function}()");
    spawn(move || {
        let ended = session.batch_execute(&fit);
        let error = ended.expect_err("the fit was ended");
        error
            .code()
            .map_or(String::new(), |code| code.code().to_owned())
    })
}

/// 1,500 deals that leave each of three stages at a rate of 0.07 a day, five times of seven for the
/// next one and else lost: of those just begun (5/7)³ = 36 % are won, of those in the last 71 %.
pub fn known_hazards(db: &mut Database) {
    db.run(
        "SELECT setseed(0.25);
         CREATE TEMPORARY TABLE walk AS
           SELECT d, s, began, -ln(1 - random()) / 0.07 AS stay, random() < 5.0 / 7 AS goes_on
           FROM (SELECT d, 20 + 900 * random() AS began FROM generate_series(1, 1500) d) deals,
                generate_series(1, 3) s;
         CREATE TEMPORARY TABLE step AS
           SELECT *, began - coalesce(sum(stay) OVER before, 0) AS entered, coalesce(bool_and(goes_on) OVER before, true) AS there,
                  began - sum(stay) OVER (PARTITION BY d ORDER BY s) AS \"left\"
           FROM walk
           WINDOW before AS (PARTITION BY d ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
         INSERT INTO deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
         SELECT md5('deal ' || d)::uuid, md5('owner')::uuid, g.id, 'active', at, at
         FROM (SELECT *, now() - entered * interval '1 day' AS at FROM step WHERE there AND entered > 0) x
         JOIN deal_stages g ON g.order_position = x.s
         UNION ALL
         SELECT md5('deal ' || d)::uuid, md5('owner')::uuid, g.id, CASE WHEN goes_on THEN 'won' ELSE 'lost' END, at, at
         FROM (SELECT *, now() - \"left\" * interval '1 day' AS at FROM step
               WHERE there AND \"left\" > 0 AND (s = 3 OR NOT goes_on)) x
         JOIN deal_stages g ON g.order_position = CASE WHEN x.goes_on THEN 4 ELSE 5 END;",
    );
}
