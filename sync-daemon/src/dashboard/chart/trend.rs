//! The course of one score, with the limits of the statuses. Drawn twice, wide and narrow, so that its words stay readable
//! on a phone; the style sheet shows one.

use maud::{Markup, html};

use super::at;
use crate::dashboard::data::{Limit, Snapshot};
use crate::dashboard::words;

struct Frame {
    class: &'static str,
    width: f64,
    height: f64,
}

const FRAMES: [Frame; 2] = [
    Frame {
        class: "trend wide",
        width: 760.0,
        height: 230.0,
    },
    Frame {
        class: "trend narrow",
        width: 340.0,
        height: 210.0,
    },
];
const LEFT: f64 = 30.0;
const RIGHT: f64 = 34.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 26.0;

/// The course of `snapshots`, newest first, with lines at `limits`.
pub(in crate::dashboard) fn trend(snapshots: &[Snapshot], limits: &[Limit]) -> Markup {
    html! { @for frame in &FRAMES { (frame.draw(snapshots, limits)) } }
}

impl Frame {
    fn x(&self, share: f64) -> f64 {
        LEFT + share * (self.width - LEFT - RIGHT)
    }

    fn y(&self, score: i64) -> f64 {
        let share = score.clamp(0, 100) as f64 / 100.0;
        self.height - BOTTOM - share * (self.height - TOP - BOTTOM)
    }

    fn draw(&self, snapshots: &[Snapshot], limits: &[Limit]) -> Markup {
        let (Some(newest), Some(oldest)) = (snapshots.first(), snapshots.last()) else {
            return html! {};
        };
        let length = (newest.at - oldest.at).num_seconds().max(1) as f64;
        let place = |s: &Snapshot| {
            let share = if snapshots.len() == 1 {
                1.0
            } else {
                (s.at - oldest.at).num_seconds() as f64 / length
            };
            (self.x(share), self.y(s.score))
        };
        let points: Vec<(f64, f64)> = snapshots.iter().rev().map(place).collect();
        let line: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{},{}", at(*x), at(*y)))
            .collect();
        let (end_x, end_y) = points.last().copied().unwrap_or_default();
        html! {
            svg class=(self.class) viewBox={ "0 0 " (self.width) " " (self.height) } role="img"
                aria-label={ "Score from " (oldest.score) " on " (words::exact(oldest.at)) " to " (newest.score)
                    " on " (words::exact(newest.at)) ", " (words::counted(snapshots.len() as i64, "snapshot", "snapshots")) } {
                @for score in [0, 100] {
                    line.axis x1=(at(LEFT)) x2=(at(self.width - RIGHT)) y1=(at(self.y(score))) y2=(at(self.y(score))) {}
                    text.tick.end x=(at(LEFT - 5.0)) y=(at(self.y(score) + 4.0)) { (score) }
                }
                @for Limit { min_score: score, .. } in limits {
                    line.limit x1=(at(LEFT)) x2=(at(self.width - RIGHT)) y1=(at(self.y(*score))) y2=(at(self.y(*score))) {}
                    text.tick.end x=(at(LEFT - 5.0)) y=(at(self.y(*score) + 4.0)) { (score) }
                }
                polyline.course points=(line.join(" ")) {}
                @if snapshots.len() <= 60 {
                    @for (x, y) in &points { circle.dot cx=(at(*x)) cy=(at(*y)) r="2.5" {} }
                }
                circle.last cx=(at(end_x)) cy=(at(end_y)) r="4.5" {}
                text.now x=(at(end_x + 8.0)) y=(at(end_y + 4.5)) { (newest.score) }
                // Over the course, which would strike them out.
                @for Limit { min_score: score, status } in limits {
                    text.tick.over x=(at(LEFT + 4.0)) y=(at(self.y(*score) - 4.0)) { (words::plain(status)) " from " (score) }
                }
                text.tick x=(at(LEFT)) y=(at(self.height - 6.0)) { (oldest.at.format("%e %b %Y")) }
                text.tick.end x=(at(self.width - RIGHT)) y=(at(self.height - 6.0)) { (newest.at.format("%e %b %Y")) }
            }
        }
    }
}
