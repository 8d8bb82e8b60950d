//! The dashboard: pages that show an operator and a sales lead how it goes, without a script and without anyone else.
//!
//! [`gate`] lets people in, [`reader`] asks the database, [`pages`] put together what [`parts`] and [`chart`] draw. Every value
//! that comes from outside goes through maud, which escapes it. Pages read and never write; each list is bounded.

mod assets;
mod catalog;
mod chart;
mod data;
mod gate;
mod layout;
mod pages;
mod parts;
mod reader;
mod session;
mod words;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};

use crate::failure::Failure;
use crate::service::Runner;
use reader::Reader;

/// What the handlers share.
#[derive(Clone)]
struct Dashboard {
    runner: Arc<Runner>,
    sessions: Arc<session::Sessions>,
    attempts: Arc<session::Attempts>,
}

impl Dashboard {
    /// The database, with a look at what is there.
    async fn open(&self) -> Result<Reader, Failure> {
        let engine = self.runner.engine();
        Reader::open(&engine.store, &engine.config.database.crm_schema).await
    }

    fn now() -> DateTime<Utc> {
        Utc::now()
    }
}

/// All below `/dashboard`.
pub(crate) fn router(runner: Arc<Runner>) -> Router {
    let dashboard = Dashboard {
        runner,
        sessions: Arc::new(session::Sessions::new()),
        attempts: Arc::new(session::Attempts::new(Instant::now())),
    };
    let pages = Router::new()
        .route("/dashboard", get(pages::overview))
        .route("/dashboard/attention", get(pages::attention))
        .route("/dashboard/alerts", get(pages::alerts))
        .route("/dashboard/reps", get(pages::reps))
        .route("/dashboard/mailboxes", get(pages::mailboxes))
        .route("/dashboard/runs", get(pages::runs))
        .route("/dashboard/model", get(pages::model))
        .route("/dashboard/find", get(pages::find))
        .route("/dashboard/deal/{id}", get(pages::deal))
        .route("/dashboard/contact/{id}", get(pages::contact))
        .route("/dashboard/{*other}", get(pages::nothing))
        .layer(from_fn_with_state(dashboard.clone(), gate::require_session));
    let open = Router::new()
        .route(
            "/dashboard/",
            get(|| async { Redirect::permanent("/dashboard") }),
        )
        .route("/dashboard/login", get(gate::show).post(gate::sign_in))
        .route("/dashboard/logout", post(gate::sign_out))
        .route(&layout::style_address(), get(assets::style))
        .route("/dashboard/assets/icon.svg", get(assets::icon));
    pages
        .merge(open)
        .layer(DefaultBodyLimit::max(4096))
        .layer(from_fn(gate::secure_headers))
        .with_state(dashboard)
}
