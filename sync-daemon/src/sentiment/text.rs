//! The text of a mail as far as it is read: its subject and, where the settings allow it, Gmail's snippet.

/// Subject and snippet of one mail, held in memory while its mailbox is synced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailText {
    /// Decoded.
    pub subject: Option<String>,
    /// The first words of the body as Gmail shows them; only if the settings ask for it.
    pub snippet: Option<String>,
}

/// What mail programs put before the subject of a reply or a forwarded mail, in the languages that are common.
const PREFIXES: [&str; 15] = [
    "re", "fw", "fwd", "aw", "wg", "sv", "vs", "vb", "tr", "rv", "enc", "antw", "ref", "res", "r",
];

impl MailText {
    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.subject.is_none() && self.snippet.is_none()
    }

    /// Subject without reply prefixes and snippet, one after the other; empty if there is neither.
    #[must_use]
    pub fn words(&self) -> String {
        let subject = self.subject.as_deref().map_or("", without_prefixes);
        let snippet = self.snippet.as_deref().map(unescaped).unwrap_or_default();
        match (subject.is_empty(), snippet.is_empty()) {
            (_, true) => subject.to_owned(),
            (true, _) => snippet,
            // The end of a subject is the end of a sentence.
            _ => format!("{subject}\n{snippet}"),
        }
    }
}

/// `Re: Fwd[2]: Offer` → `Offer`.
fn without_prefixes(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((head, tail)) = rest.split_once(':') {
        let head = head.trim_end();
        let word = match head.split_once('[') {
            Some((word, count))
                if count
                    .trim_end_matches(']')
                    .bytes()
                    .all(|b| b.is_ascii_digit()) =>
            {
                word
            }
            Some(_) => break,
            None => head,
        };
        if !PREFIXES.iter().any(|p| word.eq_ignore_ascii_case(p)) {
            break;
        }
        rest = tail.trim_start();
    }
    rest
}

/// Gmail gives snippets with the five entities of XML and numbers for quotes.
fn unescaped(snippet: &str) -> String {
    const ENTITIES: [(&str, &str); 6] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    let plain = |text: String, (entity, sign): &(&str, &str)| text.replace(entity, sign);
    ENTITIES.iter().fold(snippet.trim().to_owned(), plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_replies_are_no_words_of_the_subject() {
        for (subject, left) in [
            ("Re: Offer", "Offer"),
            ("RE: AW: Fwd[2]: Offer", "Offer"),
            ("re :Offer", "Offer"),
            ("Re:", ""),
            ("Report: numbers", "Report: numbers"),
            ("[ticket 12]: Offer", "[ticket 12]: Offer"),
        ] {
            assert_eq!(without_prefixes(subject), left, "{subject}");
        }
    }

    #[test]
    fn a_snippet_is_read_without_its_entities() {
        let text = MailText {
            subject: Some("Re: Offer".to_owned()),
            snippet: Some("I&#39;m happy &amp;lt;3".to_owned()),
        };
        assert_eq!(text.words(), "Offer\nI'm happy &lt;3");
    }
}
