//! The faults that need no right answer to spoil: refusals, resets, silence.

use crate::clock::rfc3339;
use crate::faults::Fault;
use crate::reply::{Answer, ApiError, Reply};

impl Fault {
    /// The answer in place of the right one, for faults that need no right one.
    pub(crate) fn refusal(&self, now_ms: i64) -> Option<Answer> {
        Some(match self {
            Self::Reset => Answer::Reset,
            Self::Hang => Answer::Hang,
            Self::ServerError { status, html: true } => Answer::Whole(html_error(*status)),
            Self::Redirect { location } => {
                let reply = Reply::json(302, "{}").with("location", location.clone());
                Answer::Whole(reply)
            }
            Self::CutRefusal { status, reason } => {
                let reply = ApiError::new(*status, reason, forbidden_text(reason)).reply();
                Answer::ResetAfter(reply, 10)
            }
            _ => Answer::Whole(self.error(now_ms)?.reply()),
        })
    }

    fn error(&self, now_ms: i64) -> Option<ApiError> {
        Some(match self {
            Self::Unauthorized => ApiError::unauthorized(),
            Self::Forbidden { reason } => ApiError::new(403, reason, forbidden_text(reason)),
            Self::NotFound => ApiError::not_found(),
            Self::Gone => ApiError::new(410, "deleted", "Resource has been deleted"),
            Self::BadRequest => {
                ApiError::new(400, "failedPrecondition", "Precondition check failed.")
            }
            Self::ServerError { status, .. } => {
                ApiError::new(*status, "backendError", "Backend Error")
            }
            Self::RateLimited {
                status,
                reason,
                retry_after_seconds,
                retry_in_text_seconds,
            } => {
                let message = rate_text(*retry_in_text_seconds, now_ms);
                let error = ApiError::new(*status, reason, message);
                ApiError {
                    retry_after: *retry_after_seconds,
                    ..error
                }
            }
            _ => return None,
        })
    }
}

fn rate_text(retry_in_seconds: Option<u64>, now_ms: i64) -> String {
    let Some(seconds) = retry_in_seconds else {
        return "Rate Limit Exceeded".to_owned();
    };
    let at_ms = now_ms.saturating_add_unsigned(seconds.saturating_mul(1000));
    format!("User-rate limit exceeded.  Retry after {}", rfc3339(at_ms))
}

fn forbidden_text(reason: &str) -> &'static str {
    match reason {
        "domainPolicy" => "The domain administrators have disabled Gmail apps.",
        "dailyLimitExceeded" => "Daily Limit Exceeded",
        "rateLimitExceeded" => "Rate Limit Exceeded",
        "userRateLimitExceeded" => "User Rate Limit Exceeded",
        "insufficientPermissions" => "Request had insufficient authentication scopes.",
        "accessNotConfigured" => "Gmail API has not been used in this project before.",
        _ => "Forbidden",
    }
}

fn html_error(status: u16) -> Reply {
    let body =
        format!("<!DOCTYPE html>\n<html><title>Error {status} (Server Error)!!1</title></html>");
    let content_type = "text/html; charset=UTF-8".to_owned();
    Reply {
        status,
        headers: Vec::new(),
        content_type,
        body: body.into(),
    }
}
