//! HTTP connections: each is served in a task of its own, and closed when its request does not come.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The headers of the next request are there within this time, or the connection is closed: half-open ones must not
/// pile up.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);

/// A process that may open no more files can soon again.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// Serves until `stop`; answers under way are finished.
pub(super) async fn listen(listener: TcpListener, app: Router, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN);
    let open = GracefulShutdown::new();
    while let Some(stream) = next(&listener, &stop).await {
        let service = TowerToHyperService::new(app.clone());
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    open.shutdown().await;
}

async fn next(listener: &TcpListener, stop: &CancellationToken) -> Option<TcpStream> {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => return Some(stream),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
            },
            () = stop.cancelled() => return None,
        }
    }
}
