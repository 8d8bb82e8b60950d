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
    } else if lower.contains("://") || lower.contains("www.") || is_bare_link(word) {
        "[link]"
    } else {
        word
    }
}

/// `meet.google.com/abc-defg-hij`: a host whose last label is a word, and a path or a query.
fn is_bare_link(word: &str) -> bool {
    let Some((before, after)) = word.split_once(['/', '?']) else {
        return false;
    };
    let is_of_host = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let host = before
        .rsplit(|c: char| !is_of_host(c))
        .next()
        .unwrap_or_default();
    let Some((name, last)) = host.rsplit_once('.') else {
        return false;
    };
    let is_word = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
    is_word && name.contains(char::is_alphanumeric) && after.contains(char::is_alphanumeric)
}

/// `+49 (171) 123-4567` is one number, whatever stands between its digits.
fn redact_numbers(text: &mut String) {
    // Dashes of all lengths are written where a hyphen is meant.
    let is_dash = |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}');
    let joins = |c: char| c.is_numeric() || " +-./()".contains(c) || is_dash(c);
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
            (
                "join meet.google.com/abc-defg-hij or (Acme.Example/reset?t=1)",
                "join [link] or [link]",
            ),
            (
                "and/or 1.5/2 at Acme.com, v1.2/v1.3 n.a./tbd",
                "and/or 1.5/2 at Acme.com, v1.2/v1.3 n.a./tbd",
            ),
            ("Call +49 (171) 123-4567 today", "Call +[number] today"),
            ("Call 0171–123‑4567 today", "Call [number] today"),
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
