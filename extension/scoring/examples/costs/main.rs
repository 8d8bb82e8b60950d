//! What each step of a relationship's score costs.
//!
//! `cargo run --release -p crm-health-scoring --example costs [-- rounds]` makes contacts like those of the benchmark (a
//! year with 40 events, three in ten silent, two meetings), as many as a user has there, scores them again and again,
//! and prints nanoseconds of CPU a contact for each step: the median of the rounds, in which the steps take turns, and
//! the least of them.

mod contacts;
mod steps;

use contacts::Contact;
use crm_health_scoring::config::{Config, GhostModel};

/// As many as a user has, so that they fit the caches as a user's rows do.
const CONTACTS: usize = 500;
const PASSES: usize = 200;

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(9, |text| text.parse().expect("a number of rounds"));
    let config = Config {
        ghost_model: GhostModel::Calibrated,
        ..Config::default()
    };
    let contacts = contacts::generate(CONTACTS, &config);
    tell(&contacts);
    let steps = steps::all(&contacts, &config);
    let mut costs = vec![Vec::new(); steps.len()];
    for _ in 0..rounds {
        for (step, costs) in steps.iter().zip(&mut costs) {
            let start = cpu_nanoseconds();
            (0..PASSES).for_each(|_| (step.run)());
            costs.push((cpu_nanoseconds() - start) / (PASSES * CONTACTS) as f64);
        }
    }
    println!("| step | ns a contact | least |");
    println!("|---|---:|---:|");
    for (step, mut costs) in steps.iter().zip(costs) {
        costs.sort_by(f64::total_cmp);
        let (median, least) = (costs[costs.len() / 2], costs[0]);
        println!("| {} | {median:.0} | {least:.0} |", step.name);
    }
}

/// What the contacts are like on the average, to be held against the benchmark's.
fn tell(contacts: &[Contact]) {
    let mean = |of: fn(&Contact) -> usize| {
        contacts.iter().map(of).sum::<usize>() as f64 / contacts.len() as f64
    };
    println!(
        "{} contacts; each has {:.1} events read, {:.2} signals, {:.2} risk factors; {:.2} are ghosts, {:.2} will be\n",
        contacts.len(),
        mean(|of| of.interactions.len()),
        mean(|of| of.measured.signals.len()),
        mean(|of| of.score.risk_factors.len()),
        mean(|of| usize::from(of.score.is_ghost_risk)),
        mean(|of| usize::from(
            of.silence
                .as_ref()
                .is_some_and(|said| said.days_until_predicted_ghost.is_some())
        )),
    );
}

/// Nanoseconds that this thread was on a CPU.
fn cpu_nanoseconds() -> f64 {
    // The scheduler counts up to now when it is given the choice.
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = stat.split_whitespace().next().expect("a time");
    nanoseconds.parse().expect("a number")
}
