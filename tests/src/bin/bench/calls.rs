//! What a call for one user costs, as an application makes it.

use crate::data::Scale;
use crate::measure::{Cost, Session, median};
use crate::peers::as_of;

/// The calls, all for one user.
const CALLS: [(&str, &str); 4] = [
    (
        "contacts, all computed",
        "SELECT contact_id FROM crm_health.refresh_relationships(ARRAY[$1::uuid], 0, $2)",
    ),
    (
        "contacts, all fresh",
        "SELECT contact_id FROM public.refresh_relationship_health_scores($1, 876600) WHERE $2::timestamptz IS NOT NULL",
    ),
    (
        "deals, all computed",
        "SELECT deal_id FROM crm_health.refresh_deals(ARRAY[$1::uuid], 0, $2)",
    ),
    (
        "deals, all fresh",
        "SELECT deal_id FROM public.refresh_deal_health_scores($1, 876600) WHERE $2::timestamptz IS NOT NULL",
    ),
];

/// Each call in a session that has made it before, there after DDL on a table of somebody else's, and as the first of
/// a session.
pub(crate) fn calls(session: &mut Session, scale: &Scale) {
    let url = crm_health_tests::environment("CRM_HEALTH_BENCH_URL");
    let user = scale.users(session, 1)[0];
    let at = as_of(0);
    session.run("CREATE TABLE IF NOT EXISTS bench.somebody_elses (id integer)");
    println!("\n### A call for one user, ms of CPU\n");
    println!("| call | rows | again | after DDL elsewhere | first of a session |");
    println!("|---|---:|---:|---:|---:|");
    for (name, sql) in CALLS {
        let call = |session: &mut Session| session.measure(sql, &[&[&user, &at]]);
        for _ in 0..3 {
            call(session);
        }
        let [mut again, mut after, mut first] = [Vec::new(), Vec::new(), Vec::new()];
        for round in 1..=4 * scale.rounds {
            again.push(call(session));
            let mut other = Session::open(&url);
            other.run(&format!(
                "ALTER TABLE bench.somebody_elses ALTER id SET STATISTICS {round}"
            ));
            after.push(call(session));
            first.push(call(&mut Session::open(&url)));
        }
        let ms = |costs: &[Cost]| median(costs).cpu * 1e3;
        println!(
            "| {name} | {} | {:.2} | {:.2} | {:.1} |",
            again[0].rows,
            ms(&again),
            ms(&after),
            ms(&first)
        );
    }
}
