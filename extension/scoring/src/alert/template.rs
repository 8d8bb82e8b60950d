//! Texts with placeholders: `{deal_name} has been in {stage} for {days_in_stage} days`.
//!
//! A template is taken apart once; what is filled in is never looked at again, so that braces in
//! a deal's name stay what they are. `{{` and `}}` stand for braces.

use super::facts::DealFacts;
use super::words;

text_enum! {
    /// What a template may be filled with.
    pub enum Placeholder {
        /// The deal's name.
        DealName = "deal_name",
        /// The account's name.
        Company = "company",
        /// The stage's name.
        Stage = "stage",
        /// Whole days in the stage.
        DaysInStage = "days_in_stage",
        /// Whole days since the last activity.
        DaysInactive = "days_inactive",
        /// Mean sentiment with two decimals and a sign.
        CurrentSentiment = "current_sentiment",
        /// Meetings within 30 days.
        MeetingCount = "meeting_count",
        /// Mean response time in hours, one decimal at most where that tells it from the threshold.
        AvgResponseHours = "avg_response_hours",
        /// Days to the expected close date.
        DaysUntilClose = "days_until_close",
    }
}

/// A text taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Placeholder),
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Errors
    /// What is wrong with it: an unknown placeholder, or a brace that has no partner.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let (name, after) = after
                .split_once('}')
                .filter(|(name, _)| brace == "{" && !name.contains('{'))
                .ok_or_else(|| {
                    format!("a lone {brace} (write {brace}{brace} for the character)")
                })?;
            parts.extend(text_part(&mut plain));
            parts.push(Part::Value(placeholder(name)?));
            rest = after;
        }
        plain.push_str(rest);
        parts.extend(text_part(&mut plain));
        Ok(Self { parts })
    }

    /// Adds the text for a deal.
    pub fn fill(&self, deal: &DealFacts<'_>, text: &mut String) {
        self.fill_beside(&[], deal, text);
    }

    /// The same, with decimals enough to tell its numbers from others that they are not.
    pub(super) fn fill_beside(&self, others: &[f64], deal: &DealFacts<'_>, text: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(placeholder) => words::value(*placeholder, others, deal, text),
            }
        }
    }
}

/// The text gathered so far as a part, if there is any.
fn text_part(plain: &mut String) -> Option<Part> {
    (!plain.is_empty()).then(|| Part::Text(std::mem::take(plain)))
}

fn placeholder(name: &str) -> Result<Placeholder, String> {
    Placeholder::parse(name).ok_or_else(|| {
        let known = super::rule::words(Placeholder::ALL, |known| known.as_str());
        format!("unknown placeholder {{{name}}}, expected one of {known}")
    })
}
