//! A deal's facts in an alert's words.

use std::borrow::Cow;

use super::facts::DealFacts;
use super::template::Placeholder;
use super::{AlertSeverity, AlertType};
use crate::explain::plain;

/// A name longer than this is cut: a message is read at a glance, and a name may be anything.
const NAME_CHARACTERS: usize = 200;

const UNKNOWN: &str = "unknown";

/// What stands in the place of a placeholder.
pub(super) fn value(placeholder: Placeholder, deal: &DealFacts) -> Cow<'_, str> {
    match placeholder {
        Placeholder::DealName => name(deal.deal_name.as_deref(), "unnamed deal"),
        Placeholder::Company => name(deal.company.as_deref(), "unknown company"),
        Placeholder::Stage => name(deal.stage.as_deref(), "no stage"),
        Placeholder::DaysInStage => whole(deal.days_in_stage),
        Placeholder::DaysInactive => whole(deal.days_since_last_activity),
        Placeholder::CurrentSentiment => crate::number::sentiment(deal.avg_sentiment)
            .map_or(UNKNOWN.into(), |value| format!("{value:+.2}").into()),
        Placeholder::MeetingCount => whole(deal.meeting_count_30d),
        Placeholder::AvgResponseHours => crate::number::duration(deal.avg_response_time_hours)
            .map_or(UNKNOWN.into(), |hours| plain(hours).into()),
        Placeholder::DaysUntilClose => whole(deal.days_until_close),
    }
}

fn whole(value: Option<i64>) -> Cow<'static, str> {
    value.map_or(UNKNOWN.into(), |value| value.to_string().into())
}

fn name<'a>(name: Option<&'a str>, otherwise: &'a str) -> Cow<'a, str> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        return otherwise.into();
    };
    match name.char_indices().nth(NAME_CHARACTERS) {
        None => name.into(),
        Some(_) => {
            let kept: String = name.chars().take(NAME_CHARACTERS - 1).collect();
            format!("{kept}…").into()
        }
    }
}

/// The heading of an alert: whose it is, and what about.
pub(super) fn title(alert_type: AlertType, severity: AlertSeverity, deal: &DealFacts) -> String {
    let what = match alert_type {
        AlertType::StageStall => "no progress in its stage",
        AlertType::SentimentDrop => "sentiment is falling",
        AlertType::EngagementDecline => "too few meetings",
        AlertType::NoActivity => "no activity",
        AlertType::MissedFollowUp => "slow answers",
        AlertType::CloseDateApproaching => "the close date is near",
        AlertType::HighRisk => "at risk",
    };
    let urgent = match severity {
        AlertSeverity::Critical => " (critical)",
        AlertSeverity::Warning | AlertSeverity::Info => "",
    };
    format!("{}: {what}{urgent}", value(Placeholder::DealName, deal))
}
