//! What the events of the window do not tell of a user's targets.

use pgrx::pg_sys;

use super::events::EventRow;
use super::streams::Standing;
use super::user::User;
use crate::collect::held::{Occurrence, held};
use crate::collect::{ALL, HAS_ANY, HAS_INBOUND, HAS_MEANINGFUL};
use crate::ghost::days::start_of;
use crm_health_scoring::interaction::Direction;

/// What is to be looked up of a contact or company.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lack {
    /// Where the target stands.
    pub(crate) place: usize,
    /// Bits of what it has nothing of in the window, as crm_health.interactions_lack has them.
    pub(crate) bits: u8,
    /// From when on, up to the window, its days are wanted.
    pub(crate) past_from: Option<pg_sys::TimestampTz>,
}

/// What the targets lack, and what kept states know of it.
#[derive(Default)]
pub(crate) struct Lacking {
    pub(crate) lacks: Vec<Lack>,
    pub(crate) kept: FromStates,
}

/// Events that kept states know, and whose states those are.
#[derive(Default)]
pub(crate) struct FromStates {
    pub(crate) rows: Vec<EventRow>,
    pub(crate) places: Vec<usize>,
}

/// How the targets of a user stand.
pub(crate) struct Standings<'a> {
    pub(crate) user: &'a User<'a>,
    /// The first moment of the window.
    pub(crate) window: pg_sys::TimestampTz,
    /// Each target's kept state, where days are wanted.
    pub(crate) of_targets: Option<&'a [Standing<'a>]>,
    /// Whether the window is all that was read of the events.
    pub(crate) looks_back: bool,
}

impl Standings<'_> {
    /// What is to be looked up, and what need not be.
    pub(crate) fn lacking(&self) -> Lacking {
        let user = self.user;
        let mut lacking = Lacking::default();
        for (place, target) in user.targets.iter().enumerate() {
            // A company is scored by the events of its contacts too.
            let company = user.company_of(place);
            let company = company.filter(|company| !user.targets[*company].is_fresh());
            if target.is_fresh() && company.is_none() {
                continue;
            }
            let both = [Some(place), company];
            let standings = || both.into_iter().flatten().filter_map(|at| self.of(at));
            let past_from = both
                .into_iter()
                .flatten()
                .filter_map(|at| self.past_from(at));
            let past_from = past_from.min();
            // A state that is to be made keeps the newest of what it covers.
            let seal = standings().filter_map(|standing| standing.seal_day).min();
            let until = seal.map_or(i64::MAX, |day| start_of(day + 1));
            let mut bits = if self.looks_back {
                lack(user, place, until)
            } else {
                0
            };
            // One made as of a later instant may know events that were read with the window.
            let newest = self.of(place).and_then(|own| own.newest.as_ref());
            if bits != 0
                && let Some(newest) = newest.filter(|newest| newest.reaches(bits, until))
            {
                lacking.kept.rows.extend(newest.rows(target.owner(), bits));
                lacking.kept.places.push(place);
                bits = 0;
            }
            if bits != 0 || past_from.is_some() {
                lacking.lacks.push(Lack {
                    place,
                    bits,
                    past_from,
                });
            }
        }
        lacking
    }

    fn of(&self, place: usize) -> Option<&Standing<'_>> {
        self.of_targets.map(|standings| &standings[place])
    }

    /// From when on the days of a target that is due are wanted, if that lies before the window.
    fn past_from(&self, place: usize) -> Option<pg_sys::TimestampTz> {
        let standing = self.of(place)?;
        let sealed = standing.state.as_ref();
        let from = sealed.map_or(i64::MIN, |(_, day)| start_of(day + 1));
        (!self.user.targets[place].is_fresh() && from < self.window).then_some(from)
    }
}

/// Bits of what a target has nothing of before an instant.
fn lack(user: &User<'_>, place: usize, until: pg_sys::TimestampTz) -> u8 {
    let rows = user.events_of(place).map(|event| &user.events[event]);
    let has = |event: &EventRow| if event.at < until { has(event) } else { 0 };
    !held(&rows, has) & ALL
}

impl Occurrence for EventRow {
    fn key(&self) -> Option<u128> {
        self.external_key().map(u128::from_ne_bytes)
    }

    fn is_kept_before(&self, other: &Self) -> bool {
        self.is_newer_than(other)
    }
}

fn has(event: &EventRow) -> u8 {
    let inbound = if event.direction() == Direction::Inbound {
        HAS_INBOUND
    } else {
        0
    };
    let meaningful = if event.is_meaningful() {
        HAS_MEANINGFUL
    } else {
        0
    };
    HAS_ANY | inbound | meaningful
}
