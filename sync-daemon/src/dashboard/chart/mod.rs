//! Plots as SVG, without a script and without a style of their own: classes are coloured by the style sheet.
//!
//! Contract: each has a role, a title and a description, and the page has the same in words or as a table.

mod bars;
mod reliability;
mod runs;
mod trend;

pub(super) use bars::{CONTACT_STATUSES, DEAL_STATUSES, bar, legend};
pub(super) use reliability::reliability;
pub(super) use runs::columns;
pub(super) use trend::trend;

/// A coordinate, short enough to read in the page's source.
fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
