//! JSON as it comes: bytes that are no UTF-8, and halves of surrogate pairs, must not lose a mail.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::fault::Fault;

/// Reads an answer. What stands for no character is replaced, not refused.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&text)
        .or_else(|error| match without_lone_surrogates(&text) {
            Cow::Owned(mended) => serde_json::from_str(&mended),
            Cow::Borrowed(_) => Err(error),
        })
        .map_err(|_| Fault::Backend("the answer is not what Gmail describes".to_owned()))
}

/// An escape such as `\ud83d` that has lost its other half, as after a cut in the middle of an emoji, becomes `\ufffd`.
fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match (escaped(text, at), escaped(text, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str(&text[kept..at]);
                mended.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            // The sign after a backslash begins no escape of its own.
            _ => {
                let sign = text[at + 1..].chars().next();
                at += 1 + sign.map_or(0, char::len_utf8);
            }
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[kept..]);
    Cow::Owned(mended)
}

/// The number in an escape `\u0000` that begins at `at`.
fn escaped(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok())?
}
