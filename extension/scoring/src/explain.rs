//! Scores put into words: what each signal is worth, and which of them matter most.

use serde::Serialize;

use crate::interaction::Booked;
use crate::phrase::signed;
use crate::weights::{self, Weights};

/// One component of a score, in numbers and in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The component, e.g. `stage_velocity`.
    pub signal: &'static str,
    /// What was measured, e.g. `45 days in Verbal`.
    pub value: String,
    /// The component's score, 0 to 100.
    pub score: i32,
    /// Its part of the overall score, 0 to 1; the weights of all components sum to 1.
    pub weight: f64,
    /// weight · score: the points it brings to the overall score.
    pub contribution: f64,
    /// One sentence that names the numbers and the thresholds.
    pub reason: String,
}

/// What is said of one component: its value, and a clause that says what to think of it.
pub(crate) struct Words {
    pub(crate) value: String,
    pub(crate) clause: String,
}

/// The rows of an explanation, in the order of the weights.
pub(crate) fn rows(weights: &Weights, scores: [i32; 5], words: [Words; 5]) -> Vec<Explanation> {
    let shares = weights::shares(weights);
    let parts = weights.iter().zip(shares).zip(scores).zip(words);
    parts
        .map(|((((signal, _), weight), score), words)| Explanation {
            signal,
            value: words.value,
            score,
            weight,
            contribution: weight * f64::from(score),
            reason: sentence(&words.clause),
        })
        .collect()
}

/// One candidate for the few reasons that a person is shown.
pub(crate) struct Topic {
    pub(crate) standing: Standing,
    /// Points of the overall score that it costs.
    pub(crate) lost: f64,
    pub(crate) clause: String,
}

/// How bad a topic is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// A risk factor or ghost signal stands behind it.
    Flagged,
    /// Its component is worse than neutral.
    Weak,
    /// Its component is neutral or good, if not full.
    Fair,
}

impl Topic {
    /// One topic for each component, with the points it costs; `flagged` says which have a risk.
    pub(crate) fn of_components(
        weights: &Weights,
        scores: [i32; 5],
        words: [Words; 5],
        flagged: impl Fn(usize) -> bool,
    ) -> Vec<Self> {
        let parts = weights::shares(weights)
            .into_iter()
            .zip(scores)
            .zip(words)
            .enumerate();
        parts
            .map(|(index, ((share, score), words))| Self {
                standing: match score {
                    _ if flagged(index) => Standing::Flagged,
                    ..NEUTRAL => Standing::Weak,
                    NEUTRAL.. => Standing::Fair,
                },
                lost: share * f64::from(100 - score),
                clause: words.clause,
            })
            .collect()
    }
}

/// Below this many points of the overall score a topic without a risk behind it is not worth a word.
const WORTH_A_WORD: f64 = 2.5;

/// What a component of which nothing is known counts as; the others are worse or better than that.
const NEUTRAL: i32 = 50;

/// At most three clauses by their standing, the costliest first among equals. What stands fair explains a score that
/// is not full, but troubles nobody: it is told where fewer than two others are.
pub(crate) fn worst(mut topics: Vec<Topic>) -> Vec<String> {
    topics.retain(|topic| topic.standing == Standing::Flagged || topic.lost >= WORTH_A_WORD);
    topics.sort_by(|a, b| a.standing.cmp(&b.standing).then(b.lost.total_cmp(&a.lost)));
    let bad = topics.partition_point(|topic| topic.standing < Standing::Fair);
    topics
        .into_iter()
        .take(bad.clamp(2, 3))
        .map(|topic| topic.clause)
        .collect()
}

/// A clause as a sentence: a capital at its start, a full stop at its end.
pub(crate) fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// A sentence as a clause: the reverse of [`sentence`].
pub(crate) fn clause(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters
        .next()
        .map(|first| first.to_lowercase().to_string())
        .unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// `1 day`, `2 days`.
pub(crate) fn counted(count: i64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// `less than a day ago`, `1 day ago`, `2 days ago`, and `in 2 days` where it lies ahead.
pub(crate) fn ago(days: i64) -> String {
    match days {
        ..0 => format!("in {}", counted(days.saturating_neg(), "day")),
        0 => "less than a day ago".to_owned(),
        1.. => format!("{} ago", counted(days, "day")),
    }
}

/// `last meeting 3 days ago`, `a meeting booked in 3 days`, `within a day`, `no meeting on record`. Of several that are
/// booked it is the next one, where they are told apart.
pub(crate) fn meeting_recency(days_since_last: Option<i64>, booked: Option<Booked>) -> String {
    let ahead = booked.map(|booked| booked.next_in_days);
    match days_since_last {
        None => "no meeting on record".to_owned(),
        // Whole days ahead are counted up: the first may be over in an hour.
        Some(days) if days < 0 => match ahead.unwrap_or(days.saturating_neg()) {
            ..2 => "a meeting booked within a day".to_owned(),
            days => format!("a meeting booked in {days} days"),
        },
        Some(days) => format!("last meeting {}", ago(days)),
    }
}

/// Those of a count of meetings that were held.
pub(crate) fn held(meetings: Option<i64>, booked: Option<Booked>) -> Option<i64> {
    meetings.map(|count| booked.map_or(count, |ahead| count.saturating_sub(ahead.count)))
}

/// `3 meetings`, or `an unknown number of meetings`.
pub(crate) fn how_many(count: Option<i64>, noun: &str) -> String {
    count.map_or_else(
        || format!("an unknown number of {noun}s"),
        |n| counted(n, noun),
    )
}

/// Words for a sentiment and its trend; `negative_below` is where the model calls it negative.
pub(crate) fn sentiment_words(
    avg: Option<f64>,
    trend: crate::status::SentimentTrend,
    negative_below: f64,
) -> Words {
    use crate::status::SentimentTrend as Trend;
    let heading = match trend {
        Trend::Improving => " and improving",
        Trend::Stable => " and steady",
        Trend::Declining => " and declining",
        Trend::Unknown => "",
    };
    let Some(avg) = crate::number::sentiment(avg) else {
        let value = if trend == Trend::Unknown {
            "unknown".into()
        } else {
            trend.to_string()
        };
        let clause = match trend {
            Trend::Unknown => "no sentiment known, counted as neutral".to_owned(),
            _ => format!("sentiment is of unknown strength{heading}"),
        };
        return Words { value, clause };
    };
    let told = signed(avg, &[negative_below]);
    let value = format!(
        "{told}{}",
        if heading.is_empty() {
            String::new()
        } else {
            format!(", {trend}")
        }
    );
    let tone = if crate::number::below(avg, negative_below) {
        format!("negative at {told} (limit {negative_below})")
    } else {
        format!("at {told} on a scale from -1 to +1")
    };
    Words {
        value,
        clause: format!("sentiment is {tone}{heading}"),
    }
}
