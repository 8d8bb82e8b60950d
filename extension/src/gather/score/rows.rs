//! What belongs to each target that is due.

use std::ops::Range;

use crm_health_scoring::interaction::Meeting;
use crm_health_scoring::relationship::{Ordered, RelationshipInputs};

use super::Gathered;
use crate::collect::to_instant;
use crate::gather::events::{Event, EventRow};
use crate::gather::targets::MeetingRow;
use crate::gather::user::{ByEvent, EventId};

/// The events and meetings of the targets of a user that are due, one target after another.
pub(crate) struct Rows<'g> {
    events: Vec<Event<'g>>,
    meetings: Vec<Meeting>,
    of: Vec<Owned>,
}

/// What belongs to one target.
struct Owned {
    place: usize,
    events: Range<usize>,
    meetings: Range<usize>,
}

/// A target that is due, with its rows in order.
pub(crate) struct Target<'r, 'g> {
    pub(super) place: usize,
    pub(super) events: &'r [Event<'g>],
    pub(super) ordered: Ordered<'r, Event<'g>>,
}

impl Gathered<'_> {
    /// The rows of what is due.
    pub(crate) fn rows(&self) -> Rows<'_> {
        let mut rows = Rows {
            events: Vec::with_capacity(self.user.events.len()),
            meetings: Vec::with_capacity(self.meetings.len()),
            of: Vec::new(),
        };
        // Only what was looked up beside the window may be bare.
        let has_bare = self.user.events[self.window..]
            .iter()
            .any(EventRow::is_bare);
        for place in self.due() {
            pgrx::check_for_interrupts!();
            let (events, meetings) = (rows.events.len(), rows.meetings.len());
            self.events(place, has_bare, &mut rows.events);
            self.meetings(place, &mut rows.meetings);
            rows.of.push(Owned {
                place,
                events: events..rows.events.len(),
                meetings: meetings..rows.meetings.len(),
            });
        }
        rows
    }

    /// The targets that are due, each with its rows.
    pub(crate) fn targets<'r, 'g>(&self, rows: &'r Rows<'g>) -> Vec<Target<'r, 'g>> {
        let targets = rows.of.iter().map(|of| {
            pgrx::check_for_interrupts!();
            let events = &rows.events[of.events.clone()];
            let deals = self.deals(of.place);
            let inputs = RelationshipInputs {
                interactions: events,
                meetings: &rows.meetings[of.meetings.clone()],
                opens_tracked: self.opens_tracked,
                total_deal_value: deals.map_or(0.0, |deals| deals.value),
                at_risk_deal_value: deals.map_or(0.0, |deals| deals.at_risk),
            };
            Target {
                place: of.place,
                events,
                ordered: Ordered::new(inputs, to_instant(self.terms.as_of)),
            }
        });
        targets.collect()
    }

    fn due(&self) -> impl Iterator<Item = usize> + '_ {
        let targets = self.user.targets.iter().enumerate();
        targets
            .filter(|(_, target)| !target.is_fresh())
            .map(|(place, _)| place)
    }

    /// Adds the events of a target: those without more than a time only where no other row tells of them.
    fn events<'g>(&'g self, place: usize, has_bare: bool, events: &mut Vec<Event<'g>>) {
        let row = |index: usize| &self.user.events[index];
        let told: ByEvent<()> = if has_bare {
            let rows = self.user.events_of(place).map(row);
            let told = rows.filter(|row| !row.is_bare());
            told.map(|row| (EventId(row.id()), ())).collect()
        } else {
            ByEvent::default()
        };
        let is_told = |row: &EventRow| row.is_bare() && told.contains_key(&EventId(row.id()));
        let indices = self.user.events_of(place);
        let indices = indices.filter(|index| !has_bare || !is_told(row(*index)));
        events.extend(indices.map(|index| Event {
            row: row(index),
            subjects: &self.subjects,
            is_older: index >= self.recent,
        }));
    }

    /// Adds the meetings of a target. Of the newest one held alone the title is told.
    fn meetings(&self, place: usize, meetings: &mut Vec<Meeting>) {
        let as_of = to_instant(self.terms.as_of);
        let rows = || self.meetings_of.of(place).map(|row| &self.meetings[row]);
        let held = rows()
            .map(MeetingRow::start)
            .filter(|start| *start <= as_of);
        let newest = held.max();
        meetings.extend(rows().map(|row| {
            let mut meeting = row.meeting();
            if newest == Some(meeting.start) {
                meeting.title = self.meeting_texts.text(row.title).map(str::to_owned);
            }
            meeting
        }));
    }
}
