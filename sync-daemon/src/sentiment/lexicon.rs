//! The model in this binary: VADER's lexicon and rules, told what words mean in business mail.
//!
//! Source: C.J. Hutto and E.E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
//! Text", ICWSM 2014. Its compound score is the sum of the words' valences x, adjusted by negations, degree words,
//! capitals and exclamation marks, as x / sqrt(x² + 15).

use std::sync::LazyLock;

use vader_parity::SentimentIntensityAnalyzer;

use super::language::is_english;
use super::words::{LACKS, LIKE, NEUTRAL};

/// The name under which its scores are stored: the lexicon's version, and the version of our list of words.
pub const LEXICON_MODEL: &str = "vader-3.3.2+business-2";

/// A word that the lexicon does not know.
const NOTHING: &str = "item";

/// A word that denies what follows and is no feeling itself.
const NEGATION: &str = "without";

/// Read once, some milliseconds, with the first mail.
static ANALYZER: LazyLock<SentimentIntensityAnalyzer> =
    LazyLock::new(SentimentIntensityAnalyzer::new);

/// -1 to 1 in hundredths; none if no word says anything, or the text is not English.
pub(super) fn score(text: &str) -> Option<f64> {
    if !is_english(text) {
        return None;
    }
    let scores = ANALYZER.polarity_scores(&in_business(text));
    // Both are 0 exactly when no word of the lexicon was there.
    let says_something = scores.pos > 0.0 || scores.neg > 0.0;
    // Adding 0 makes a negative zero a plain one.
    says_something.then(|| (scores.compound * 100.0).round() / 100.0 + 0.0)
}

/// The text with the words that mean something else in business replaced.
fn in_business(text: &str) -> String {
    // Phones and word processors write the apostrophe of "isn't" so; the lexicon knows the plain one.
    let text = text.replace(['\u{2019}', '\u{2bc}'], "'");
    let is_about_something = text.to_lowercase().contains("as far as");
    let mut words = text.split_whitespace().peekable();
    let mut replaced = String::with_capacity(text.len());
    let mut before = String::new();
    while let Some(word) = words.next() {
        let next = words.peek().copied().unwrap_or_default();
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let plain = core.to_lowercase();
        // "To whom it may concern", "as far as the invoice is concerned": nobody worries.
        let is_set_phrase =
            plain == "concern" && before == "may" || plain == "concerned" && is_about_something;
        let other = if is_set_phrase || is_numbered(word, &plain, next) {
            Some(NOTHING)
        } else if names_what_is_not_there(word, next) {
            Some(NEGATION)
        } else {
            replacement(&plain)
        };
        match other {
            Some(other) => replaced.push_str(&word.replacen(core, &in_case_of(core, other), 1)),
            None => replaced.push_str(word),
        }
        replaced.push(' ');
        before = plain;
    }
    replaced
}

/// "Invoice no. 4711" and "Order No ABC-12" deny nothing.
fn is_numbered(word: &str, plain: &str, next: &str) -> bool {
    let has_digit = next.contains(|c: char| c.is_ascii_digit());
    let is_reference = has_digit && (word.ends_with(['.', ':']) || next.contains(['-', '/', '_']));
    plain == "no" && (is_reference || next.starts_with(|c: char| c.is_ascii_digit() || c == '#'))
}

/// "No rush", "no meeting on Friday": the lexicon takes "no" for a refusal wherever no word of its own follows. What is
/// answered with "no", and the lack of an answer, stay as bad as they are.
fn names_what_is_not_there(word: &str, next: &str) -> bool {
    let next = next.trim_matches(|c: char| !c.is_alphanumeric());
    word.trim_start_matches(|c: char| !c.is_alphanumeric())
        .eq_ignore_ascii_case("no")
        && !next.is_empty()
        && !LACKS.contains(&next.to_lowercase().as_str())
}

fn replacement(word: &str) -> Option<&'static str> {
    if NEUTRAL.contains(&word) {
        return Some(NOTHING);
    }
    LIKE.iter()
        .find(|(ours, _)| *ours == word)
        .map(|(_, known)| *known)
}

/// Capitals are emphasis: they stay.
fn in_case_of(word: &str, other: &str) -> String {
    if word.chars().all(char::is_uppercase) {
        other.to_uppercase()
    } else {
        other.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn feelings_are_told_from_things() {
        for (subject, low, high) in [
            ("Terrible service, we are very disappointed", -1.0, -0.6),
            ("Problem with the integration", -0.6, -0.2),
            ("Escalation: outage since Monday", -1.0, -0.4),
            ("Not happy with the proposal", -0.8, -0.2),
            ("Great meeting today!", 0.5, 1.0),
            ("No problem", 0.1, 0.5),
            ("No, that is not what we agreed", -0.6, -0.2),
            ("No", -0.6, -0.2),
            ("No thanks", -0.6, -0.2),
            ("Still no answer", -0.6, -0.2),
            ("This isn’t good, we aren’t happy", -1.0, -0.2),
            ("Can’t wait, it wasn’t bad", 0.0, 1.0),
            ("We are excited to work with you", 0.2, 0.6),
        ] {
            let score = score(subject).unwrap_or(f64::NAN);
            assert!((low..=high).contains(&score), "{subject}: {score}");
        }
    }

    #[test]
    fn a_subject_that_says_nothing_has_no_score() {
        for subject in [
            "",
            "meeting",
            "Please share the security agreement",
            "Opportunity review: interest in support",
            "Invoice no. 4711",
            "Invoice No: #12",
            "Contract no. EU-2026-17",
            "Order No ABC-12",
            "No rush on this",
            "No meeting on Friday",
            "There is no signed contract yet",
            "Weekly sync, no agenda this time",
            "To whom it may concern",
            "To whom it may concern: the invoice of May",
            "As far as the invoice is concerned",
            "URGENT approval",
        ] {
            assert_eq!(score(subject), None, "{subject}");
        }
    }

    #[test]
    fn another_language_has_no_score() {
        assert_eq!(score("Die Kündigung ist ein Problem, super"), None);
        assert_eq!(score("No podemos aceptar la propuesta"), None);
    }

    #[test]
    fn words_that_we_add_are_known_to_the_lexicon_by_what_they_are_likened_to() {
        for (_, known) in LIKE {
            assert!(score(known).is_some_and(|s| s < 0.0), "{known}");
        }
        assert_eq!(score(NOTHING), None);
    }

    proptest! {
        #[test]
        fn any_text_gives_hundredths_in_range_or_nothing(text in "\\PC{0,400}") {
            if let Some(score) = score(&text) {
                prop_assert!((-1.0..=1.0).contains(&score), "{score}");
                prop_assert!(((score * 100.0).round() - score * 100.0).abs() < 1e-9, "{score}");
            }
        }
    }
}
