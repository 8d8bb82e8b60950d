//! What pages need besides: part of the binary, so that nothing is asked of anyone else.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// The style sheet.
pub(super) const STYLE: &str = include_str!("assets/style.css");

const ICON: &str = include_str!("assets/icon.svg");

/// Its address changes with its contents.
pub(super) async fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLE).into_response()
}

/// The pulse in the browser's tab.
pub(super) async fn icon() -> Response {
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, ICON).into_response()
}
