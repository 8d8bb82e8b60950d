//! What it takes to learn the silence model from the generated events.

use crate::data::Scale;
use crate::measure::Session;
use crate::peers::as_of;

/// A fit, in a session that has done nothing else, so that its memory is that of the fit.
pub(crate) fn fit(session: &mut Session, _scale: &Scale) {
    let events: i64 = session
        .client
        .query_one("SELECT count(*) FROM public.communication_events", &[])
        .expect("events")
        .get(0);
    let mut fitting = Session::open(&crm_health_tests::environment("CRM_HEALTH_BENCH_URL"));
    let watch = fitting.watch_memory();
    let cost = fitting.measure(
        "SELECT name FROM crm_health.fit_ghost_model($1)",
        &[&[&as_of(0)]],
    );
    let peak = watch.peak_megabytes();
    println!("\n### A fit of the silence model\n");
    println!("| events | CPU s | wall s | peak of the session's own memory, MB |");
    println!("|---:|---:|---:|---:|");
    println!(
        "| {events} | {:.1} | {:.1} | {peak:.0} |",
        cost.cpu, cost.wall
    );
}
