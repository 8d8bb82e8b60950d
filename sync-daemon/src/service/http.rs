//! The HTTP endpoints, on loopback: the two cron calls, health, readiness, metrics, and the dashboard.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Runner;
use crate::run::{RunKind, RunRequest};

/// A database that takes longer is not ready.
const READY_WITHIN: Duration = Duration::from_secs(3);

/// No progress for so long during a run is not healthy.
const HEALTHY_PULSE: Duration = Duration::from_secs(900);

/// What the handlers share.
#[derive(Clone)]
pub struct AppState {
    /// Starts runs.
    pub runner: Arc<Runner>,
}

/// All routes.
pub fn router(state: AppState) -> Router {
    let cron = Router::new()
        .route("/api/cron/email-sync", get(email_sync).post(email_sync))
        .route(
            "/api/cron/health-refresh",
            get(health_refresh).post(health_refresh),
        )
        .layer(from_fn_with_state(state.clone(), require_secret));
    let dashboard = crate::dashboard::router(Arc::clone(&state.runner));
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .merge(cron)
        .with_state(state)
        .merge(dashboard)
}

async fn require_secret(
    State(state): State<AppState>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    let engine = state.runner.engine();
    let Some(secret) = engine.config.secrets.cron_secret.as_ref() else {
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "no cron secret is configured: set CRM_HEALTH_CRON_SECRET",
        );
    };
    let offered = offered_secrets(request.headers(), &query);
    // All are compared, so that the time tells nothing about which one was nearly right.
    let right = offered.iter().fold(false, |right, offer| {
        same_secret(offer, secret.expose_secret()) | right
    });
    if right {
        next.run(request).await
    } else {
        refuse(
            StatusCode::UNAUTHORIZED,
            "the cron secret is missing or wrong",
        )
    }
}

/// By header, or in the query for callers that can do no better.
fn offered_secrets(headers: &HeaderMap, query: &HashMap<String, String>) -> Vec<String> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|v| {
        let (scheme, token) = v.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let own = text("x-cron-secret");
    let in_query = query.get("secret").map(String::as_str);
    [bearer, own, in_query]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect()
}

/// In constant time, whatever the lengths.
pub(crate) fn same_secret(offered: &str, secret: &str) -> bool {
    Sha256::digest(offered)
        .as_slice()
        .ct_eq(Sha256::digest(secret).as_slice())
        .into()
}

fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "success": false, "error": reason }))).into_response()
}

fn trigger_of(headers: &HeaderMap) -> String {
    let vercel = headers.contains_key("x-vercel-cron");
    if vercel { "vercel_cron" } else { "http" }.to_owned()
}

async fn email_sync(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let triggered_by = trigger_of(&headers);
    let request = RunRequest {
        triggered_by,
        kind: RunKind::Now,
        users: None,
        since: None,
    };
    match state.runner.sync(request).await {
        Some(report) => Json(report.as_ref()).into_response(),
        None => refuse(StatusCode::SERVICE_UNAVAILABLE, "the daemon is stopping"),
    }
}

async fn health_refresh(State(state): State<AppState>, headers: HeaderMap) -> Response {
    match state.runner.health(trigger_of(&headers)).await {
        Some(report) => Json(report.as_ref()).into_response(),
        None => refuse(StatusCode::SERVICE_UNAVAILABLE, "the daemon is stopping"),
    }
}

/// The process lives and, if a run is on, gets on.
async fn healthz(State(state): State<AppState>) -> Response {
    if state.runner.engine().pulse.age() < HEALTHY_PULSE {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no progress\n").into_response()
    }
}

/// The database answers and has the daemon's tables.
async fn readyz(State(state): State<AppState>) -> Response {
    let engine = state.runner.engine();
    match tokio::time::timeout(READY_WITHIN, engine.store.summary()).await {
        Ok(Ok(_)) => (StatusCode::OK, "ready\n").into_response(),
        Ok(Err(error)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {error}\n"),
        )
            .into_response(),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: the database is slow or away\n",
        )
            .into_response(),
    }
}

async fn metrics(State(state): State<AppState>) -> Response {
    let engine = state.runner.engine();
    let extension = async {
        if engine.config.metrics.extension {
            engine.metrics.extension.render(&engine.store).await
        } else {
            String::new()
        }
    };
    // Both at once: whoever scrapes does not wait for a database that is away twice.
    let summary = tokio::time::timeout(READY_WITHIN, engine.store.summary());
    let (summary, extension) = tokio::join!(summary, extension);
    let summary = summary.ok().and_then(Result::ok);
    let text = engine.metrics.render(summary.as_ref(), &extension);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
