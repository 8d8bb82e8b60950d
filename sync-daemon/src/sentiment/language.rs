//! Is it English? A lexicon of English words must not judge other languages: the German article "die" would be death.
//!
//! A subject has too few letters for statistics of letters. What tells languages apart in five words are the small
//! words: a text that has small words of other languages, or letters that English does not have, is taken for English
//! only if it has more small words of English. A text without any small word counts as English.

use super::words::{ENGLISH, FOREIGN};

/// Whether `text` may be judged by English words.
#[must_use]
pub fn is_english(text: &str) -> bool {
    let (mut english, mut foreign) = (0_u32, 0_u32);
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let lower = word.to_lowercase();
        english += u32::from(ENGLISH.contains(&lower.as_str()));
        foreign += u32::from(FOREIGN.contains(&lower.as_str()) || has_foreign_letter(&lower));
    }
    foreign == 0 || foreign < english
}

/// Letters with marks occur in names and in a few borrowed words; other scripts do not occur at all.
fn has_foreign_letter(word: &str) -> bool {
    const BORROWED: [&str; 6] = ["café", "résumé", "naïve", "cliché", "façade", "fiancée"];
    !word.is_ascii()
        && word.chars().any(|c| c.is_alphabetic() && !c.is_ascii())
        && !BORROWED.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::is_english;

    #[test]
    fn english_subjects_are_english() {
        for subject in [
            "Great meeting today!",
            "The proposal is terrible",
            "Meet me at the café",
            "Invoice 4711",
            "Call with Jörg and the team on Monday",
            "",
        ] {
            assert!(is_english(subject), "{subject}");
        }
    }

    #[test]
    fn other_languages_are_not() {
        for subject in [
            "Die Rechnung ist falsch",
            "Angebot für die Wartung",
            "Problème avec la facture",
            "No podemos aceptar la propuesta",
            "Una proposta per il contratto",
            "Het contract is niet getekend",
            "Ett problem med avtalet och fakturan",
            "Não podemos aceitar",
            "契約の件",
            "Проблема со счётом",
        ] {
            assert!(!is_english(subject), "{subject}");
        }
    }
}
