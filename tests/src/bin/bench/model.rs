//! What the silence model costs: a refresh with it, and a fit.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::data::{self, Scale};
use crate::measure::{Cost, Session};
use crate::peers::{as_of, tidy};
use crate::report;

/// How often all users are refreshed.
const ROUNDS: u64 = 31;

/// Users in a run: little enough for the two runs of a pair to meet the same weather on the machine.
const USERS_IN_A_RUN: usize = 5;

/// A database of its own for each model, so that none finds what the other wrote, and each finds the
/// same data.
const DATABASES: [&str; 2] = ["crm_rules", "crm_calibrated"];

/// What the calibrated model adds to a refresh: two databases alike but for the setting `ghost_model`
/// are refreshed in turn, an hour later each time, and each run is held against the one beside it.
pub(crate) fn share(_session: &mut Session, scale: &Scale) {
    let scale = Scale {
        users: scale.users.min(20),
        ..*scale
    };
    let [mut rules, mut calibrated] = DATABASES.map(|name| settled(name, &scale));
    let users = scale.users(&mut rules, scale.users);
    let mut costs: [Vec<Cost>; 2] = [Vec::new(), Vec::new()];
    for hours in 1..=ROUNDS {
        tidy(&mut rules);
        tidy(&mut calibrated);
        for users in users.chunks(USERS_IN_A_RUN) {
            let mut pair = [(0, &mut rules), (1, &mut calibrated)];
            // They take turns in going first, too.
            pair.rotate_left((hours % 2) as usize);
            for (model, session) in pair {
                costs[model].push(hours_later(session, users, hours));
            }
        }
    }
    tell_share(costs);
}

fn tell_share([rules, calibrated]: [Vec<Cost>; 2]) {
    let pairs = rules.iter().zip(&calibrated);
    let mut added: Vec<f64> = pairs
        .map(|(rules, calibrated)| 100.0 * (calibrated.cpu / rules.cpu - 1.0))
        .collect();
    added.sort_by(f64::total_cmp);
    let quartile = |quarters: usize| added[quarters * (added.len() - 1) / 4];
    let kinds = [
        ("rules".to_owned(), rules),
        ("calibrated".to_owned(), calibrated),
    ];
    report::table(
        "The refresh under both ghost models, an hour later",
        &kinds,
        0,
    );
    println!(
        "\nThe calibrated model adds {:.1} % of CPU: the median of {} pairs of runs, half of which lie between {:.1} and {:.1} %.",
        quartile(2),
        added.len(),
        quartile(1),
        quartile(3)
    );
}

/// A session in a database with generated data, all of it scored by the model that its name tells.
fn settled(name: &str, scale: &Scale) -> Session {
    let url = crm_health_tests::environment("CRM_HEALTH_BENCH_URL");
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    let mut session = Session::open(&format!("{server}/{name}"));
    data::load(&mut session, scale);
    let model = name.trim_start_matches("crm_");
    session.run(&format!(
        "UPDATE crm_health.settings SET value = '{model}' WHERE name = 'ghost_model'"
    ));
    let users = scale.users(&mut session, scale.users);
    // The first makes the rows, and what is kept of the streams; the second finds them.
    for _ in 0..2 {
        hours_later(&mut session, &users, 0);
        tidy(&mut session);
    }
    session
}

fn hours_later(session: &mut Session, users: &[Uuid], hours: u64) -> Cost {
    let at: SystemTime = as_of(0) + Duration::from_secs(3600 * hours);
    session.measure(
        "SELECT contact_id FROM crm_health.refresh_relationships($1, 0, $2)",
        &[&[&users, &at]],
    )
}

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
