//! The parts of a batch answer, each with its own outcome.

use std::collections::HashMap;

use super::batch;
use super::client::Answer;
use super::fault::{Fault, classify};
use super::json::parse;
use super::types::Message;

/// The outcome of a batch, for each id that was asked for.
pub type Batch = HashMap<String, Result<Message, Fault>>;

pub(super) fn sort_parts(ids: &[String], answer: &Answer) -> Batch {
    let mut parts = batch::read_answer(&answer.content_type, &answer.body);
    ids.iter()
        .map(|id| {
            let outcome = match parts.remove(id) {
                Some(part) => read_part(id, &part),
                None if answer.truncated => Err(Fault::Backend("a batch was cut off".to_owned())),
                None => Err(Fault::Missing),
            };
            (id.clone(), outcome)
        })
        .collect()
}

fn read_part(id: &str, part: &batch::PartAnswer) -> Result<Message, Fault> {
    if !(200..300).contains(&part.status) {
        let retry_after = part.retry_after.as_deref();
        return Err(classify(
            part.status,
            retry_after,
            &part.body,
            chrono::Utc::now(),
        ));
    }
    match parse::<Message>(&part.body) {
        Ok(message) if message.id == id => Ok(message),
        // The request was fine and the answer came whole: it is this message that cannot be read.
        _ => Err(Fault::BadRequest("unreadable".to_owned())),
    }
}
