//! A reliability plot: what was said against what came true. On the diagonal a model is right.

use maud::{Markup, html};

use super::at;
use crate::dashboard::data::Bin;

const SIDE: f64 = 320.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 40.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 14.0;

fn x(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (SIDE - LEFT - RIGHT)
}

fn y(share: f64) -> f64 {
    SIDE - BOTTOM - share.clamp(0.0, 1.0) * (SIDE - BOTTOM - TOP)
}

/// The plot of `bins`; a dot's area grows with its rows. `axes` tell what was said, and what came true.
pub(in crate::dashboard) fn reliability(
    bins: &[Bin],
    calibration_error: Option<f64>,
    axes: [&str; 2],
) -> Markup {
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1);
    let dots: Vec<(f64, f64, f64)> = bins
        .iter()
        .filter_map(|bin| {
            let size = 3.0 + 8.0 * (bin.rows as f64 / most as f64).sqrt();
            Some((x(bin.mean_predicted?), y(bin.observed_share?), size))
        })
        .collect();
    let line: Vec<String> = dots
        .iter()
        .map(|(x, y, _)| format!("{},{}", at(*x), at(*y)))
        .collect();
    let error = calibration_error.unwrap_or_default();
    html! {
        svg.reliability viewBox={ "0 0 " (SIDE) " " (SIDE) } role="img"
            aria-label={ "Reliability: what was said differed from what came true by " (format!("{:.1}", 100.0 * error))
                " percentage points on average. The table has the numbers." } {
            @for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
                line.grid x1=(at(x(share))) x2=(at(x(share))) y1=(at(y(0.0))) y2=(at(y(1.0))) {}
                line.grid x1=(at(x(0.0))) x2=(at(x(1.0))) y1=(at(y(share))) y2=(at(y(share))) {}
                text.tick.middle x=(at(x(share))) y=(at(y(0.0) + 15.0)) { (format!("{:.0}%", 100.0 * share)) }
                text.tick.end x=(at(x(0.0) - 6.0)) y=(at(y(share) + 4.0)) { (format!("{:.0}%", 100.0 * share)) }
            }
            line.limit x1=(at(x(0.0))) y1=(at(y(0.0))) x2=(at(x(1.0))) y2=(at(y(1.0))) {}
            polyline.course points=(line.join(" ")) {}
            @for (x, y, size) in &dots { circle.last cx=(at(*x)) cy=(at(*y)) r=(at(*size)) {} }
            text.tick.middle x=(at(x(0.5))) y=(at(SIDE - 6.0)) { (axes[0]) }
            text.tick.middle transform={ "translate(11 " (at(y(0.5))) ") rotate(-90)" } { (axes[1]) }
        }
    }
}
