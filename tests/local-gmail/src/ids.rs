//! Message and thread ids: 64 bits, written in hexadecimal.

use crate::mix::mix_text;

/// Reads a message or thread id.
pub(crate) fn parse_id(text: &str) -> Option<u64> {
    let digits = (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// Writes a message or thread id.
pub(crate) fn write_id(id: u64) -> String {
    format!("{id:016x}")
}

/// The id of a thread: 16 hexadecimal digits as they are, any other name scattered.
pub(crate) fn thread_id(name: &str) -> u64 {
    if name.len() == 16 {
        parse_id(name)
    } else {
        None
    }
    .unwrap_or_else(|| mix_text(name))
}
