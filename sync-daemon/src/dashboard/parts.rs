//! The building blocks of pages.

use maud::{Markup, html};

use super::reader::Part;
use super::words;

/// A status, severity or state: a shape, a colour and a word, so that none is needed to tell them apart.
pub(super) fn chip(status: &str) -> Markup {
    let (class, shape) = look(status);
    html! { span.chip.(class) { span.shape aria-hidden="true" { (shape) } (words::plain(status)) } }
}

/// Class and shape of a status.
pub(super) fn look(status: &str) -> (&'static str, &'static str) {
    match status {
        "healthy" | "ok" | "succeeded" | "on time" | "resolved" => ("good", "●"),
        "warning" | "at_risk" | "paused" | "medium" | "late" => ("warn", "▲"),
        "critical" | "failing" | "failed" | "high" => ("bad", "◆"),
        "stalled" | "reconnect_required" | "interrupted" | "off" => ("worst", "■"),
        "ghost" => ("ghost", "◌"),
        _ => ("plain", "○"),
    }
}

/// A section with its heading.
pub(super) fn card(id: &str, heading: &str, more: Option<(&str, &str)>, body: &Markup) -> Markup {
    html! {
        section.card aria-labelledby=(id) {
            div.cardhead {
                h2 id=(id) { (heading) }
                @if let Some((href, text)) = more {
                    a.more href=(href) { (text) span.hidden { ": " (heading) } }
                }
            }
            (body)
        }
    }
}

/// A section's rows, or what is missing.
pub(super) fn part<T>(part: &Part<T>, show: impl FnOnce(&T) -> Markup) -> Markup {
    match part {
        Part::Ready(value) => show(value),
        Part::Absent(why) => html! { p.note { strong { "Not available. " } (why) } },
        Part::Failed(why) => {
            html! { p.note.trouble role="alert" { strong { "This could not be read. " } (why) } }
        }
    }
}

/// Rows, or a sentence where there are none.
pub(super) fn list<T>(
    rows: &Part<Vec<T>>,
    empty: &str,
    show: impl FnOnce(&[T]) -> Markup,
) -> Markup {
    part(rows, |rows| {
        if rows.is_empty() {
            html! { p.quiet { (empty) } }
        } else {
            show(rows)
        }
    })
}

/// A column of a table.
pub(super) struct Column {
    name: &'static str,
    class: &'static str,
}

/// Words.
pub(super) const fn text(name: &'static str) -> Column {
    Column { name, class: "t" }
}

/// Figures, aligned at their ends.
pub(super) const fn figure(name: &'static str) -> Column {
    Column { name, class: "n" }
}

/// A table: on a phone each row becomes a block, and the roles keep it a table for screen readers. The first column
/// names the row.
pub(super) fn table(caption: &str, columns: &[Column], rows: &[Vec<Markup>]) -> Markup {
    html! {
        table role="table" {
            caption { (caption) }
            thead role="rowgroup" {
                tr role="row" {
                    @for column in columns { th scope="col" role="columnheader" class=(column.class) { (column.name) } }
                }
            }
            tbody role="rowgroup" {
                @for row in rows {
                    tr role="row" {
                        @for (at, (column, cell)) in columns.iter().zip(row).enumerate() {
                            @if at == 0 {
                                th scope="row" role="rowheader" class=(column.class) { (cell) }
                            } @else {
                                td role="cell" class=(column.class) data-label=(column.name) { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Earlier and later pages. `there_are_more`: a row beyond this page was seen.
pub(super) fn pager(path: &str, query: &str, page: i64, there_are_more: bool) -> Markup {
    if page == 0 && !there_are_more {
        return html! {};
    }
    let link = |page: i64| format!("{path}?{query}page={page}");
    html! {
        nav.pager aria-label="Pages" {
            @if page > 0 { a href=(link(page - 1)) rel="prev" { "← Previous" } }
            span { "Page " (page + 1) }
            @if there_are_more { a href=(link(page + 1)) rel="next" { "Next →" } }
        }
    }
}

/// Text from outside, which may be written from right to left, or turn what follows it.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// A link to a deal's or contact's page.
pub(super) fn item(kind: &str, id: uuid::Uuid, name: Option<&str>) -> Markup {
    let kind = if kind == "deal" { "deal" } else { "contact" };
    let name = name.filter(|name| !name.trim().is_empty());
    html! { a href={ "/dashboard/" (kind) "/" (id) } { (foreign(name.unwrap_or("(no name)"))) } }
}

/// A score from 0 to 100.
pub(super) fn score(score: Option<i64>, status: Option<&str>) -> Markup {
    let (class, _) = look(status.unwrap_or_default());
    match score {
        Some(score) => html! { span.score.(class) { (score) span.hidden { " of 100" } } },
        None => html! { span.quiet { "not scored" } },
    }
}
