//! The pages, a file each.

mod alerts;
mod attention;
mod find;
mod item;
mod mailboxes;
mod model;
mod overview;
mod reps;
mod runs;

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde::Deserialize;
use uuid::Uuid;

use super::{Dashboard, layout};
use crate::failure::Failure;

pub(super) use alerts::alerts;
pub(super) use attention::attention;
pub(super) use find::find;
pub(super) use item::{contact, deal};
pub(super) use mailboxes::mailboxes;
pub(super) use model::model;
pub(super) use overview::overview;
pub(super) use reps::reps;
pub(super) use runs::runs;

/// Rows of a page of a list.
const PAGE: i64 = 25;

/// The last page that is shown: beyond it, a search finds more than a list.
const LAST_PAGE: i64 = 400;

/// What a list is asked for.
#[derive(Deserialize, Default)]
pub(super) struct Asked {
    page: Option<String>,
    rep: Option<String>,
}

impl Asked {
    /// From 0; nonsense is the first page.
    fn page(&self) -> i64 {
        let page = self.page.as_deref().and_then(|page| page.parse().ok());
        page.unwrap_or(0).clamp(0, LAST_PAGE)
    }

    /// One user, where there is one that is meant.
    fn rep(&self) -> Option<Uuid> {
        self.rep.as_deref().and_then(|rep| rep.parse().ok())
    }

    /// What is asked, for links to other pages of the list.
    fn query(&self) -> String {
        self.rep()
            .map_or(String::new(), |rep| format!("rep={rep}&"))
    }
}

type AskedFor = Result<Query<Asked>, axum::extract::rejection::QueryRejection>;

/// A query that cannot be read asks for nothing.
fn asked(query: AskedFor) -> Asked {
    query.map(|Query(asked)| asked).unwrap_or_default()
}

/// One row more was read, to know whether there is another page.
fn cut<T>(rows: &[T]) -> (&[T], bool) {
    let more = rows.len() as i64 > PAGE;
    (&rows[..rows.len().min(PAGE as usize)], more)
}

/// What is said where a list has no rows: behind its end nothing is said of the whole.
fn none(page: i64, of_all: &'static str) -> &'static str {
    if page == 0 {
        of_all
    } else {
        "Nothing more here."
    }
}

/// A page, or the one that says that the database is away.
fn answer(page: Result<Markup, Failure>) -> Response {
    match page {
        Ok(page) => page.into_response(),
        Err(failure) => {
            let page = layout::away(&failure.to_string(), Dashboard::now());
            (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
        }
    }
}

/// No page has this address.
pub(super) async fn nothing() -> Response {
    not_found("page")
}

fn not_found(what: &str) -> Response {
    (
        StatusCode::NOT_FOUND,
        layout::missing(what, Dashboard::now()),
    )
        .into_response()
}
