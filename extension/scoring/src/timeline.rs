//! Events and meetings in order, each once, up to one instant.
//!
//! Input comes in any order and may hold a message twice. What comes out depends on the set of
//! rows alone: newest first, the smaller id first among equals.

use std::collections::HashMap;

use crate::interaction::{Booked, Direction, EventRow, EventType, Instant, Meeting};
use crate::number;

/// Up to this many events, comparing with each that may be the same is faster than hashing.
const FEW: usize = 64;

/// The spans of days that are asked for again and again, ascending.
const SPANS: [i64; 4] = [14, 30, 60, 90];

/// One interaction, with what its duplicates know of it.
pub(crate) struct Event<'a, R> {
    pub(crate) at: Instant,
    pub(crate) row: &'a R,
    pub(crate) event_type: EventType,
    pub(crate) direction: Direction,
    pub(crate) was_replied: bool,
    pub(crate) was_opened: bool,
}

impl<R> Clone for Event<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Event<'_, R> {}

impl<R: EventRow> Event<'_, R> {
    pub(crate) fn is(&self, kind: EventType) -> bool {
        self.event_type == kind
    }

    pub(crate) fn is_email(&self) -> bool {
        self.event_type.is_email()
    }

    pub(crate) fn is_inbound(&self) -> bool {
        self.direction == Direction::Inbound
    }

    pub(crate) fn is_outbound(&self) -> bool {
        self.direction == Direction::Outbound
    }

    pub(crate) fn response_time_hours(&self) -> Option<f64> {
        number::duration(self.row.response_time_hours())
    }

    pub(crate) fn sentiment(&self) -> Option<f64> {
        number::sentiment(self.row.sentiment())
    }

    fn same_interaction(&self, other: &Self) -> bool {
        self.row.id() == other.row.id()
            || (self.row.external_key().is_some()
                && self.row.external_key() == other.row.external_key())
    }

    fn learn_from(&mut self, duplicate: &Self) {
        self.was_replied |= duplicate.was_replied;
        self.was_opened |= duplicate.was_opened;
    }
}

/// The events up to `now` and the meetings of one deal, contact or company, both newest first.
pub(crate) struct Timeline<'a, R> {
    pub(crate) now: Instant,
    pub(crate) events: Vec<Event<'a, R>>,
    /// Booked meetings too, so some may lie ahead of `now`.
    pub(crate) meetings: Vec<&'a Meeting>,
    /// How many of the meetings lie ahead.
    ahead: usize,
    /// How many events lie within each of [`SPANS`].
    within: [usize; SPANS.len()],
}

impl<'a, R: EventRow> Timeline<'a, R> {
    /// Orders the rows and drops future events, duplicates, and events that `keep` refuses.
    pub(crate) fn new(
        interactions: &'a [R],
        meetings: &'a [Meeting],
        now: Instant,
        keep: impl Fn(&R) -> bool,
    ) -> Self {
        let events = interactions
            .iter()
            .filter(|row| row.at() <= now && keep(row))
            .map(|row| Event {
                at: row.at(),
                row,
                event_type: row.event_type(),
                direction: row.direction(),
                was_replied: row.was_replied(),
                was_opened: row.was_opened(),
            })
            .collect();
        let events = each_once(events);
        let meetings = meetings_once(meetings);
        Self {
            now,
            within: SPANS.map(|days| count_within(&events, now, days)),
            events,
            ahead: meetings.partition_point(|meeting| meeting.start > now),
            meetings,
        }
    }

    /// The events of the last `days` days, the instant at their very beginning included.
    #[inline]
    pub(crate) fn events_within(&self, days: i64) -> &[Event<'a, R>] {
        let known = SPANS.iter().position(|span| *span == days);
        let count = known.map_or_else(
            || count_within(&self.events, self.now, days),
            |span| self.within[span],
        );
        &self.events[..count]
    }

    /// The meetings that have begun.
    pub(crate) fn meetings_held(&self) -> &[&'a Meeting] {
        &self.meetings[self.ahead..]
    }

    /// The meetings that have not, if there are any.
    pub(crate) fn booked(&self) -> Option<Booked> {
        let next = self.meetings[..self.ahead].last()?;
        Some(Booked {
            count: self.ahead as i64,
            next_in_days: -self.now.whole_days_since(next.start),
        })
    }

    /// The meetings of the last `days` days and all that are booked.
    pub(crate) fn meetings_within(&self, days: i64) -> &[&'a Meeting] {
        let start = self.now.minus_days(days);
        &self.meetings[..self
            .meetings
            .partition_point(|meeting| meeting.start >= start)]
    }

    /// Whole days from the newest meeting's start: negative where one is booked.
    pub(crate) fn days_since_last_meeting(&self) -> Option<i64> {
        self.meetings
            .first()
            .map(|newest| self.now.whole_days_since(newest.start))
    }

    /// Sentiments of the three newest meetings held; one without a sentiment takes its place in vain.
    pub(crate) fn meeting_sentiments(&self) -> impl Iterator<Item = f64> {
        self.toned_meetings().map(|(_, sentiment)| sentiment)
    }

    /// The same, each with the instant of its meeting.
    pub(crate) fn toned_meetings(&self) -> impl Iterator<Item = (Instant, f64)> {
        let newest = self.meetings_held().iter().take(3);
        newest.filter_map(|met| Some((met.start, number::sentiment(met.sentiment)?)))
    }

    /// Sentiments of the newest e-mails of 30 days that have one, at most `count`.
    pub(crate) fn email_sentiments(&self, count: usize) -> impl Iterator<Item = f64> {
        self.toned_emails(count).map(|(_, sentiment)| sentiment)
    }

    /// The same, each with the instant of its e-mail.
    pub(crate) fn toned_emails(&self, count: usize) -> impl Iterator<Item = (Instant, f64)> {
        let emails = self
            .events_within(30)
            .iter()
            .filter(|event| event.is_email());
        emails
            .filter_map(|email| Some((email.at, email.sentiment()?)))
            .take(count)
    }
}

fn count_within<R: EventRow>(events: &[Event<'_, R>], now: Instant, days: i64) -> usize {
    let start = now.minus_days(days);
    events.partition_point(|event| event.at >= start)
}

fn each_once<R: EventRow>(mut events: Vec<Event<'_, R>>) -> Vec<Event<'_, R>> {
    let tie = |event: &Event<'_, R>| (event.row.id(), event.row.external_key());
    events.sort_unstable_by(|a, b| b.at.cmp(&a.at).then_with(|| tie(a).cmp(&tie(b))));
    if events.len() <= FEW {
        merge_few(events)
    } else {
        merge_many(events)
    }
}

fn merge_few<R: EventRow>(mut events: Vec<Event<'_, R>>) -> Vec<Event<'_, R>> {
    let mut kept = 0;
    let mut seen = Seen::default();
    for index in 0..events.len() {
        let event = events[index];
        let first = if seen.perhaps(&event) {
            let mut before = events[..kept].iter_mut();
            before.find(|first| first.same_interaction(&event))
        } else {
            None
        };
        if let Some(first) = first {
            first.learn_from(&event);
        } else {
            events[kept] = event;
            kept += 1;
        }
    }
    events.truncate(kept);
    events
}

/// Remembers ids and keys by a few of their bits: what it has not seen is new.
#[derive(Default)]
struct Seen {
    ids: [u64; 4],
    keys: [u64; 4],
}

impl Seen {
    /// Whether the event may have been seen before; remembers it.
    fn perhaps<R: EventRow>(&mut self, event: &Event<'_, R>) -> bool {
        let id = mark(&mut self.ids, event.row.id());
        let key = event.row.external_key();
        id | key.is_some_and(|key| mark(&mut self.keys, key))
    }
}

/// Sets the bit of a number, and says whether it was set.
fn mark(bits: &mut [u64; 4], number: u128) -> bool {
    // Ids that count up differ in their last bits, random ones anywhere.
    let place = (number as u8) ^ ((number >> 64) as u8);
    let (word, bit) = (usize::from(place >> 6), 1 << (place & 63));
    let was_set = bits[word] & bit != 0;
    bits[word] |= bit;
    was_set
}

fn merge_many<R: EventRow>(events: Vec<Event<'_, R>>) -> Vec<Event<'_, R>> {
    let mut kept: Vec<Event<'_, R>> = Vec::with_capacity(events.len());
    let mut by_id = HashMap::with_capacity(events.len());
    let mut by_key = HashMap::new();
    for event in events {
        let known_key = event.row.external_key().and_then(|key| by_key.get(&key));
        // The earlier of the two, as comparing each with each would find it.
        let known: Option<&usize> = by_id
            .get(&event.row.id())
            .into_iter()
            .chain(known_key)
            .min();
        if let Some(&first) = known {
            kept[first].learn_from(&event);
            continue;
        }
        by_id.insert(event.row.id(), kept.len());
        by_key.extend(event.row.external_key().map(|key| (key, kept.len())));
        kept.push(event);
    }
    kept
}

fn meetings_once(meetings: &[Meeting]) -> Vec<&Meeting> {
    let mut meetings: Vec<&Meeting> = meetings.iter().collect();
    meetings.sort_unstable_by_key(|meeting| (std::cmp::Reverse(meeting.start), meeting.id));
    meetings.dedup_by_key(|meeting| meeting.id);
    meetings
}
