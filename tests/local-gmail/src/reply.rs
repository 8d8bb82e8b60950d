//! Answers, whole and broken, and Google's error bodies.

use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode, header};
use futures_util::stream;
use serde_json::{Value, json};

/// Marks an answer after which the accept loop must reset the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ResetMark {
    /// Nothing is sent.
    BeforeAnswer,
    /// The body breaks off.
    MidBody,
}

/// An HTTP answer, not yet tied to a connection or to a part of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers besides Content-Type and Content-Length.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Content-Type.
    pub(crate) content_type: String,
    /// The body.
    pub(crate) body: Bytes,
}

/// What becomes of a request in the end.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A whole answer.
    Whole(Reply),
    /// The connection is reset after this many bytes of the body.
    ResetAfter(Reply, usize),
    /// The connection is reset before any answer.
    Reset,
    /// No answer ever comes, the connection stays open.
    Hang,
    /// A part of a batch whose answer is left out.
    Missing,
}

impl Reply {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: "application/json; charset=UTF-8".to_owned(),
            body: body.into(),
        }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn into_response(self, body: Body) -> Response<Body> {
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, self.content_type)
            .header(header::CONTENT_LENGTH, self.body.len());
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response
            .body(body)
            .unwrap_or_else(|error| failed(&error.to_string()))
    }
}

impl Answer {
    /// The status that the client sees, 0 if none.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Whole(reply) | Self::ResetAfter(reply, _) => reply.status,
            Self::Reset | Self::Hang | Self::Missing => 0,
        }
    }

    /// The HTTP response, or one that the accept loop resets. Never returns for [`Answer::Hang`].
    pub(crate) async fn into_response(self) -> Response<Body> {
        match self {
            Self::Whole(reply) => {
                let body = Body::from(reply.body.clone());
                reply.into_response(body)
            }
            Self::ResetAfter(reply, bytes) => {
                let body = broken_body(reply.body.slice(..bytes.min(reply.body.len())));
                let mut response = reply.into_response(body);
                response.extensions_mut().insert(ResetMark::MidBody);
                response
            }
            Self::Reset | Self::Missing => {
                let mut response = Response::new(Body::empty());
                response.extensions_mut().insert(ResetMark::BeforeAnswer);
                response
            }
            Self::Hang => std::future::pending().await,
        }
    }
}

/// A body that ends in an error after its first bytes have had time to leave.
fn broken_body(first: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(first), |first| async move {
        let item = match &first {
            Some(bytes) => Ok(bytes.clone()),
            None => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
            }
        };
        Some((item, None))
    }))
}

fn failed(reason: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(reason.to_owned()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// An error of the API, in Google's words.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    /// HTTP status.
    pub(crate) status: u16,
    /// `errors[0].reason`.
    pub(crate) reason: String,
    /// The text.
    pub(crate) message: String,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u64>,
}

impl ApiError {
    /// An error without a Retry-After.
    pub(crate) fn new(status: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            message: message.into(),
            retry_after: None,
        }
    }

    /// A wrong request.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalidArgument", message)
    }

    /// What does not exist.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "notFound", "Requested entity was not found.")
    }

    /// No token, or one that is worth nothing.
    pub(crate) fn unauthorized() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access \
                       token, login cookie or other valid authentication credential.";
        Self::new(401, "authError", message)
    }

    /// Google's error body.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({
            "code": self.status,
            "message": self.message,
            "errors": [{
                "domain": domain(&self.reason),
                "reason": self.reason,
                "message": self.message,
            }],
        });
        if let Some(status) = status_name(self.status) {
            error["status"] = Value::from(status);
        }
        json!({ "error": error })
    }

    /// The answer with that body.
    pub(crate) fn reply(&self) -> Reply {
        let reply = Reply::json(self.status, format!("{:#}", self.body()));
        match self.retry_after {
            Some(seconds) => reply.with("retry-after", seconds.to_string()),
            None => reply,
        }
    }
}

fn domain(reason: &str) -> &'static str {
    if reason.ends_with("LimitExceeded") {
        "usageLimits"
    } else {
        "global"
    }
}

fn status_name(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        500 => "INTERNAL",
        503 => "UNAVAILABLE",
        _ => return None,
    })
}
