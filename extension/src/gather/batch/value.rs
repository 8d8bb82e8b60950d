//! `scored_value`: one value of a score that takes the place of another, asked for by the id of its row.

use pgrx::{IntoDatum, pg_sys};

use super::{Batch, Scored, Sums, with_batch};
use crate::datums;
use crate::error::Error;
use crate::gather::own::{int4, uuid};
use crate::raw::pg_function;
use crate::score::{COLUMNS, Told};

pg_function! {
    /// `crm_health.is_scored(score id, user id)`
    fn is_scored(fcinfo) {
        // SAFETY: the arguments are declared `uuid`.
        let (id, user) = unsafe { (uuid(fcinfo, 0), uuid(fcinfo, 1)) };
        let found = with_batch(|batch| {
            id.and_then(|id| batch.find(id)).is_some_and(|scored| Some(scored.user) == user)
        });
        pg_sys::Datum::from(found)
    }
}

pg_function! {
    /// `crm_health.scored_value(score id, column, of type)`
    fn scored_value(fcinfo) {
        // SAFETY: the arguments are declared `uuid` and `integer`; the value is of the type of the third.
        unsafe {
            let column = int4(fcinfo, 1).unwrap_or(-1);
            let (expected, value) = column_at(column);
            check_type(fcinfo, column, expected);
            let id = uuid(fcinfo, 0);
            let found = with_batch(|batch| value.of(batch, batch.find(id?)?));
            found.unwrap_or_else(|| pgrx::pg_return_null(fcinfo))
        }
    }
}

/// Makes sure, once for each place in a statement, that it takes the column for what it is.
unsafe fn check_type(fcinfo: pg_sys::FunctionCallInfo, column: i32, expected: pg_sys::Oid) {
    // SAFETY: the call in progress; what was found is kept as a number that nobody follows.
    unsafe {
        let call = (*fcinfo).flinfo;
        let checked = std::ptr::without_provenance_mut(column as usize + 1);
        if (*call).fn_extra == checked {
            return;
        }
        if pg_sys::get_fn_expr_argtype(call, 2) != expected {
            Error::NoRefreshUnderWay.raise();
        }
        (*call).fn_extra = checked;
    }
}

/// How a column is found.
enum Value {
    OfScore(fn(&Told<'_>) -> Option<pg_sys::Datum>),
    OfDeals(fn(Option<&Sums>) -> Option<pg_sys::Datum>),
}

impl Value {
    fn of(&self, batch: &Batch, scored: &Scored) -> Option<pg_sys::Datum> {
        match self {
            Self::OfScore(value) => value(&batch.told(scored)),
            Self::OfDeals(value) => value(scored.deals.as_ref()),
        }
    }
}

pub(super) type DealColumn = (
    &'static str,
    pg_sys::Oid,
    fn(Option<&Sums>) -> Option<pg_sys::Datum>,
);

/// The columns that are made of deals.
pub(super) const DEAL_COLUMNS: [DealColumn; 3] = [
    ("related_deals_count", pg_sys::INT8OID, |deals| {
        deals.map_or(0, |deals| deals.count).into_datum()
    }),
    ("total_deal_value", pg_sys::NUMERICOID, |deals| {
        sum(deals.and_then(|deals| deals.value.as_ref()))
    }),
    ("at_risk_deal_value", pg_sys::NUMERICOID, |deals| {
        sum(deals.and_then(|deals| deals.at_risk.as_ref()))
    }),
];

fn sum(exact: Option<&Vec<u8>>) -> Option<pg_sys::Datum> {
    match exact {
        Some(bytes) => bytes.as_slice().into_datum(),
        None => datums::four_decimals(Some(0.0)),
    }
}

fn column_at(column: i32) -> (pg_sys::Oid, Value) {
    let Ok(place) = usize::try_from(column) else {
        Error::NoRefreshUnderWay.raise();
    };
    if let Some((_, of_type, value)) = COLUMNS.get(place) {
        return (*of_type, Value::OfScore(*value));
    }
    match DEAL_COLUMNS.get(place - COLUMNS.len()) {
        Some((_, of_type, value)) => (*of_type, Value::OfDeals(*value)),
        None => Error::NoRefreshUnderWay.raise(),
    }
}

/// The SQL of a column of the score that takes the place of row `s`.
pub(crate) fn expression(column: &str) -> Option<String> {
    let of_score = COLUMNS.iter().map(|(name, of_type, _)| (*name, *of_type));
    let of_deals = DEAL_COLUMNS
        .iter()
        .map(|(name, of_type, _)| (*name, *of_type));
    let (place, (_, of_type)) = of_score
        .chain(of_deals)
        .enumerate()
        .find(|(_, (name, _))| *name == column)?;
    let of_type = match of_type {
        pg_sys::INT4OID => "int4",
        pg_sys::INT8OID => "int8",
        pg_sys::BOOLOID => "bool",
        pg_sys::NUMERICOID => "numeric",
        pg_sys::JSONBOID => "jsonb",
        pg_sys::TEXTARRAYOID => "text[]",
        _ => "text",
    };
    Some(format!(
        "crm_health.scored_value(s.id, {place}, NULL::{of_type})"
    ))
}
