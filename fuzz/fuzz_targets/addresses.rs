//! Header values as senders write them: no input may panic, and what is read stays comparable.
#![no_main]
#![forbid(unsafe_code)]

use crm_health_sync::matching::{Address, decode_text, read_addresses};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let value = String::from_utf8_lossy(data);
    for address in read_addresses(&value) {
        for form in [address.exact(), address.base()] {
            assert!(form.contains('@'), "{form:?} is no address");
            assert!(
                !form.contains(char::is_whitespace),
                "{form:?} has white space"
            );
            assert!(
                !form.contains(char::is_control),
                "{form:?} has a control character"
            );
        }
        // The base form is what addresses are found by: it must be one itself.
        assert!(
            Address::parse(address.base()).is_some(),
            "{:?}",
            address.base()
        );
    }
    assert!(!decode_text(&value).contains(char::is_control));
});
