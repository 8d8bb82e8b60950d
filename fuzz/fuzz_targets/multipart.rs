//! Batch answers, broken in any way: no input may panic, and no part may come from nowhere.
#![no_main]
#![forbid(unsafe_code)]

use crm_health_sync::gmail::batch::read_answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (content_type, body) = input;
    for content_type in [content_type, "multipart/mixed; boundary=b"] {
        for (id, part) in read_answer(content_type, body) {
            assert!(!id.is_empty(), "a part without an id");
            let whole = part.body.is_empty()
                || body
                    .windows(part.body.len())
                    .any(|window| window == part.body);
            assert!(whole, "a body that was not sent");
        }
    }
});
