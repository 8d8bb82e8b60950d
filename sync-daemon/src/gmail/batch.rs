//! The batch format: many calls in one `multipart/mixed` request, and a reader that makes the best of any answer.
//!
//! Parts are matched by Content-ID, never by position. A part that is missing, cut off or unreadable is a fault of
//! that part alone; what arrived whole is used.

use std::collections::HashMap;

use memchr::memmem;

/// Marks the Content-IDs as ours.
const ID_PREFIX: &str = "m-";

/// One answered part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartAnswer {
    /// HTTP status of this part.
    pub status: u16,
    /// Its `Retry-After`, if any.
    pub retry_after: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Builds the body of a batch request: one GET of `path(id)` for each id.
#[must_use]
pub fn request_body(boundary: &str, ids: &[String], path: impl Fn(&str) -> String) -> String {
    let mut body = String::with_capacity(ids.len() * 512);
    for id in ids {
        body.push_str(&format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <{ID_PREFIX}{id}>\r\n\r\n\
             GET {} HTTP/1.1\r\n\r\n\r\n",
            path(id)
        ));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    body
}

/// Reads the answer: message id → part. Of a part that came twice the better one stays.
#[must_use]
pub fn read_answer(content_type: &str, body: &[u8]) -> HashMap<String, PartAnswer> {
    let mut answers: HashMap<String, PartAnswer> = HashMap::new();
    let Some(boundary) = boundary_of(content_type) else {
        return answers;
    };
    for part in split_parts(body, &boundary) {
        if let Some((id, answer)) = read_part(part) {
            match answers.get(&id) {
                Some(known) if known.status < answer.status => {}
                _ => {
                    answers.insert(id, answer);
                }
            }
        }
    }
    answers
}

fn boundary_of(content_type: &str) -> Option<String> {
    let position = content_type.to_ascii_lowercase().find("boundary=")?;
    let value = content_type.get(position + "boundary=".len()..)?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ']).next()?,
    };
    (!value.is_empty()).then(|| value.to_owned())
}

/// The pieces between delimiter lines. A piece without a delimiter after it was cut off, and is left out.
fn split_parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let starts: Vec<usize> = memmem::find_iter(body, delimiter.as_bytes())
        .filter(|&at| at == 0 || body[at - 1] == b'\n')
        .collect();
    starts
        .windows(2)
        .map(|pair| &body[pair[0] + delimiter.len()..pair[1]])
        .collect()
}

fn read_part(part: &[u8]) -> Option<(String, PartAnswer)> {
    // The rest of the delimiter line, then the part's own headers.
    let line_end = memchr::memchr(b'\n', part)?;
    let (outer, inner) = split_headers(&part[line_end + 1..])?;
    let id = message_id(&header(outer, "content-id")?)?;
    let (head, body) = split_headers(inner)?;
    let status = status_of(head)?;
    let body = body
        .strip_suffix(b"\r\n")
        .or_else(|| body.strip_suffix(b"\n"))
        .unwrap_or(body);
    if header(head, "content-length")
        .and_then(|l| l.parse::<usize>().ok())
        .is_some_and(|l| body.len() < l)
    {
        return None;
    }
    let retry_after = header(head, "retry-after");
    Some((
        id,
        PartAnswer {
            status,
            retry_after,
            body: body.to_vec(),
        },
    ))
}

/// Splits at the first empty line.
fn split_headers(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let crlf = memmem::find(bytes, b"\r\n\r\n").map(|at| (at, 4));
    let lf = memmem::find(bytes, b"\n\n").map(|at| (at, 2));
    let (at, length) = match (crlf, lf) {
        (Some(a), Some(b)) => {
            if a.0 <= b.0 {
                a
            } else {
                b
            }
        }
        (Some(a), None) | (None, Some(a)) => a,
        (None, None) => return None,
    };
    Some((&bytes[..at], &bytes[at + length..]))
}

fn header(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// `<response-m-18c>` → `18c`.
fn message_id(content_id: &str) -> Option<String> {
    let id = content_id.trim_start_matches('<').trim_end_matches('>');
    let id = id.strip_prefix("response-")?.strip_prefix(ID_PREFIX)?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// `HTTP/1.1 200 OK` → 200.
fn status_of(head: &[u8]) -> Option<u16> {
    let line = head.split(|b| *b == b'\n').next()?;
    let text = std::str::from_utf8(line).ok()?;
    text.strip_prefix("HTTP/")?
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}
