//! A deal's facts in an alert's words. All is added to a text that is there: a refresh words
//! thousands of alerts, most of which say what they said before.

use std::fmt::Write as _;

use super::AlertSeverity;
use super::facts::{DealFacts, Metric};
use super::rule::Operator;
use super::template::Placeholder;
use crate::status::SentimentTrend;

/// A name longer than this is cut: a message is read at a glance, and a name may be anything.
const NAME_CHARACTERS: usize = 200;

/// Adds what stands in the place of a placeholder, told so that it differs from `others` that it is not.
pub(super) fn value(
    placeholder: Placeholder,
    others: &[f64],
    deal: &DealFacts<'_>,
    text: &mut String,
) {
    match placeholder {
        Placeholder::DealName => name(deal.deal_name, "unnamed deal", text),
        Placeholder::Company => name(deal.company, "unknown company", text),
        Placeholder::Stage => name(deal.stage, "no stage", text),
        Placeholder::DaysInStage => whole(deal.days_in_stage, text),
        Placeholder::DaysInactive => whole(deal.days_since_last_activity, text),
        Placeholder::CurrentSentiment => match crate::number::sentiment(deal.avg_sentiment) {
            Some(value) => text.push_str(&crate::phrase::signed(value, others)),
            None => unknown(text),
        },
        Placeholder::MeetingCount => whole(deal.meeting_count_30d, text),
        Placeholder::AvgResponseHours => {
            match crate::number::duration(deal.avg_response_time_hours) {
                Some(hours) => text.push_str(&crate::phrase::plain(hours, others)),
                None => unknown(text),
            }
        }
        Placeholder::DaysUntilClose => whole(deal.days_until_close, text),
    }
}

fn unknown(text: &mut String) {
    text.push_str("unknown");
}

fn whole(value: Option<i64>, text: &mut String) {
    match value {
        // Writing to a String cannot fail.
        Some(value) => drop(write!(text, "{value}")),
        None => unknown(text),
    }
}

fn name(name: Option<&str>, otherwise: &str, text: &mut String) {
    let name = name.map_or("", str::trim);
    if name.is_empty() {
        text.push_str(otherwise);
    } else if name.len() > NAME_CHARACTERS && name.chars().nth(NAME_CHARACTERS).is_some() {
        text.extend(name.chars().take(NAME_CHARACTERS - 1));
        text.push('…');
    } else {
        text.push_str(name);
    }
}

/// Adds the heading of an alert: whose it is, and what its rule found.
pub(super) fn title(
    metric: Metric,
    operator: Operator,
    severity: AlertSeverity,
    deal: &DealFacts<'_>,
    text: &mut String,
) {
    value(Placeholder::DealName, &[], deal, text);
    text.push_str(": ");
    text.push_str(found(metric, operator, deal));
    if severity == AlertSeverity::Critical {
        text.push_str(" (critical)");
    }
}

/// What a rule on the metric found. Where it looks for what is no trouble, the heading only names it.
fn found(metric: Metric, operator: Operator, deal: &DealFacts<'_>) -> &'static str {
    let much = matches!(operator, Operator::Above | Operator::AtLeast);
    let little = matches!(operator, Operator::Below | Operator::AtMost);
    match metric {
        Metric::DaysInStage if much => "no progress in its stage",
        Metric::DaysInStage => "time in its stage",
        Metric::SentimentTrend => match deal.sentiment_trend {
            SentimentTrend::Improving => "sentiment is improving",
            SentimentTrend::Stable => "sentiment is steady",
            SentimentTrend::Declining => "sentiment is falling",
            SentimentTrend::Unknown => "sentiment",
        },
        Metric::AvgSentiment if little => "sentiment is low",
        Metric::AvgSentiment => "sentiment",
        Metric::DaysSinceLastActivity if much => "no recent activity",
        Metric::DaysSinceLastActivity => "time since the last activity",
        Metric::DaysSinceLastMeeting if much => "no recent meeting",
        Metric::DaysSinceLastMeeting => "time since the last meeting",
        Metric::MeetingCount if deal.meeting_count_30d == Some(0) => "no meetings",
        Metric::MeetingCount if little => "too few meetings",
        Metric::MeetingCount => "number of meetings",
        Metric::ActivityCount if deal.activity_count_30d == Some(0) => "no activity",
        Metric::ActivityCount if little => "too little activity",
        Metric::ActivityCount => "number of activities",
        Metric::AvgResponseTime if much => "slow answers",
        Metric::AvgResponseTime => "time to answer",
        Metric::DaysUntilClose if little => "the close date is near",
        Metric::DaysUntilClose => "days to the close date",
        Metric::OverallScore if little => "at risk",
        Metric::OverallScore => "its score",
    }
}
