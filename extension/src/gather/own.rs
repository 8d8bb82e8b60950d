//! Arguments of a raw function, read without a copy.

use pgrx::pg_sys;

use crate::datums;
use crate::raw::pg_function;

/// The bytes of a `text`, `bytea` or `numeric` argument.
///
/// # Safety
/// The argument must be declared as one of these.
pub(crate) unsafe fn bytes<'a>(
    fcinfo: pg_sys::FunctionCallInfo,
    argument: usize,
) -> Option<&'a [u8]> {
    unsafe {
        if pgrx::pg_arg_is_null(fcinfo, argument) {
            return None;
        }
        let stored: *mut pg_sys::varlena =
            pgrx::pg_getarg_datum_raw(fcinfo, argument).cast_mut_ptr();
        // What lies there as it is needs no call to PostgreSQL: most of it does.
        let is_plain = if pgrx::varatt_is_1b(stored) {
            !pgrx::varatt_is_1b_e(stored)
        } else {
            pgrx::varatt_is_4b_u(stored)
        };
        let plain = if is_plain {
            stored
        } else {
            pg_sys::pg_detoast_datum_packed(stored)
        };
        Some(pgrx::varlena_to_byte_slice(plain))
    }
}

/// A `uuid` argument.
///
/// # Safety
/// The argument must be declared `uuid`.
pub(crate) unsafe fn uuid(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> Option<[u8; 16]> {
    unsafe {
        if pgrx::pg_arg_is_null(fcinfo, argument) {
            return None;
        }
        let datum = pgrx::pg_getarg_datum_raw(fcinfo, argument);
        Some(datum.cast_mut_ptr::<[u8; 16]>().read_unaligned())
    }
}

/// An argument that is its datum: `timestamptz`, `bigint`, `integer`, `boolean`, or the bits of a
/// `double precision`.
///
/// # Safety
/// The argument must be declared as one of these.
pub(crate) unsafe fn word(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> Option<usize> {
    unsafe {
        if pgrx::pg_arg_is_null(fcinfo, argument) {
            return None;
        }
        Some(pgrx::pg_getarg_datum_raw(fcinfo, argument).value())
    }
}

/// A `timestamptz` or `bigint` argument.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn int8(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> Option<i64> {
    unsafe { word(fcinfo, argument) }.map(|word| word as i64)
}

/// An `integer` argument.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn int4(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> Option<i32> {
    unsafe { word(fcinfo, argument) }.map(|word| word as i32)
}

/// Whether a `boolean` argument is true; NULL is not.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn is_true(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> bool {
    unsafe { word(fcinfo, argument) }.is_some_and(|word| word & 0xff != 0)
}

/// A `double precision` argument, NaN for NULL: the core takes both for unknown.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn float8(fcinfo: pg_sys::FunctionCallInfo, argument: usize) -> f64 {
    unsafe { word(fcinfo, argument) }.map_or(f64::NAN, |word| f64::from_bits(word as u64))
}

pg_function! {
    /// `crm_health.float8_of(numeric)`
    fn float8_of(fcinfo) {
        // SAFETY: the argument is declared `numeric`, and the function strict.
        unsafe {
            let quick = bytes(fcinfo, 0).and_then(datums::double);
            quick.map_or_else(
                || pgrx::direct_function_call_as_datum(pg_sys::numeric_float8, &[
                    Some(pgrx::pg_getarg_datum_raw(fcinfo, 0)),
                ])
                .unwrap_or(pg_sys::Datum::null()),
                |double| pg_sys::Datum::from(double.to_bits()),
            )
        }
    }
}
