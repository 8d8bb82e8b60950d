//! The frame of each page.

use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, html};

use super::words;

/// Where the pages are.
const PLACES: [(&str, &str); 7] = [
    ("/dashboard", "Overview"),
    ("/dashboard/attention", "Attention"),
    ("/dashboard/alerts", "Alerts"),
    ("/dashboard/reps", "Reps"),
    ("/dashboard/mailboxes", "Mailboxes"),
    ("/dashboard/runs", "Runs"),
    ("/dashboard/model", "Model"),
];

/// Changes with the style sheet, so that an old one is never used.
pub(super) fn style_address() -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(super::assets::STYLE);
    format!(
        "/dashboard/assets/style-{:02x}{:02x}{:02x}{:02x}.css",
        digest[0], digest[1], digest[2], digest[3]
    )
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="robots" content="noindex, nofollow";
            title { (title) " · crm_health" }
            link rel="icon" type="image/svg+xml" href="/dashboard/assets/icon.svg";
            link rel="stylesheet" href=(style_address());
        }
    }
}

/// A page of somebody signed in. `here`: the address of its place in the menu.
pub(super) fn page(title: &str, here: &str, now: DateTime<Utc>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/dashboard" { (mark()) "crm_health" }
                    nav aria-label="Main" {
                        ul {
                            @for (href, name) in PLACES {
                                li { a href=(href) aria-current=[(href == here).then_some("page")] { (name) } }
                            }
                        }
                    }
                    form.find role="search" action="/dashboard/find" method="get" {
                        label.hidden for="q" { "Find a deal or contact" }
                        input #q type="search" name="q" placeholder="Find a deal or contact" maxlength="100" autocomplete="off";
                        button type="submit" { "Find" }
                    }
                }
                main #main tabindex="-1" {
                    h1 { (super::parts::foreign(title)) }
                    (body)
                }
                footer {
                    p { "As of " time datetime=(now.to_rfc3339()) { (now.format("%F %T")) } " UTC. All times are UTC. Reload the page for newer figures." }
                    form action="/dashboard/logout" method="post" { button.plainbutton type="submit" { "Sign out" } }
                }
            }
        }
    }
}

/// A page of nobody: sign in, or what is wrong.
pub(super) fn lobby(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body.lobby {
                main #main {
                    p.brand { (mark()) "crm_health" }
                    h1 { (title) }
                    (body)
                }
            }
        }
    }
}

/// A pulse: the mark of the project.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            path d="M2 13h4l3 -8l5 14l3 -6h5" {}
        }
    }
}

/// One number that matters, with what it means.
pub(super) fn headline(label: &str, value: &Markup, state: &str, below: &Markup) -> Markup {
    let (class, shape) = super::parts::look(state);
    html! {
        div.headline.(class) {
            p.label { (label) }
            p.value { (value) }
            p.below { span.shape aria-hidden="true" { (shape) } (below) }
        }
    }
}

/// The database is away.
pub(super) fn away(reason: &str, now: DateTime<Utc>) -> Markup {
    let body = html! {
        p.note.trouble role="alert" {
            strong { "The database cannot be read. " } (reason) ". Check that the server is up and CRM_HEALTH_DATABASE_URL; the log says more."
        }
    };
    page("Database away", "", now, &body)
}

/// A page that is not there.
pub(super) fn missing(what: &str, now: DateTime<Utc>) -> Markup {
    let body = html! {
        p { "There is no " (words::plain(what)) " here. It may have been deleted since." }
        p { a href="/dashboard" { "Back to the overview" } }
    };
    page("Not found", "", now, &body)
}
