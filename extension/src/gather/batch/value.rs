//! `scored_value`: one value of a score that takes the place of another, asked for by the id of its row.

use pgrx::{IntoDatum, PgMemoryContexts, pg_getarg, pg_sys};

use super::{Batch, Scored, Sums, with_batch};
use crate::datums;
use crate::error::Error;
use crate::gather::own::{Values, bytes, int4, uuid};
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

/// Names and types of all columns, in their places.
fn columns() -> impl Iterator<Item = (&'static str, pg_sys::Oid)> {
    let of_score = COLUMNS.iter().map(|(name, of_type, _)| (*name, *of_type));
    let of_deals = DEAL_COLUMNS
        .iter()
        .map(|(name, of_type, _)| (*name, *of_type));
    of_score.chain(of_deals)
}

/// The SQL of a column of the score that takes the place of row `s`.
pub(crate) fn expression(column: &str) -> Option<String> {
    let (place, (_, of_type)) = columns()
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

/// The SQL that asks whether columns of row `s` are what they will be.
pub(crate) fn same_as_row(names: &[&str]) -> String {
    let place = |name: &&str| columns().position(|(known, _)| known == *name);
    let places: Vec<String> = names
        .iter()
        .filter_map(place)
        .map(|place| place.to_string())
        .collect();
    let values: Vec<String> = names.iter().map(|name| format!("s.{name}")).collect();
    format!(
        "crm_health.is_as_scored(s.id, '{{{}}}'::int4[], {})",
        places.join(","),
        values.join(", ")
    )
}

pg_function! {
    /// `crm_health.is_as_scored(score id, columns, variadic values)`
    fn is_as_scored(fcinfo) {
        // SAFETY: the first argument is declared `uuid`, the second `integer[]`; the types of the others are known to
        // the call.
        unsafe {
            let compared = compared(fcinfo);
            let id = uuid(fcinfo, 0);
            let is_same = with_batch(|batch| {
                let scored = batch.find(id?)?;
                let mut columns = compared.iter().zip(FIRST..);
                Some(columns.all(|(column, number)| {
                    (column.same)(fcinfo.value(number), column.value.of(batch, scored))
                }))
            });
            pg_sys::Datum::from(is_same.unwrap_or(false))
        }
    }
}

/// The number of the first value among the arguments.
const FIRST: usize = 2;

/// A column, and how its values are compared.
struct Compared {
    value: Value,
    same: unsafe fn(Option<pg_sys::Datum>, Option<pg_sys::Datum>) -> bool,
}

/// How a call compares, found out once for each place in a statement.
unsafe fn compared<'a>(fcinfo: pg_sys::FunctionCallInfo) -> &'a [Compared] {
    // SAFETY: the call in progress. What is kept lives as long as the statement's function, and nothing else is kept
    // there.
    unsafe {
        let call = (*fcinfo).flinfo;
        if (*call).fn_extra.is_null() {
            let columns: Vec<i32> = pg_getarg(fcinfo, 1).unwrap_or_default();
            if columns.len() + FIRST != usize::try_from((*fcinfo).nargs).unwrap_or(0) {
                Error::NoRefreshUnderWay.raise();
            }
            let compared = columns
                .into_iter()
                .zip(FIRST as i32..)
                .map(|(column, number)| {
                    let (expected, value) = column_at(column);
                    let found = pg_sys::get_fn_expr_argtype(call, number);
                    Compared {
                        value,
                        same: comparison(expected, found),
                    }
                });
            let compared: Vec<Compared> = compared.collect();
            let mut context = PgMemoryContexts::For((*call).fn_mcxt);
            (*call).fn_extra = context.leak_and_drop_on_delete(compared).cast();
        }
        &*(*call).fn_extra.cast::<Vec<Compared>>()
    }
}

/// How a value of the type `found` is compared with one of the type `expected`.
fn comparison(
    expected: pg_sys::Oid,
    found: pg_sys::Oid,
) -> unsafe fn(Option<pg_sys::Datum>, Option<pg_sys::Datum>) -> bool {
    unsafe fn integer(old: Option<pg_sys::Datum>, new: Option<pg_sys::Datum>) -> bool {
        // An int4 as its datum has it fills the word with its sign, or not.
        old.map(|old| old.value() as i32) == new.map(|new| new.value() as i32)
    }
    unsafe fn counted(old: Option<pg_sys::Datum>, new: Option<pg_sys::Datum>) -> bool {
        old.map(|old| i64::from(old.value() as i32)) == new.map(|new| new.value() as i64)
    }
    unsafe fn boolean(old: Option<pg_sys::Datum>, new: Option<pg_sys::Datum>) -> bool {
        old.map(|old| old.value() as u8) == new.map(|new| new.value() as u8)
    }
    unsafe fn stored(old: Option<pg_sys::Datum>, new: Option<pg_sys::Datum>) -> bool {
        // SAFETY: both are of types that are stored as their length and their bytes.
        unsafe { bytes([old], 0) == bytes([new], 0) }
    }
    unsafe fn unknown(_: Option<pg_sys::Datum>, _: Option<pg_sys::Datum>) -> bool {
        false
    }
    match (expected, found) {
        (pg_sys::INT4OID, pg_sys::INT4OID) => integer,
        (pg_sys::INT8OID, pg_sys::INT4OID) => counted,
        (pg_sys::BOOLOID, pg_sys::BOOLOID) => boolean,
        (pg_sys::TEXTOID, pg_sys::TEXTOID | pg_sys::VARCHAROID)
        | (pg_sys::NUMERICOID, pg_sys::NUMERICOID)
        | (pg_sys::JSONBOID, pg_sys::JSONBOID)
        | (pg_sys::TEXTARRAYOID, pg_sys::TEXTARRAYOID) => stored,
        _ => unknown,
    }
}
