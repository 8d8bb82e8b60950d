//! The functions that SQL calls: arguments in, one call, rows out.

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::{IntoDatum, pg_getarg, pg_sys};

use crate::error::or_raise;
use crate::raw::{RowSink, pg_function};
use crate::refresh::{Kind, Scored, fresh, refresh};

pg_function! {
    /// `public.refresh_deal_health_scores(p_user_id, p_max_age_hours)`
    fn refresh_deal_health_scores(fcinfo) {
        refresh_one(fcinfo, Kind::Deals)
    }
}

pg_function! {
    /// `public.refresh_relationship_health_scores(p_user_id, p_max_age_hours)`
    fn refresh_relationship_health_scores(fcinfo) {
        refresh_one(fcinfo, Kind::Relationships)
    }
}

pg_function! {
    /// `crm_health.refresh_deals(p_user_ids, p_max_age_hours, p_as_of)`
    fn refresh_deals(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        for row in refresh_many(fcinfo, Kind::Deals) {
            sink.push([
                row.user.into_datum(), row.id.into_datum(), row.score.into_datum(),
                row.status.into_datum(), (!row.fresh).into_datum(),
            ]);
        }
        pg_sys::Datum::null()
    }
}

pg_function! {
    /// `crm_health.refresh_relationships(p_user_ids, p_max_age_hours, p_as_of)`
    fn refresh_relationships(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        for row in refresh_many(fcinfo, Kind::Relationships) {
            sink.push([
                row.user.into_datum(), row.id.into_datum(), row.company.into_datum(),
                row.score.into_datum(), row.status.into_datum(), (!row.fresh).into_datum(),
            ]);
        }
        pg_sys::Datum::null()
    }
}

/// The form that the app calls: one user, now, and only what has an id of its own.
fn refresh_one(fcinfo: pg_sys::FunctionCallInfo, kind: Kind) -> pg_sys::Datum {
    let mut sink = RowSink::new(fcinfo);
    // SAFETY: the types are those of the function's declaration.
    let (user, max_age_hours) =
        unsafe { (pg_getarg::<Uuid>(fcinfo, 0), pg_getarg::<i32>(fcinfo, 1)) };
    let now = pgrx::datum::datetime_support::now();
    let mut push = |[id, score, status]: [_; 3]| sink.push([id, score, status, false.into_datum()]);
    if or_raise(fresh(kind, user, max_age_hours, now, &mut push)) {
        return pg_sys::Datum::null();
    }
    sink.clear();
    let rows = or_raise(refresh(kind, vec![user], max_age_hours, now));
    for row in rows.into_iter().filter(|row| row.id.is_some()) {
        sink.push([
            row.id.into_datum(),
            row.score.into_datum(),
            row.status.into_datum(),
            (!row.fresh).into_datum(),
        ]);
    }
    pg_sys::Datum::null()
}

fn refresh_many(fcinfo: pg_sys::FunctionCallInfo, kind: Kind) -> Vec<Scored> {
    // SAFETY: the types are those of the function's declaration.
    let (users, max_age_hours, as_of) = unsafe {
        (
            pg_getarg::<Vec<Option<Uuid>>>(fcinfo, 0).unwrap_or_default(),
            pg_getarg::<i32>(fcinfo, 1),
            pg_getarg::<TimestampWithTimeZone>(fcinfo, 2),
        )
    };
    or_raise(
        as_of
            .ok_or(crate::error::Error::AsOfOutOfRange)
            .and_then(|as_of| refresh(kind, users, max_age_hours, as_of)),
    )
}
