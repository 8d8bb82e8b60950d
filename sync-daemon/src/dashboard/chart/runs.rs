//! Runs over time: a column for each, as high as it took long, a cross over those with errors.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::at;
use crate::dashboard::data::Run;
use crate::dashboard::parts::look;
use crate::dashboard::words;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 84.0;
const GROUND: f64 = 66.0;
const SLOTS: usize = 30;

/// The newest thirty of `runs` (newest first), the newest at the right.
pub(in crate::dashboard) fn columns(what: &str, runs: &[Run], now: DateTime<Utc>) -> Markup {
    let shown: Vec<&Run> = runs.iter().take(SLOTS).collect();
    let longest = shown
        .iter()
        .filter_map(|run| run.seconds())
        .fold(0.0_f64, f64::max);
    let troubled = shown
        .iter()
        .filter(|run| run.error_count > 0 || run.state == "failed")
        .count();
    let slot = WIDTH / SLOTS as f64;
    let oldest = shown.last().map_or(now, |run| run.started_at);
    html! {
        svg.runs viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img"
            aria-label={ "The last " (words::counted(shown.len() as i64, "run", "runs")) " of " (what) ": "
                (words::counted(troubled as i64, "run", "runs")) " with errors, the longest took " (words::duration(longest)) } {
            line.axis x1="0" y1=(at(GROUND + 0.5)) x2=(at(WIDTH)) y2=(at(GROUND + 0.5)) {}
            @for (place, run) in shown.iter().enumerate() {
                (column(run, WIDTH - (place as f64 + 1.0) * slot, slot, longest))
            }
            text.tick x="0" y=(at(HEIGHT - 4.0)) { (words::span((now - oldest).num_seconds())) " ago" }
            text.tick.end x=(at(WIDTH)) y=(at(HEIGHT - 4.0)) { "newest" }
        }
    }
}

fn column(run: &Run, left: f64, slot: f64, longest: f64) -> Markup {
    let seconds = run.seconds().unwrap_or(0.0);
    // By the root, so that a long run leaves the others visible.
    let share = if longest > 0.0 {
        (seconds / longest).sqrt()
    } else {
        0.0
    };
    let height = 4.0 + share * (GROUND - 18.0);
    let top = GROUND - height;
    let has_errors = run.error_count > 0 || run.state == "failed" || run.state == "interrupted";
    let state = if has_errors && run.state == "succeeded" {
        "failed"
    } else {
        &run.state
    };
    let middle = left + slot / 2.0;
    html! {
        rect class={ "fill-" (look(state).0) } x=(at(left + 2.0)) y=(at(top)) width=(at(slot - 4.0)) height=(at(height)) rx="1.5" {
            title {
                (words::exact(run.started_at)) ", " (run.state) ", " (words::duration(seconds)) ", "
                (words::counted(run.error_count, "error", "errors"))
            }
        }
        @if has_errors {
            path.cross d={ "M" (at(middle - 3.5)) " " (at(top - 10.0)) "l7 7m0 -7l-7 7" } {}
        }
    }
}
