//! Answers of a language model: no input may panic, and what is believed is within its bounds.
#![no_main]
#![forbid(unsafe_code)]

use crm_health_sync::anthropic::{read_answer, read_usage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (count, body) = input;
    // What it costs is read of anything; a number that overflows is no number.
    let _ = read_usage(body);
    // The bytes as a whole answer, and as the readings of one that is sound around them.
    let readings = String::from_utf8_lossy(body);
    let call = format!(
        r#"{{"content":[{{"type":"tool_use","name":"record_readings","input":{{"readings":{readings}}}}}]}}"#
    );
    for answer in [body, call.as_bytes()] {
        let Ok(judged) = read_answer(answer, usize::from(count)) else {
            continue;
        };
        assert_eq!(judged.len(), usize::from(count));
        for (score, details) in judged {
            assert!(score.is_none_or(|s| (-1.0..=1.0).contains(&s)));
            assert!(details.topics.len() <= 5);
            assert!(details.topics.iter().all(|t| t.chars().count() <= 40));
        }
    }
});
