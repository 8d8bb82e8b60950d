//! The server: routes, the queue of faults, what was asked.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::MODEL;
use crate::answer::{answer, mails};
use crate::fault::Fault;
use crate::refusal::{header_refusal, refusal};

/// One request for a reading.
#[derive(Clone, Debug)]
pub struct SeenRequest {
    /// All of it, as it came.
    pub body: String,
    /// The mails in it, as the daemon wrote them.
    pub mails: Vec<Value>,
}

#[derive(Default)]
struct Book {
    queued: VecDeque<Fault>,
    lasting: Option<Fault>,
    seen: Vec<SeenRequest>,
}

/// A running server; it ends when this is dropped.
pub struct LocalAnthropic {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    serving: JoinHandle<()>,
}

impl LocalAnthropic {
    /// Starts a server on the running tokio runtime.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let book = Arc::<Mutex<Book>>::default();
        let router = Router::new()
            .route("/v1/messages", post(messages))
            .route("/v1/models/{model}", get(model))
            .with_state(Arc::clone(&book));
        let serving = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            book,
            serving,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Spoils the next answer that is not spoiled yet.
    pub fn fail_next(&self, fault: Fault) {
        locked(&self.book).queued.push_back(fault);
    }

    /// Spoils all answers from now on; `None` ends that.
    pub fn fail_always(&self, fault: Option<Fault>) {
        locked(&self.book).lasting = fault;
    }

    /// The requests for readings so far, refused ones too.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        locked(&self.book).seen.clone()
    }
}

impl Drop for LocalAnthropic {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn messages(
    State(book): State<Arc<Mutex<Book>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fault = {
        let mut book = locked(&book);
        book.seen.push(SeenRequest {
            body: String::from_utf8_lossy(&body).into_owned(),
            mails: mails(&request),
        });
        book.queued.pop_front().or_else(|| book.lasting.clone())
    };
    if let Some((status, kind, message)) = refusal(&headers, &request) {
        return error(status, kind, &message, None);
    }
    match fault {
        Some(Fault::Status(status, kind, retry_after)) => {
            error(status, kind, "made up", retry_after)
        }
        Some(Fault::SpendLimit) => spend_limit(),
        Some(Fault::Garbage) => reply(200, Body::from("<html>Welcome to the hotel</html>")),
        Some(Fault::Hang) => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            reply(200, Body::empty())
        }
        Some(Fault::Truncated) => reply(200, half(&answer(&request, None).to_string())),
        fault => reply(
            200,
            Body::from(answer(&request, fault.as_ref()).to_string()),
        ),
    }
}

async fn model(headers: HeaderMap, Path(name): Path<String>) -> Response<Body> {
    match header_refusal(&headers) {
        Some((status, kind, message)) => error(status, kind, &message, None),
        None if name == MODEL => reply(
            200,
            Body::from(json!({ "type": "model", "id": name }).to_string()),
        ),
        None => error(404, "not_found_error", "no such model", None),
    }
}

fn error(status: u16, kind: &str, message: &str, retry_after: Option<&str>) -> Response<Body> {
    let body = json!({ "type": "error", "error": { "type": kind, "message": message } });
    let mut response = reply(status, Body::from(body.to_string()));
    if let Some(value) = retry_after.and_then(|text| text.parse().ok()) {
        response.headers_mut().insert("retry-after", value);
    }
    response
}

fn spend_limit() -> Response<Body> {
    let body = json!({ "type": "error", "error": {
        "type": "rate_limit_error", "message": "made up",
        "details": { "error_code": "enforced_spend_limit_reached" } } });
    reply(429, Body::from(body.to_string()))
}

/// Half of a body, and then a broken connection.
fn half(text: &str) -> Body {
    let (start, _) = text.split_at(text.len() / 2);
    let start = Ok(Bytes::copy_from_slice(start.as_bytes()));
    Body::from_stream(futures_util::stream::iter([
        start,
        Err(io::Error::other("cut")),
    ]))
}

fn reply(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(
        "content-type",
        axum::http::HeaderValue::from_static("application/json"),
    );
    response
}
