//! The events whose subjects the scores tell, where events come without.

use pgrx::pg_sys;

use super::{Gathered, Target};
use crate::collect::to_instant;
use crate::datums;
use crate::gather::events::Event;
use crate::gather::user::{ByEvent, EventId};
use crate::ghost::days::start_of;

/// Events of users whose subjects the scores will tell.
#[derive(Default)]
pub(crate) struct Cited {
    /// Those to be looked up: whose, when, and which.
    pub(crate) wanted: Vec<([u8; 16], pg_sys::TimestampTz, u128)>,
    /// Those that are known.
    pub(crate) told: ByEvent<Option<String>>,
}

impl Gathered<'_> {
    /// Adds the events of targets.
    pub(crate) fn cite(&self, targets: &[Target<'_, '_>], cited: &mut Cited) {
        if !self.terms.cites {
            return;
        }
        for target in targets {
            pgrx::check_for_interrupts!();
            let sealed = self.standings[target.place]
                .seal_day
                .filter(|_| self.terms.keeping.newest);
            let sealed = sealed.and_then(|day| newest_meaningful(target.events, start_of(day + 1)));
            let events = target.ordered.cited().chain(sealed);
            for event in events.filter(|event| !self.subjects.knows(event)) {
                match self.told_before(target, event) {
                    Some(subject) => {
                        let id = EventId(event.row.id());
                        cited.told.insert(id, subject.map(str::to_owned));
                    }
                    None => cited.wanted.push((self.id, event.row.at, event.row.id())),
                }
            }
        }
    }

    /// The subject of an event that the score before has told already. A state that serves vouches for it: the
    /// triggers drop it when a subject or the instant of an event changes, or an event goes.
    fn told_before(&self, target: &Target<'_, '_>, event: &Event<'_>) -> Option<Option<&str>> {
        self.standings[target.place].state.as_ref()?;
        let row = &self.user.targets[target.place];
        let last = row.last_meaningful(&self.user.target_texts)?;
        let kind = datums::jsonb_text(last, "type")??;
        if kind != event.row.event_type().as_str() || !event.row.is_meaningful() {
            return None;
        }
        let date = datums::jsonb_text(last, "date")??;
        if date != to_instant(event.row.at).to_rfc3339() {
            return None;
        }
        let twins = target.events.iter();
        let twins = twins.filter(|other| other.row.at == event.row.at);
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
