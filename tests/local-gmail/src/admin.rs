//! The admin side over HTTP, under `/__admin`: JSON in, JSON out.
//!
//! | request | does |
//! |---|---|
//! | `GET /mailboxes` | lists the addresses with their sizes |
//! | `POST /mailboxes` | adds a mailbox (`MailboxFixture`) |
//! | `POST /fixture` | adds mailboxes (`Fixture`) |
//! | `GET /mailboxes/{address}/messages` | lists message ids, newest first |
//! | `POST /mailboxes/{address}/messages` | adds a message (`NewMessage`), gives its id |
//! | `DELETE /mailboxes/{address}/messages/{id}` | deletes it for good |
//! | `POST /mailboxes/{address}/messages/{id}/labels` | `{"add": […], "remove": […]}` |
//! | `POST /mailboxes/{address}/generate` | mail in bulk (`Generate`) |
//! | `POST /mailboxes/{address}/scopes` | replaces the scopes of its tokens (a list) |
//! | `POST /mailboxes/{address}/expire-history`, `…/expire-tokens`, `…/revoke` | as named |
//! | `GET`, `POST`, `DELETE /faults` | reports, adds one (`FaultRule`), drops all |
//! | `GET`, `DELETE /stats` | counts; sets them to nothing |
//! | `GET /requests`, `GET /violations` | the latest requests; deviations from the description |
//! | `PUT /latency`, `PUT /quota` | replaces the settings |
//! | `POST /clock` | `{"advance_ms": …}` |

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, default_refresh_token};
use crate::config::{Latency, Quota};
use crate::error::AdminError;
use crate::fixture::{self, Fixture, MailboxFixture};
use crate::generator::Generate;
use crate::ids::write_id;
use crate::lock::locked;
use crate::message::NewMessage;
use crate::stats::{SeenRequest, Stats, Violation};
use crate::{FaultReport, FaultRule};

type Shared = State<Arc<App>>;
type Outcome = Result<Json<Value>, AdminError>;

/// The routes, without their prefix.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/mailboxes", get(mailboxes).post(add_mailbox))
        .route("/fixture", post(load_fixture))
        .merge(mailbox_routes())
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/stats", get(stats).delete(reset_stats))
        .route("/requests", get(requests))
        .route("/violations", get(violations))
        .route("/latency", put(set_latency))
        .route("/quota", put(set_quota))
        .route("/clock", post(advance_clock))
        .with_state(app)
}

fn mailbox_routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/mailboxes/{address}/messages",
            get(message_ids).post(add_message),
        )
        .route("/mailboxes/{address}/messages/{id}", delete(delete_message))
        .route(
            "/mailboxes/{address}/messages/{id}/labels",
            post(change_labels),
        )
        .route("/mailboxes/{address}/generate", post(generate))
        .route("/mailboxes/{address}/scopes", post(set_scopes))
        .route("/mailboxes/{address}/expire-history", post(expire_history))
        .route("/mailboxes/{address}/expire-tokens", post(expire_tokens))
        .route("/mailboxes/{address}/revoke", post(revoke))
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::UnknownMailbox(_) | Self::UnknownMessage(_) => StatusCode::NOT_FOUND,
            Self::TakenMailbox(_) | Self::TakenId(_) => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

fn done() -> Json<Value> {
    Json(json!({}))
}

async fn mailboxes(State(app): Shared) -> Outcome {
    let describe = |address: String| {
        app.with(&address, |mailbox| {
            json!({
                "address": address,
                "messages": mailbox.len(),
                "historyId": mailbox.history_id().to_string(),
                "refreshToken": default_refresh_token(&address),
            })
        })
    };
    let all: Result<Vec<Value>, AdminError> = app.addresses().into_iter().map(describe).collect();
    Ok(Json(Value::from(all?)))
}

async fn add_mailbox(State(app): Shared, Json(mailbox): Json<MailboxFixture>) -> Outcome {
    let token = default_refresh_token(&mailbox.address);
    fixture::add(&app, mailbox)?;
    Ok(Json(json!({ "refreshToken": token })))
}

async fn load_fixture(State(app): Shared, Json(fixture): Json<Fixture>) -> Outcome {
    fixture::load(&app, fixture)?;
    Ok(done())
}

async fn message_ids(State(app): Shared, Path(address): Path<String>) -> Outcome {
    let ids = app.with(&address, |mailbox| {
        mailbox.ids().map(write_id).collect::<Vec<_>>()
    })?;
    Ok(Json(Value::from(ids)))
}

async fn add_message(
    State(app): Shared,
    Path(address): Path<String>,
    Json(message): Json<NewMessage>,
) -> Outcome {
    Ok(Json(json!({ "id": app.add_message(&address, message)? })))
}

async fn delete_message(
    State(app): Shared,
    Path((address, id)): Path<(String, String)>,
) -> Outcome {
    app.delete_message(&address, &id)?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct LabelChange {
    add: Vec<String>,
    remove: Vec<String>,
}

async fn change_labels(
    State(app): Shared,
    Path((address, id)): Path<(String, String)>,
    Json(change): Json<LabelChange>,
) -> Outcome {
    app.change_labels(&address, &id, &change.add, &change.remove)?;
    Ok(done())
}

async fn generate(
    State(app): Shared,
    Path(address): Path<String>,
    Json(settings): Json<Generate>,
) -> Outcome {
    app.generate(&address, settings)?;
    Ok(done())
}

async fn set_scopes(
    State(app): Shared,
    Path(address): Path<String>,
    Json(scopes): Json<Vec<String>>,
) -> Outcome {
    app.set_scopes(&address, &scopes)?;
    Ok(done())
}

async fn expire_history(State(app): Shared, Path(address): Path<String>) -> Outcome {
    app.with(&address, crate::mailbox::Mailbox::expire_history)?;
    Ok(done())
}

async fn expire_tokens(State(app): Shared, Path(address): Path<String>) -> Outcome {
    app.expire_tokens(&address)?;
    Ok(done())
}

async fn revoke(State(app): Shared, Path(address): Path<String>) -> Outcome {
    app.revoke(&address)?;
    Ok(done())
}

async fn faults(State(app): Shared) -> Json<Vec<FaultReport>> {
    Json(app.faults.reports())
}

async fn add_fault(State(app): Shared, Json(rule): Json<FaultRule>) -> Outcome {
    app.faults.add(rule)?;
    Ok(done())
}

async fn clear_faults(State(app): Shared) -> Json<Value> {
    app.faults.clear();
    done()
}

async fn stats(State(app): Shared) -> Json<Stats> {
    Json(locked(&app.journal).stats.clone())
}

async fn reset_stats(State(app): Shared) -> Json<Value> {
    locked(&app.journal).reset();
    done()
}

async fn requests(State(app): Shared) -> Json<Vec<SeenRequest>> {
    Json(locked(&app.journal).seen.iter().cloned().collect())
}

async fn violations(State(app): Shared) -> Json<Vec<Violation>> {
    Json(app.violations())
}

async fn set_latency(State(app): Shared, Json(latency): Json<Latency>) -> Json<Value> {
    *locked(&app.latency) = latency;
    done()
}

async fn set_quota(State(app): Shared, Json(quota): Json<Quota>) -> Json<Value> {
    *locked(&app.quota) = quota;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    advance_ms: i64,
}

async fn advance_clock(State(app): Shared, Json(change): Json<ClockChange>) -> Json<Value> {
    app.clock.advance(change.advance_ms);
    done()
}
