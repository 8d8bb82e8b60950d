//! What is measured of a relationship.

use serde::{Deserialize, Serialize};

use super::meaningful::{self, MeaningfulInteraction};
use crate::ghost::{self, GhostSignal};
use crate::interaction::{Booked, EventRow, EventType, Instant, Interaction, Meeting};
use crate::number::{self, mean};
use crate::status::SentimentTrend;
use crate::timeline::{Event, Timeline};

/// The measured state of a relationship. `None` is unknown: it neither helps nor harms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelationshipMetrics {
    /// Whole days since the newest event.
    pub days_since_last_contact: Option<i64>,
    /// Whole days since the newest inbound event.
    pub days_since_last_response: Option<i64>,
    /// Mean response time of the inbound events of 30 days, in hours.
    pub avg_response_time_hours: Option<f64>,
    /// Percent of the outbound events of 30 days that were answered.
    pub response_rate_percent: Option<i64>,
    /// Percent of the e-mails sent in 30 days that were opened; `None` where openings are not
    /// tracked.
    pub email_open_rate_percent: Option<i64>,
    /// Events of the last 30 days.
    pub communication_count_30d: Option<i64>,
    /// Meetings of the last 30 days and booked ones.
    pub meeting_count_30d: Option<i64>,
    /// Whole days since the newest meeting's start; negative where one is booked.
    pub days_since_last_meeting: Option<i64>,
    /// The meetings ahead, for the words alone; `None`: there are none, or they are not told apart.
    #[serde(skip)]
    pub booked: Option<Booked>,
    /// Mean of the newest sentiments, −1 to 1.
    pub avg_sentiment: Option<f64>,
    /// Where sentiment is heading.
    pub sentiment_trend: SentimentTrend,
    /// The contact's habit over 90 days: mean response time in hours; never 0.
    pub baseline_response_time_hours: Option<f64>,
    /// The contact's habit over 90 days: mean days between events; never 0, and `None` where all lie within
    /// less than 24 hours.
    pub baseline_contact_frequency_days: Option<f64>,
    /// The contact's habit over 90 days: mean days between meetings; as with events.
    pub baseline_meeting_frequency_days: Option<f64>,
    /// Sum of the values of the related deals.
    pub total_deal_value: Option<f64>,
    /// Sum of the values of those that are critical or stalled.
    pub at_risk_deal_value: Option<f64>,
}

/// The rows that a relationship is measured by.
#[derive(Debug)]
pub struct RelationshipInputs<'a, R = Interaction> {
    /// Events of any age in any order. Future ones do not count, duplicates count once.
    pub interactions: &'a [R],
    /// Meetings of any age in any order, booked ones included.
    pub meetings: &'a [Meeting],
    /// Whether any mail to this user's contacts was ever marked opened.
    pub opens_tracked: bool,
    /// Sum of the values of the related deals.
    pub total_deal_value: f64,
    /// Sum of the values of those that are critical or stalled.
    pub at_risk_deal_value: f64,
}

impl<R> Clone for RelationshipInputs<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for RelationshipInputs<'_, R> {}

/// All that the rows of a relationship tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What the score is made of.
    pub metrics: RelationshipMetrics,
    /// E-mails sent and received in 30 days.
    pub email_count_30d: i64,
    /// The ghost signals that hold. They are meant for contacts; for a company, leave them aside.
    pub signals: Vec<GhostSignal>,
    /// The newest meeting held, call, or answered e-mail.
    pub last_meaningful_interaction: Option<MeaningfulInteraction>,
}

/// Measures a relationship as of `now`.
#[must_use]
pub fn measure<R: EventRow>(inputs: &RelationshipInputs<'_, R>, now: Instant) -> Measured {
    Ordered::new(*inputs, now).measure()
}

/// The rows of a relationship in order, each once, up to an instant.
pub struct Ordered<'a, R> {
    inputs: RelationshipInputs<'a, R>,
    timeline: Timeline<'a, R>,
}

impl<'a, R: EventRow> Ordered<'a, R> {
    /// Orders the rows as of `now`. Nobody asks for a subject yet.
    #[must_use]
    pub fn new(inputs: RelationshipInputs<'a, R>, now: Instant) -> Self {
        Self {
            inputs,
            timeline: Timeline::new(inputs.interactions, inputs.meetings, now, |_| true),
        }
    }

    /// The events whose subject [`measure`](Self::measure) tells: without the subjects of all others it
    /// tells the same.
    pub fn cited(&self) -> impl Iterator<Item = &'a R> {
        let newest = meaningful::newest_event(&self.timeline).into_iter();
        let events = newest.chain(ghost::cited(&self.timeline));
        events.map(|event| event.row)
    }

    /// Measures the relationship.
    #[must_use]
    pub fn measure(&self) -> Measured {
        let recent = self.timeline.events_within(30);
        let metrics = metrics(&self.inputs, &self.timeline, recent);
        Measured {
            email_count_30d: recent.iter().filter(|event| event.is_email()).count() as i64,
            signals: ghost::detect(&self.timeline, &metrics, self.inputs.opens_tracked),
            last_meaningful_interaction: meaningful::newest(&self.timeline),
            metrics,
        }
    }
}

fn metrics<R: EventRow>(
    inputs: &RelationshipInputs<'_, R>,
    timeline: &Timeline<'_, R>,
    recent: &[Event<'_, R>],
) -> RelationshipMetrics {
    let days_since = |event: &Event<'_, R>| timeline.now.whole_days_since(event.at);
    let quarter = timeline.events_within(90);
    RelationshipMetrics {
        days_since_last_contact: timeline.events.first().map(days_since),
        days_since_last_response: timeline
            .events
            .iter()
            .find(|e| e.is_inbound())
            .map(days_since),
        avg_response_time_hours: mean_response_time(recent),
        response_rate_percent: response_rate(recent),
        email_open_rate_percent: open_rate(recent).filter(|_| inputs.opens_tracked),
        communication_count_30d: Some(recent.len() as i64),
        meeting_count_30d: Some(timeline.meetings_within(30).len() as i64),
        days_since_last_meeting: timeline.days_since_last_meeting(),
        booked: timeline.booked(),
        avg_sentiment: mean(
            timeline
                .meeting_sentiments()
                .chain(timeline.email_sentiments(5)),
        ),
        sentiment_trend: trend(timeline),
        baseline_response_time_hours: number::baseline(mean_response_time(quarter)),
        baseline_contact_frequency_days: mean_gap(quarter, |event| event.at),
        baseline_meeting_frequency_days: mean_gap(meetings_of_the_quarter(timeline), |m| m.start),
        total_deal_value: Some(inputs.total_deal_value).filter(|value| value.is_finite()),
        at_risk_deal_value: Some(inputs.at_risk_deal_value).filter(|value| value.is_finite()),
    }
}

fn mean_response_time<R: EventRow>(events: &[Event<'_, R>]) -> Option<f64> {
    let inbound = events.iter().filter(|event| event.is_inbound());
    mean(inbound.filter_map(Event::response_time_hours))
}

fn response_rate<R: EventRow>(events: &[Event<'_, R>]) -> Option<i64> {
    let outbound = events.iter().filter(|event| event.is_outbound());
    let replied = outbound.clone().filter(|event| event.was_replied).count();
    number::percent(replied as i64, outbound.count() as i64)
}

fn open_rate<R: EventRow>(events: &[Event<'_, R>]) -> Option<i64> {
    let sent = events.iter().filter(|event| event.is(EventType::EmailSent));
    let opened = sent.clone().filter(|event| event.was_opened).count();
    number::percent(opened as i64, sent.count() as i64)
}

/// The meetings of the last 90 days up to now: a booked one is no habit yet.
fn meetings_of_the_quarter<'t, 'a, R: EventRow>(
    timeline: &'t Timeline<'a, R>,
) -> &'t [&'a Meeting] {
    let held = timeline.meetings_held();
    let start = timeline.now.minus_days(90);
    &held[..held.partition_point(|meeting| meeting.start >= start)]
}

/// Mean days between consecutive rows, newest first; the gaps add up to the whole span. Within a day
/// there is one conversation, and no habit.
fn mean_gap<T>(rows: &[T], at: impl Fn(&T) -> Instant) -> Option<f64> {
    let span = at(rows.first()?).days_since(at(rows.last()?));
    // Of one row the span is 0.
    number::baseline((span >= 1.0).then(|| span / (rows.len() - 1) as f64))
}

/// The newest value against the mean of the next two; where there are fewer than three in all, the newest
/// e-mail against the one before it.
fn trend<R: EventRow>(timeline: &Timeline<'_, R>) -> SentimentTrend {
    let mut all = newest_first(timeline.toned_meetings(), timeline.toned_emails(5));
    if let (Some(newest), Some(second), Some(third)) = (all.next(), all.next(), all.next()) {
        return SentimentTrend::of_change(newest - f64::midpoint(second, third));
    }
    let mut emails = timeline.email_sentiments(2);
    match (emails.next(), emails.next()) {
        (Some(newest), Some(before)) => SentimentTrend::of_change(newest - before),
        _ => SentimentTrend::Unknown,
    }
}

/// The sentiments of both, each newest first, in the order of time; a meeting before an e-mail of its instant.
fn newest_first(
    meetings: impl Iterator<Item = (Instant, f64)>,
    emails: impl Iterator<Item = (Instant, f64)>,
) -> impl Iterator<Item = f64> {
    let (mut meetings, mut emails) = (meetings.peekable(), emails.peekable());
    std::iter::from_fn(move || {
        let newest = match (meetings.peek(), emails.peek()) {
            (Some((met, _)), Some((sent, _))) if met < sent => emails.next(),
            (Some(_), _) => meetings.next(),
            (None, _) => emails.next(),
        };
        newest.map(|(_, sentiment)| sentiment)
    })
}
