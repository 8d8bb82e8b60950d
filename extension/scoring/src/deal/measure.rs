//! What is measured of a deal.

use serde::{Deserialize, Serialize};

use crate::interaction::{Booked, EventRow, Instant, Interaction, Meeting};
use crate::number;
use crate::status::SentimentTrend;
use crate::timeline::{Event, Timeline};

/// The measured state of a deal. `None` is unknown: it neither helps nor harms the deal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DealMetrics {
    /// The name of the stage, exactly as stored.
    pub stage: Option<String>,
    /// Whole days since the deal entered the stage; negative where that lies ahead.
    pub days_in_stage: Option<i64>,
    /// Whole days since the newest meeting's start; negative where one is booked.
    pub days_since_last_meeting: Option<i64>,
    /// The meetings ahead, for the words alone; `None`: there are none, or they are not told apart.
    #[serde(skip)]
    pub booked: Option<Booked>,
    /// Whole days since the newest activity or e-mail.
    pub days_since_last_activity: Option<i64>,
    /// Mean of the newest sentiments, −1 to 1.
    pub avg_sentiment: Option<f64>,
    /// Where sentiment is heading.
    pub sentiment_trend: SentimentTrend,
    /// Meetings of the last 30 days and booked ones.
    pub meeting_count_30d: Option<i64>,
    /// Activities and e-mails of the last 30 days.
    pub activity_count_30d: Option<i64>,
    /// Mean response time of the e-mails of the last 30 days, in hours.
    pub avg_response_time_hours: Option<f64>,
}

/// The rows that a deal is measured by.
#[derive(Clone, Copy, Debug)]
pub struct DealInputs<'a> {
    /// The name of the stage, exactly as stored.
    pub stage: Option<&'a str>,
    /// When the deal entered the stage, or else was created.
    pub stage_since: Option<Instant>,
    /// The deal's events of any age in any order. Only e-mails sent and received count; future
    /// ones do not, and duplicates count once.
    pub emails: &'a [Interaction],
    /// The deal's meetings of any age in any order, booked ones included.
    pub meetings: &'a [Meeting],
    /// Rows of `activities` in the last 30 days, e-mails not included.
    pub activity_count_30d: i64,
    /// The newest row of `activities` up to now.
    pub last_activity: Option<Instant>,
}

/// Measures a deal as of `now`.
#[must_use]
pub fn measure(inputs: &DealInputs<'_>, now: Instant) -> DealMetrics {
    let timeline = Timeline::new(inputs.emails, inputs.meetings, now, |row| {
        row.event_type().is_email()
    });
    let recent = timeline.events_within(30);
    let sentiments = timeline
        .meeting_sentiments()
        .chain(timeline.email_sentiments(3));
    DealMetrics {
        stage: inputs.stage.map(str::to_owned),
        days_in_stage: inputs.stage_since.map(|since| now.whole_days_since(since)),
        days_since_last_meeting: timeline.days_since_last_meeting(),
        booked: timeline.booked(),
        days_since_last_activity: newest_activity(inputs, &timeline)
            .map(|newest| now.whole_days_since(newest)),
        avg_sentiment: number::mean(sentiments),
        sentiment_trend: trend(&timeline),
        meeting_count_30d: Some(timeline.meetings_within(30).len() as i64),
        activity_count_30d: Some(
            inputs
                .activity_count_30d
                .saturating_add(recent.len() as i64),
        ),
        avg_response_time_hours: number::mean(recent.iter().filter_map(Event::response_time_hours)),
    }
}

fn newest_activity<R: EventRow>(
    inputs: &DealInputs<'_>,
    timeline: &Timeline<'_, R>,
) -> Option<Instant> {
    let activity = inputs.last_activity.filter(|at| *at <= timeline.now);
    activity.max(timeline.events.first().map(|email| email.row.at()))
}

/// The newest meeting against the mean of the two before it; two e-mails that clearly differ
/// decide instead, where there is any meeting to set them beside.
fn trend<R: EventRow>(timeline: &Timeline<'_, R>) -> SentimentTrend {
    let mut meetings = timeline.meeting_sentiments();
    let meetings = [meetings.next(), meetings.next(), meetings.next()];
    let mut emails = timeline.email_sentiments(2);
    if let ([Some(_), ..], Some(newest), Some(before)) = (meetings, emails.next(), emails.next()) {
        let by_emails = SentimentTrend::of_change(newest - before);
        if by_emails != SentimentTrend::Stable {
            return by_emails;
        }
    }
    match meetings {
        [Some(newest), Some(before), Some(oldest)] => {
            SentimentTrend::of_change(newest - f64::midpoint(before, oldest))
        }
        _ => SentimentTrend::Unknown,
    }
}
