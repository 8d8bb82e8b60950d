//! What the events of the window do not tell of a user's targets.

use pgrx::{IntoDatum, pg_sys};

use super::events::EventRow;
use super::own::{bytes, int8, is_true};
use super::packed::Unpacked;
use super::streams::Kept;
use super::user::User;
use crate::collect::{EPOCH_SHIFT, HAS_ANY, HAS_INBOUND, HAS_MEANINGFUL, to_instant};
use crate::datums;
use crate::ghost::days::{day_of, start_of};
use crate::raw::{RowSink, pg_function};
use crm_health_scoring::interaction::Direction;
use crm_health_scoring::relationship;

const ALL: u8 = HAS_ANY | HAS_INBOUND | HAS_MEANINGFUL;

pg_function! {
    /// `crm_health.user_lacks(as_of, window start, targets, events, streams, fingerprint, keeps streams, looks back, cites)`
    fn user_lacks(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the argument numbers and types are those of the function's declaration.
        unsafe {
            let (Some(as_of), Some(window)) = (int8(fcinfo, 0), int8(fcinfo, 1)) else {
                return pg_sys::Datum::null();
            };
            let kept = int8(fcinfo, 5).map(|fingerprint| {
                Kept::new(bytes(fcinfo, 4), fingerprint, as_of, day_of(as_of), is_true(fcinfo, 6))
            });
            let texts = Unpacked::new(bytes(fcinfo, 3));
            let user = User::new(bytes(fcinfo, 2), texts.iter());
            rows(&mut sink, &user, window, kept.as_ref(), is_true(fcinfo, 7));
            if is_true(fcinfo, 8) {
                cited(&mut sink, &user, &texts, to_instant(as_of));
            }
        }
        pg_sys::Datum::null()
    }
}

fn rows(
    sink: &mut RowSink,
    user: &User<'_>,
    window: pg_sys::TimestampTz,
    kept: Option<&Kept<'_>>,
    looks_back: bool,
) {
    let past_from: Vec<Option<i64>> = user
        .targets
        .iter()
        .map(|target| {
            let standing = kept?.of(target);
            let from = standing
                .state
                .map_or(i64::MIN, |(_, day)| start_of(day + 1));
            (!target.is_fresh() && from < window).then_some(from)
        })
        .collect();
    for (place, target) in user.targets.iter().enumerate() {
        // A company is scored by the events of its contacts too.
        let company = user.company_of(place);
        let company_due = company.is_some_and(|company| !user.targets[company].is_fresh());
        if target.is_fresh() && !company_due {
            continue;
        }
        let lack = if looks_back { lack(user, place) } else { 0 };
        let for_company = company.and_then(|company| past_from[company]);
        let from = past_from[place].into_iter().chain(for_company).min();
        if lack == 0 && from.is_none() {
            continue;
        }
        let contact = target.contact();
        let company = contact.is_none().then_some(target.owner().id);
        sink.push([
            contact.and_then(datums::uuid),
            company.and_then(datums::uuid),
            i32::from(lack).into_datum(),
            from.map(pg_sys::Datum::from),
            None,
            None,
        ]);
    }
}

/// The events whose subjects the scores will tell.
fn cited(
    sink: &mut RowSink,
    user: &User<'_>,
    texts: &Unpacked<'_, EventRow>,
    as_of: crm_health_scoring::interaction::Instant,
) {
    for place in (0..user.targets.len()).filter(|place| !user.targets[*place].is_fresh()) {
        let events = user.events_of(place);
        let interactions: Vec<_> = events
            .map(|event| user.events[event].interaction(texts))
            .collect();
        for cited in relationship::cited(&interactions, &[], as_of) {
            sink.push([
                None,
                None,
                0.into_datum(),
                None,
                Some(pg_sys::Datum::from(cited.at.0 - EPOCH_SHIFT)),
                datums::uuid(cited.id.to_be_bytes()),
            ]);
        }
    }
}

/// Bits of what is missing, as crm_health.interactions_lack has them.
fn lack(user: &User<'_>, place: usize) -> u8 {
    let mut missing = ALL;
    for event in user.events_of(place).map(|event| &user.events[event]) {
        missing &= !has(event);
        if missing == 0 {
            break;
        }
    }
    missing
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
