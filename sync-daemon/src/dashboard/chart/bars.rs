//! A bar whose parts are the shares of each status.

use maud::{Markup, html};

use super::at;
use crate::dashboard::parts::{chip, look};
use crate::dashboard::words;

/// Worst first, as the bars are read.
pub(in crate::dashboard) const DEAL_STATUSES: [&str; 4] =
    ["stalled", "critical", "warning", "healthy"];

/// Worst first.
pub(in crate::dashboard) const CONTACT_STATUSES: [&str; 4] =
    ["ghost", "critical", "at_risk", "healthy"];

const WIDTH: f64 = 400.0;

/// A bar of the counts of `statuses`, in words for who cannot see it.
pub(in crate::dashboard) fn bar(what: &str, counts: &[(&str, i64)]) -> Markup {
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return html! { span.quiet { "none" } };
    }
    let mut from = 0.0;
    let parts: Vec<_> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| {
            let width = WIDTH * *count as f64 / total as f64;
            let start = from;
            from += width;
            (*status, *count, start, width)
        })
        .collect();
    let said: Vec<String> = parts
        .iter()
        .map(|(status, count, ..)| format!("{count} {}", words::plain(status)))
        .collect();
    html! {
        svg.bar viewBox="0 0 400 14" preserveAspectRatio="none" role="img" aria-label={ (what) ": " (said.join(", ")) } {
            @for (status, count, start, width) in &parts {
                // A hair of space between neighbours, so that they part without colour.
                rect class={ "fill-" (look(status).0) } x=(at(*start)) y="0" width=(at((width - 2.0).max(1.0))) height="14" {
                    title { (count) " " (words::plain(status)) }
                }
            }
        }
    }
}

/// The counts in words, each with its shape.
pub(in crate::dashboard) fn legend(counts: &[(&str, i64)]) -> Markup {
    html! {
        ul.legend {
            @for (status, count) in counts { li { b { (words::number(*count)) } " " (chip(status)) } }
        }
    }
}
