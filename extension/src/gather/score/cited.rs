//! The events whose subjects the scores tell, where events come without.

use std::borrow::Cow;

use crm_health_scoring::relationship;
use pgrx::pg_sys;

use super::Gathered;
use crate::collect::to_instant;
use crate::datums;
use crate::gather::events::Event;
use crate::gather::user::EventId;
use crate::ghost::days::start_of;

impl<'a> Gathered<'a> {
    /// The events whose subjects are to be looked up, for the scores will tell them; by time.
    pub(crate) fn cited(&mut self) -> Vec<(pg_sys::TimestampTz, u128)> {
        if !self.terms.cites {
            return Vec::new();
        }
        let (mut cited, mut told) = (Vec::new(), Vec::new());
        let mut events = Vec::new();
        for place in self.due() {
            self.events(place, &mut events);
            let mut wanted = relationship::cited(&events, &[], to_instant(self.terms.as_of));
            let sealed = self.standings[place]
                .seal_day
                .filter(|_| self.terms.keeping.newest);
            wanted.extend(sealed.and_then(|day| newest_meaningful(&events, start_of(day + 1))));
            for event in wanted.into_iter().filter(|event| event.subject.is_none()) {
                let id = event.row.id();
                if self.subjects.contains_key(&EventId(id)) {
                    continue;
                }
                match self.told_before(place, event, &events) {
                    Some(subject) => told.push((EventId(id), subject.map(Cow::from))),
                    None => cited.push((event.row.at, id)),
                }
            }
        }
        self.subjects.extend(told);
        cited.sort_unstable();
        cited.dedup();
        cited
    }

    /// The subject of an event that the score before has told already. A state that serves vouches for it: the
    /// triggers drop it when a subject or the instant of an event changes, or an event goes.
    fn told_before(
        &self,
        place: usize,
        event: &Event<'_>,
        events: &[Event<'_>],
    ) -> Option<Option<&'a str>> {
        self.standings[place].state.as_ref()?;
        let target = &self.user.targets[place];
        let last = target.last_meaningful(&self.user.target_texts)?;
        let kind = datums::jsonb_text(last, "type")??;
        if kind != event.row.event_type().as_str() || !event.row.is_meaningful() {
            return None;
        }
        let date = datums::jsonb_text(last, "date")??;
        if date != to_instant(event.row.at).to_rfc3339() {
            return None;
        }
        let twins = events.iter().filter(|other| other.row.at == event.row.at);
        (twins.count() == 1).then(|| datums::jsonb_text(last, "subject"))?
    }
}

/// The newest meeting held, call or answered e-mail before an instant.
fn newest_meaningful<'e, 's>(
    events: &'e [Event<'s>],
    until: pg_sys::TimestampTz,
) -> Option<&'e Event<'s>> {
    let before = events.iter().filter(|event| event.row.at < until);
    before
        .filter(|event| event.row.is_meaningful())
        .reduce(|kept, event| {
            if event.row.is_newer_than(kept.row) {
                event
            } else {
                kept
            }
        })
}
