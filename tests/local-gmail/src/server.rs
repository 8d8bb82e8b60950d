//! HTTP: the accept loop, and the routes of the Gmail and the OAuth side.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, Method, Request, Response, Uri, header};
use axum::routing::{get, post};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::api;
use crate::app::App;
use crate::call::Call;
use crate::faults::Place;
use crate::lock::locked;
use crate::reply::{Answer, ResetMark};
use crate::{admin, batch, consent, oauth};

const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// Serves until `stop` turns true; connections still open are then cut.
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let router = router(app);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone()));
                }
                // Out of file descriptors, most likely: some will come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server's owner.
    let _ = stop.wait_for(|&stop| stop).await;
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/batch", post(batch_call))
        .route("/batch/gmail/v1", post(batch_call))
        .route("/token", post(token))
        .route("/revoke", post(revoke))
        .route("/o/oauth2/v2/auth", get(consent))
        .fallback(single_call)
        .with_state(Arc::clone(&app))
        .nest("/__admin", admin::routes(app))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

async fn connection(stream: TcpStream, router: Router) {
    // Nagle's delay would be measured as latency that nobody set.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let wire = Wire {
        stream,
        reset: Arc::clone(&reset),
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, reset) = (router.clone(), Arc::clone(&reset));
        async move {
            let response = router.oneshot(request.map(Body::new)).await;
            let response = response.unwrap_or_else(|never| match never {});
            let mark = response.extensions().get::<ResetMark>().copied();
            reset.store(mark.is_some(), Ordering::Relaxed);
            match mark {
                Some(ResetMark::BeforeAnswer) => {
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                }
                _ => Ok(response),
            }
        }
    });
    // An error here is a client that went away, or a reset that was asked for.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(wire), service)
        .await;
}

/// A connection that ends in a reset instead of a good-bye if told so.
struct Wire {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // If it fails the client sees an early end of the stream, which is a fault as well.
            let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Sleeps, but not for nothing.
pub(crate) async fn sleep_ms(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

/// Waits the round trip, works, and counts requests and bytes.
async fn exchange(
    app: &App,
    request_bytes: usize,
    work: impl Future<Output = Answer>,
) -> Response<Body> {
    let round_trip_ms = locked(&app.latency).round_trip_ms;
    sleep_ms(round_trip_ms).await;
    {
        let mut journal = locked(&app.journal);
        journal.stats.http_requests += 1;
        journal.stats.request_bytes += request_bytes as u64;
    }
    let answer = work.await;
    if let Answer::Whole(reply) = &answer {
        locked(&app.journal).stats.response_bytes += reply.body.len() as u64;
    }
    answer.into_response().await
}

fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (own, credentials) = value.split_once(' ')?;
    own.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    credentials(headers, "Bearer").map(str::to_owned)
}

async fn single_call(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let call = Call::new(method.as_str(), target, bearer(&headers), Place::Single);
    exchange(&app, body.len(), api::answer(&app, &call)).await
}

async fn batch_call(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let work = batch::answer(
        &app,
        content_type.unwrap_or_default(),
        bearer(&headers),
        &body,
    );
    exchange(&app, body.len(), work).await
}

async fn token(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let work = oauth::token(&app, &body, credentials(&headers, "Basic"));
    exchange(&app, body.len(), work).await
}

async fn revoke(State(app): State<Arc<App>>, body: Bytes) -> Response<Body> {
    exchange(&app, body.len(), async {
        Answer::Whole(oauth::revoke(&app, &body))
    })
    .await
}

async fn consent(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response<Body> {
    let query = query.unwrap_or_default();
    exchange(&app, 0, async { consent::consent(&app, &query) }).await
}
