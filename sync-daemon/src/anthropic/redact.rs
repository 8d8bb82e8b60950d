//! What is in a text that must not leave: addresses, links, and numbers long enough to be a telephone or an account.

/// Digits in a row, with the signs that telephone numbers have between them, from which a number is left out.
const LONG_NUMBER: usize = 7;

/// Characters of a subject or snippet that are sent at most.
const MAX_CHARS: usize = 500;

/// `text` with addresses, links and long numbers replaced, without controls, cut to 500 characters.
#[must_use]
pub fn redact(text: &str) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty());
    let mut redacted = words.map(redact_word).collect::<Vec<_>>().join(" ");
    redact_numbers(&mut redacted);
    redacted.chars().take(MAX_CHARS).collect()
}

fn redact_word(word: &str) -> &str {
    let lower = word.to_ascii_lowercase();
    if word.contains('@') || word.contains('＠') {
        "[address]"
    } else if lower.contains("://") || lower.contains("www.") {
        "[link]"
    } else {
        word
    }
}

/// `+49 (171) 123-4567` is one number, whatever stands between its digits.
fn redact_numbers(text: &mut String) {
    let joins = |c: char| c.is_numeric() || " +-./()".contains(c);
    let mut from = 0;
    while let Some(found) = text[from..].find(char::is_numeric) {
        let start = from + found;
        let length = text[start..]
            .find(|c| !joins(c))
            .unwrap_or(text.len() - start);
        let run = text[start..start + length].trim_end_matches(|c: char| !c.is_numeric());
        let (digits, end) = (
            run.chars().filter(|c| c.is_numeric()).count(),
            start + run.len(),
        );
        if digits >= LONG_NUMBER {
            text.replace_range(start..end, "[number]");
            from = start + "[number]".len();
        } else {
            from = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::redact;

    #[test]
    fn addresses_links_and_long_numbers_stay_here() {
        for (text, left) in [
            ("Ask ada@client.example now", "Ask [address] now"),
            ("<ada@client.example>", "[address]"),
            (
                "see https://x.example/?t=1 or WWW.x.example",
                "see [link] or [link]",
            ),
            ("Call +49 (171) 123-4567 today", "Call +[number] today"),
            ("Offer 4711 of 2026", "Offer 4711 of 2026"),
            ("IBAN 12345678", "IBAN [number]"),
            ("a\u{0}b\nc", "a b c"),
        ] {
            assert_eq!(redact(text), left, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_leaves_an_address(text in "[a-z0-9@. :/+é-]{0,80}") {
            let redacted = redact(&text);
            prop_assert!(!redacted.contains('@'), "{redacted}");
            prop_assert!(!redacted.contains("://"), "{redacted}");
        }
    }
}
