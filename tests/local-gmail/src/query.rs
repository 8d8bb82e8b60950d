//! The part of Gmail's search language that a sync daemon may use in `q`.
//!
//! Terms stand side by side (AND), a leading `-` negates one. Known are `after:` and `before:`
//! (epoch seconds, or a calendar date that begins at midnight in California), `newer_than:` and
//! `older_than:` (`7d`, `2m`, `1y`), `in:`, `label:`, `is:`, `from:`, `to:`, `cc:`, `bcc:`,
//! `subject:` and `rfc822msgid:`. Anything else is refused rather than ignored.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::message::Message;

const DAY_MS: i64 = 86_400_000;

/// A parsed `q`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// First millisecond of arrival that can match.
    pub(crate) from_ms: i64,
    /// First millisecond of arrival that cannot match any more.
    pub(crate) to_ms: i64,
    /// Whether spam and trash were asked for by name.
    pub(crate) names_spam_or_trash: bool,
    terms: Vec<(bool, Term)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Term {
    Label(String),
    Header(&'static str, String),
    Anywhere,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            from_ms: i64::MIN,
            to_ms: i64::MAX,
            names_spam_or_trash: false,
            terms: Vec::new(),
        }
    }
}

impl Query {
    /// Reads a query; the error names the term that is not understood.
    pub(crate) fn parse(text: &str, now_ms: i64) -> Result<Self, String> {
        let mut query = Self::default();
        for word in words(text) {
            let (negated, term) = word
                .strip_prefix('-')
                .map_or((false, &*word), |rest| (true, rest));
            query
                .add(negated, term, now_ms)
                .ok_or_else(|| word.clone())?;
        }
        Ok(query)
    }

    fn add(&mut self, negated: bool, term: &str, now_ms: i64) -> Option<()> {
        let (operator, value) = term.split_once(':')?;
        let value = value.trim_matches('"');
        match operator {
            "after" | "newer" if !negated => self.from_ms = self.from_ms.max(instant_ms(value)?),
            "before" | "older" if !negated => self.to_ms = self.to_ms.min(instant_ms(value)?),
            "newer_than" if !negated => self.from_ms = self.from_ms.max(now_ms - age_ms(value)?),
            "older_than" if !negated => self.to_ms = self.to_ms.min(now_ms - age_ms(value)?),
            _ => self.add_condition(negated, operator, value)?,
        }
        Some(())
    }

    fn add_condition(&mut self, negated: bool, operator: &str, value: &str) -> Option<()> {
        let term = match operator {
            "in" if value == "anywhere" => Term::Anywhere,
            "in" | "label" | "is" => Term::Label(label_id(value)),
            "from" => Term::Header("From", value.to_lowercase()),
            "to" => Term::Header("To", value.to_lowercase()),
            "cc" => Term::Header("Cc", value.to_lowercase()),
            "bcc" => Term::Header("Bcc", value.to_lowercase()),
            "subject" => Term::Header("Subject", value.to_lowercase()),
            "rfc822msgid" => {
                Term::Header("Message-ID", value.trim_matches(['<', '>']).to_lowercase())
            }
            _ => return None,
        };
        self.names_spam_or_trash |= !negated && term.reaches_spam_or_trash();
        self.terms.push((negated, term));
        Some(())
    }

    /// Whether a message that arrived in the range meets all other terms.
    pub(crate) fn matches(&self, message: &Message) -> bool {
        self.terms
            .iter()
            .all(|(negated, term)| term.matches(message) != *negated)
    }
}

impl Term {
    fn matches(&self, message: &Message) -> bool {
        match self {
            Self::Label(label) => message.has_label(label),
            Self::Header(name, part) => message
                .text()
                .values(name)
                .any(|value| value.to_lowercase().contains(part)),
            Self::Anywhere => true,
        }
    }

    fn reaches_spam_or_trash(&self) -> bool {
        match self {
            Self::Label(label) => label == "SPAM" || label == "TRASH",
            Self::Anywhere => true,
            Self::Header(..) => false,
        }
    }
}

fn label_id(name: &str) -> String {
    match name.to_uppercase().as_str() {
        "DRAFTS" => "DRAFT".to_owned(),
        "CHATS" => "CHAT".to_owned(),
        system => system.to_owned(),
    }
}

fn instant_ms(value: &str) -> Option<i64> {
    if let Ok(seconds) = value.parse::<i64>() {
        return seconds.checked_mul(1000);
    }
    let mut parts = value.split(['/', '-']);
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    if parts.next().is_some() {
        return None;
    }
    let date = Date::new(year, month, day).ok()?;
    let california = TimeZone::get("America/Los_Angeles").ok()?;
    Some(date.to_zoned(california).ok()?.timestamp().as_millisecond())
}

fn age_ms(value: &str) -> Option<i64> {
    let (number, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let days = match unit {
        "d" => 1,
        "m" => 30,
        "y" => 365,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(days * DAY_MS)
}

/// Splits at spaces outside of quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        if c.is_whitespace() && !quoted {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_date_begins_at_midnight_in_california() {
        let winter = Query::parse("after:2026/01/15", 0).expect("parses");
        assert_eq!(winter.from_ms, 1_768_464_000_000, "08:00 UTC in winter");
        let summer = Query::parse("before:2026-07-15", 0).expect("parses");
        assert_eq!(summer.to_ms, 1_784_098_800_000, "07:00 UTC in summer");
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for term in [
            "has:attachment",
            "hello",
            "-after:5",
            "after:soon",
            "newer_than:7h",
        ] {
            assert_eq!(Query::parse(term, 0), Err(term.to_owned()));
        }
    }

    #[test]
    fn quotes_keep_a_term_together() {
        let query = Query::parse("subject:\"Two words\" -in:chats", 0).expect("parses");
        assert_eq!(
            query.terms,
            [
                (false, Term::Header("Subject", "two words".to_owned())),
                (true, Term::Label("CHAT".to_owned())),
            ]
        );
    }
}
