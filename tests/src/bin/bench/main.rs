//! Measures a refresh beside its peers, on generated data, and prints tables of medians.
//!
//! `scripts/bench.sh` starts the server and names its database in `CRM_HEALTH_BENCH_URL`;
//! `SCALE=small` tries it out in a minute. Runs of different kinds take turns, so that what else
//! the machine does falls on all of them alike. CPU is that of the one backend.
#![forbid(unsafe_code)]

mod calls;
mod data;
mod measure;
mod model;
mod peers;
mod report;
mod shape;

use crate::data::Scale;
use crate::measure::Session;

type Part = fn(&mut Session, &Scale);

/// The parts of the benchmark, in their order; `PARTS=fresh,users` runs some of them, by any of their names.
const PARTS: &[(&str, Part)] = &[
    ("contacts", peers::contacts),
    ("plain", peers::contacts_plain),
    ("undated", peers::contacts_undated),
    ("deals", peers::deals),
    ("fresh", shape::fresh),
    ("calls", calls::calls),
    ("users", shape::users),
    ("companies", shape::companies),
    ("model share", model::share),
    ("model fit", model::fit),
    ("history", shape::history),
];

fn main() {
    let url = crm_health_tests::environment("CRM_HEALTH_BENCH_URL");
    let scale = Scale::from_environment();
    let wanted = std::env::var("PARTS").unwrap_or_default();
    let mut session = Session::open(&url);
    data::load(&mut session, &scale);
    report::settings(&mut session, &scale);
    for (names, part) in PARTS {
        let is_wanted = |wanted: &str| names.split(' ').any(|name| name == wanted);
        if wanted.is_empty() || wanted.split(',').any(is_wanted) {
            eprintln!("== {names}");
            part(&mut session, &scale);
        }
    }
}
