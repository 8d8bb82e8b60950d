//! `multipart/mixed` batches: many calls in one request, their answers in any order.

use axum::body::Bytes;

use crate::api;
use crate::app::App;
use crate::call::Call;
use crate::fault_book::Target;
use crate::faults::{Endpoint, Fault, Place};
use crate::lock::locked;
use crate::mangle::mangle;
use crate::meter::Permit;
use crate::mix::{mix_text, shuffled};
use crate::reply::{Answer, ApiError, Reply};
use crate::server::sleep_ms;
use crate::stats::SeenRequest;

const MOST_PARTS: usize = 100;

/// A part of a batch, as it was asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its Content-ID with brackets.
    pub(crate) content_id: Option<String>,
    /// GET, …
    pub(crate) verb: String,
    /// Path and query.
    pub(crate) target: String,
    /// The access token of the part itself.
    pub(crate) token: Option<String>,
}

/// Answers a batch; `token` is that of the whole request.
pub(crate) async fn answer(
    app: &App,
    content_type: &str,
    token: Option<String>,
    body: &Bytes,
) -> Answer {
    let call = Call::new("POST", "/batch", token, Place::Single);
    let mailbox = call.grant(app).map(|grant| grant.mailbox);
    let target = Target {
        endpoint: Endpoint::Batch,
        place: Place::Single,
        mailbox: mailbox.as_deref(),
        message: None,
    };
    let fault = app.faults.take(&target);
    let answer = match fault
        .as_ref()
        .and_then(|fault| fault.refusal(app.clock.now_ms()))
    {
        Some(refusal) => refusal,
        None => match read_parts(content_type, body) {
            Ok(parts) => serve(app, call.token, parts, fault.as_ref()).await,
            Err(error) => Answer::Whole(error.reply()),
        },
    };
    note(app, mailbox, &answer);
    answer
}

fn note(app: &App, mailbox: Option<String>, answer: &Answer) {
    let status = answer.status();
    let (endpoint, place) = (Endpoint::Batch, Place::Single);
    let seen = SeenRequest {
        endpoint,
        place,
        mailbox,
        target: "/batch".to_owned(),
        status,
    };
    locked(&app.journal).note(seen, app.config.request_log);
}

async fn serve(
    app: &App,
    token: Option<String>,
    parts: Vec<Part>,
    fault: Option<&Fault>,
) -> Answer {
    let mut calls: Vec<Call> = parts
        .iter()
        .map(|part| part.call(token.as_deref()))
        .collect();
    let permits = enter(app, &mut calls);
    let delay_ms = if let Some(Fault::Delay { milliseconds }) = fault {
        *milliseconds
    } else {
        0
    };
    let batch_ms = locked(&app.latency).batch_ms;
    sleep_ms(batch_ms + delay_ms).await;
    let mut answers = Vec::with_capacity(parts.len());
    for (part, call) in parts.iter().zip(&calls) {
        match api::answer(app, call).await {
            Answer::Whole(reply) => {
                answers.push((part.content_id.clone(), spoiled_part(fault, reply)));
            }
            Answer::Missing => {}
            Answer::Hang => return Answer::Hang,
            Answer::Reset | Answer::ResetAfter(..) => return Answer::Reset,
        }
    }
    drop(permits);
    let seed = mix_text(
        &calls
            .iter()
            .map(|call| call.path.as_str())
            .collect::<String>(),
    );
    let answers = arrange(&answers, fault, app.config.shuffle_batches.then_some(seed));
    // What a fault does to the parts or to their number is done; the rest is for the whole.
    let fault = fault.filter(|f| !matches!(f, Fault::Missing { .. }) && !f.spoils_json());
    mangle(fault, write_parts(&answers))
}

fn spoiled_part(fault: Option<&Fault>, reply: Reply) -> Reply {
    match mangle(fault.filter(|fault| fault.spoils_json()), reply.clone()) {
        Answer::Whole(spoiled) => spoiled,
        _ => reply,
    }
}

/// Takes a place among the running calls for every part; the parts too many are marked.
fn enter(app: &App, calls: &mut [Call]) -> Vec<Permit> {
    let quota = *locked(&app.quota);
    let mut permits = Vec::new();
    for call in calls {
        if let Some(grant) = call.grant(app) {
            let permit = app.meter.enter(&grant.mailbox, &quota);
            call.crowded = permit.is_none();
            permits.extend(permit);
        }
    }
    permits
}

type PartAnswer = (Option<String>, Reply);

fn arrange(
    answers: &[PartAnswer],
    fault: Option<&Fault>,
    shuffle_seed: Option<u64>,
) -> Vec<PartAnswer> {
    let mut order: Vec<usize> = match shuffle_seed {
        Some(seed) => shuffled(answers.len(), seed),
        None => (0..answers.len()).collect(),
    };
    match fault {
        Some(Fault::Missing { count }) => order.truncate(answers.len().saturating_sub(*count)),
        Some(Fault::Duplicated) => order = [order.clone(), order].concat(),
        Some(Fault::Reversed) => order = (0..answers.len()).rev().collect(),
        _ => {}
    }
    order.into_iter().map(|at| answers[at].clone()).collect()
}

impl Part {
    fn call(&self, outer_token: Option<&str>) -> Call {
        let token = self
            .token
            .clone()
            .or_else(|| outer_token.map(str::to_owned));
        Call::new(&self.verb, &self.target, token, Place::Part)
    }
}

/// Reads the parts of a batch request.
pub(crate) fn read_parts(content_type: &str, body: &Bytes) -> Result<Vec<Part>, ApiError> {
    let boundary = boundary(content_type).ok_or_else(|| {
        ApiError::new(400, "badRequest", "Missing end boundary in multipart body.")
    })?;
    let body = std::str::from_utf8(body).map_err(|_| ApiError::invalid("The body is no text"))?;
    let delimiter = format!("--{boundary}");
    let mut pieces = body.split(delimiter.as_str());
    pieces.next();
    let mut parts = Vec::new();
    for piece in pieces {
        if piece.starts_with("--") {
            return check_count(parts);
        }
        parts
            .push(read_part(piece).ok_or_else(|| ApiError::invalid("Failed to parse batch part"))?);
    }
    Err(ApiError::new(
        400,
        "badRequest",
        "Missing end boundary in multipart body.",
    ))
}

fn check_count(parts: Vec<Part>) -> Result<Vec<Part>, ApiError> {
    match parts.len() {
        0 => Err(ApiError::invalid("The batch is empty")),
        1..=MOST_PARTS => Ok(parts),
        n => Err(ApiError::invalid(format!(
            "The batch has {n} parts, more than {MOST_PARTS}"
        ))),
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("boundary");
        named.then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn read_part(piece: &str) -> Option<Part> {
    let piece = piece.replace("\r\n", "\n");
    let (outer, inner) = piece.strip_prefix('\n')?.split_once("\n\n")?;
    let kind = header(outer, "Content-Type")?;
    if !kind.to_lowercase().starts_with("application/http") {
        return None;
    }
    let inner = inner.trim_start_matches('\n');
    let (request_line, headers) = inner.split_once('\n').unwrap_or((inner, ""));
    let mut words = request_line.split_whitespace();
    let (verb, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = headers
        .split_once("\n\n")
        .map_or(headers, |(headers, _)| headers);
    let token = header(headers, "Authorization")
        .and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
    let content_id = header(outer, "Content-ID").map(str::to_owned);
    target.starts_with('/').then_some(Part {
        content_id,
        verb,
        target,
        token,
    })
}

fn header<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    headers.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn write_parts(answers: &[PartAnswer]) -> Reply {
    let boundary = "batch_local-gmail-6Yq0";
    let mut body = Vec::new();
    for (content_id, reply) in answers {
        body.extend_from_slice(part_head(boundary, content_id.as_deref(), reply).as_bytes());
        body.extend_from_slice(&reply.body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = format!("multipart/mixed; boundary={boundary}");
    Reply {
        status: 200,
        headers: Vec::new(),
        content_type,
        body: body.into(),
    }
}

fn part_head(boundary: &str, content_id: Option<&str>, reply: &Reply) -> String {
    let id = content_id.map(|id| {
        let inner = id.trim_start_matches('<').trim_end_matches('>');
        format!("Content-ID: <response-{inner}>\r\n")
    });
    let status = axum::http::StatusCode::from_u16(reply.status).ok();
    let reason = status
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unknown");
    let more = reply
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    format!(
        "--{boundary}\r\nContent-Type: application/http\r\n{id}\r\nHTTP/1.1 {status} {reason}\r\n\
         Content-Type: {kind}\r\n{more}Content-Length: {length}\r\n\r\n",
        id = id.unwrap_or_default(),
        status = reply.status,
        kind = reply.content_type,
        more = more.collect::<String>(),
        length = reply.body.len(),
    )
}
