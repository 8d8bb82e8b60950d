//! Texts of mail: no input may panic, scores stay in range, and no address leaves with what is sent to a model.
#![no_main]
#![forbid(unsafe_code)]

use crm_health_sync::anthropic::redact;
use crm_health_sync::sentiment::{MailText, read_with_lexicon};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (subject, snippet) = match text.split_once('\n') {
        Some((subject, snippet)) => (subject, Some(snippet.to_owned())),
        None => (&*text, None),
    };
    let mail = MailText {
        subject: Some(subject.to_owned()),
        snippet,
    };
    let reading = read_with_lexicon(&mail).expect("the lexicon reads anything");
    assert!(reading.score.is_none_or(|s| (-1.0..=1.0).contains(&s)));
    assert_eq!(reading.score.is_some(), reading.label().is_some());
    let redacted = redact(&text);
    assert!(!redacted.contains('@'), "{redacted:?} has an address");
    assert!(!redacted.contains(char::is_control), "{redacted:?}");
});
