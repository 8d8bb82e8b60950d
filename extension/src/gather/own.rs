//! Arguments of a raw function and columns of a row, read without a copy.

use pgrx::pg_sys;

use crate::datums;
use crate::raw::pg_function;

/// Values by their number: the arguments of a call, or the columns of a row.
///
/// # Safety
/// Whoever implements it hands out datums of the types that are asked for.
pub(crate) unsafe trait Values: Copy {
    /// The value, where it is not NULL.
    ///
    /// # Safety
    /// There must be so many.
    unsafe fn value(&self, number: usize) -> Option<pg_sys::Datum>;
}

// SAFETY: the types are those of the function's declaration.
unsafe impl Values for pg_sys::FunctionCallInfo {
    #[inline]
    unsafe fn value(&self, number: usize) -> Option<pg_sys::Datum> {
        unsafe {
            let is_null = pgrx::pg_arg_is_null(*self, number);
            (!is_null).then(|| pgrx::pg_getarg_datum_raw(*self, number))
        }
    }
}

// SAFETY: the types are those of the statement that returned the row.
unsafe impl<const N: usize> Values for [Option<pg_sys::Datum>; N] {
    #[inline]
    unsafe fn value(&self, number: usize) -> Option<pg_sys::Datum> {
        self[number]
    }
}

/// The bytes of a `text`, `bytea` or `numeric`.
///
/// # Safety
/// The value must be of one of these types.
pub(crate) unsafe fn bytes<'a>(values: impl Values, number: usize) -> Option<&'a [u8]> {
    unsafe {
        let stored: *mut pg_sys::varlena = values.value(number)?.cast_mut_ptr();
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

/// A `uuid`.
///
/// # Safety
/// The value must be a `uuid`.
pub(crate) unsafe fn uuid(values: impl Values, number: usize) -> Option<[u8; 16]> {
    unsafe {
        let datum = values.value(number)?;
        Some(datum.cast_mut_ptr::<[u8; 16]>().read_unaligned())
    }
}

/// A value that is its datum: `timestamptz`, `bigint`, `integer`, `boolean`, or the bits of a
/// `double precision`.
///
/// # Safety
/// The value must be of one of these types.
pub(crate) unsafe fn word(values: impl Values, number: usize) -> Option<usize> {
    Some(unsafe { values.value(number) }?.value())
}

/// A `timestamptz` or `bigint`.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn int8(values: impl Values, number: usize) -> Option<i64> {
    unsafe { word(values, number) }.map(|word| word as i64)
}

/// An `integer`.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn int4(values: impl Values, number: usize) -> Option<i32> {
    unsafe { word(values, number) }.map(|word| word as i32)
}

/// Whether a `boolean` is true; NULL is not.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn is_true(values: impl Values, number: usize) -> bool {
    unsafe { word(values, number) }.is_some_and(|word| word & 0xff != 0)
}

/// A `double precision`, NaN for NULL: the core takes both for unknown.
///
/// # Safety
/// As for [`word`].
pub(crate) unsafe fn float8(values: impl Values, number: usize) -> f64 {
    unsafe { word(values, number) }.map_or(f64::NAN, |word| f64::from_bits(word as u64))
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
