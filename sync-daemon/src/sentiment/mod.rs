//! What the words of a mail say of its mood: a score from -1 to 1, and a label that follows from it.
//!
//! Contract: nothing of the text is kept but the result. A mail that no model has looked at has no model name and no
//! score; one that a model looked at and found nothing in has the name and no score, so that it weighs nothing in an
//! average. Whatever fails here leaves the mail unanalysed, and the sync goes on. `docs/sentiment.md` tells the whole.

mod language;
mod lexicon;
mod text;
mod words;

pub use language::is_english;
pub use lexicon::LEXICON_MODEL;
pub use text::MailText;

use std::borrow::Cow;

use crate::config::Sentiment;

/// A score in words. The range from -1 to 1 is cut into fifths; the middle one includes both its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Below -0.6.
    VeryNegative,
    /// From -0.6 to below -0.2.
    Negative,
    /// From -0.2 to 0.2.
    Neutral,
    /// Above 0.2, up to 0.6.
    Positive,
    /// Above 0.6.
    VeryPositive,
}

impl Label {
    /// The label of a score from -1 to 1.
    #[must_use]
    pub fn of(score: f64) -> Self {
        match score {
            s if s < -0.6 => Self::VeryNegative,
            s if s < -0.2 => Self::Negative,
            s if s <= 0.2 => Self::Neutral,
            s if s <= 0.6 => Self::Positive,
            _ => Self::VeryPositive,
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VeryNegative => "very_negative",
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
            Self::VeryPositive => "very_positive",
        }
    }
}

/// What a model found in one mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// -1 to 1 in hundredths; none where the mail says nothing either way.
    pub score: Option<f64>,
    /// Which model looked.
    pub model: Cow<'static, str>,
    /// What more it found; the lexicon finds nothing more.
    pub details: Option<Details>,
}

/// What a language model finds beside the mood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Up to five, of up to 40 characters.
    pub topics: Vec<String>,
    /// How much it presses.
    pub urgency: Urgency,
    /// Whether an answer is due.
    pub response_required: bool,
}

/// How much a mail presses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// Nothing presses.
    Low,
    /// There is a date.
    Medium,
    /// There is harm if nothing happens soon.
    High,
}

impl Urgency {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Reading {
    /// The label as it is stored.
    #[must_use]
    pub fn label(&self) -> Option<&'static str> {
        self.score.map(|score| Label::of(score).name())
    }
}

/// How many mails were read, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadingCounts {
    /// Got a score.
    pub scored: u64,
    /// Say nothing either way.
    pub no_signal: u64,
    /// Got no usable answer, asked alone, while others did; not asked again.
    pub refused: u64,
    /// Left unanalysed: a model failed, or its limits were reached.
    pub left: u64,
}

impl ReadingCounts {
    /// Counts one reading.
    pub fn add(&mut self, reading: &Reading) {
        let refused = reading.details.is_none() && reading.model != LEXICON_MODEL;
        match reading.score {
            Some(_) => self.scored += 1,
            None if refused => self.refused += 1,
            None => self.no_signal += 1,
        }
    }

    /// The counts that are not 0, by the name of the outcome.
    pub fn by_outcome(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = [
            ("scored", self.scored),
            ("no_signal", self.no_signal),
            ("refused", self.refused),
            ("left", self.left),
        ];
        all.into_iter().filter(|(_, count)| *count > 0)
    }

    /// Adds up.
    pub fn merge(&mut self, other: Self) {
        self.scored += other.scored;
        self.no_signal += other.no_signal;
        self.refused += other.refused;
        self.left += other.left;
    }
}

/// Whether a mail is read at all: correspondence that a person wrote.
#[must_use]
pub fn is_read(settings: &Sentiment, automated: bool, outbound: bool) -> bool {
    settings.enabled && !automated && (settings.sent_mail || !outbound)
}

/// Reads a mail with the lexicon in this binary. None if that went wrong: the mail stays unanalysed.
#[must_use]
pub fn read_with_lexicon(text: &MailText) -> Option<Reading> {
    let words = text.words();
    // The lexicon is someone else's code and the text is anyone's: a panic must not cost the mail.
    let score = std::panic::catch_unwind(|| lexicon::score(&words)).ok()?;
    Some(Reading {
        score,
        model: Cow::Borrowed(LEXICON_MODEL),
        details: None,
    })
}
