//! Tables that a person can read, and paste into a page.

use crate::data::Scale;
use crate::measure::{Cost, Session, median};

/// Says on what and how it was measured.
pub(crate) fn settings(session: &mut Session, scale: &Scale) {
    println!(
        "{} users × {} contacts × {} events + {} deals; medians of {} runs, kinds taking turns\n",
        scale.users, scale.contacts, scale.events, scale.deals, scale.rounds
    );
    let rows = session
        .client
        .query(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name IN
               ('server_version', 'shared_buffers', 'work_mem', 'fsync', 'synchronous_commit', 'full_page_writes',
                'max_wal_size', 'autovacuum', 'jit', 'max_parallel_workers_per_gather')
             ORDER BY name",
            &[],
        )
        .expect("settings");
    for row in rows {
        println!("    {} = {}", row.get::<_, &str>(0), row.get::<_, &str>(1));
    }
}

/// Prints one row for each kind of run, with its CPU as a multiple of that of the row `base`.
pub(crate) fn table(title: &str, kinds: &[(String, Vec<Cost>)], base: usize) {
    println!("\n### {title}\n");
    println!("| run | CPU s | × | µs a row | wall s | rows | WAL MB |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let base = median(&kinds[base].1).cpu;
    for (name, costs) in kinds {
        let cost = median(costs);
        println!(
            "| {name} | {:.2} | {:.2} | {:.1} | {:.2} | {} | {:.0} |",
            cost.cpu,
            cost.cpu / base,
            cost.cpu * 1e6 / cost.rows.max(1) as f64,
            cost.wall,
            cost.rows,
            cost.wal
        );
    }
}
