//! Functions that PostgreSQL calls by its own convention.
//!
//! `#[pg_extern]` covers most functions. These few run once a row (aggregates, scores) or return
//! many rows, and there its conversions would cost more than the work.

use pgrx::pg_sys;

/// Declares a raw function and the record by which PostgreSQL knows its calling convention.
macro_rules! pg_function {
    ($(#[$doc:meta])* fn $name:ident($fcinfo:ident) $body:block) => {
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($name)))]
            extern "C" fn finfo() -> &'static pgrx::pg_sys::Pg_finfo_record {
                const V1: pgrx::pg_sys::Pg_finfo_record =
                    pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
                &V1
            }
        };

        $(#[$doc])*
        #[unsafe(no_mangle)]
        extern "C-unwind" fn $name(
            call: pgrx::pg_sys::FunctionCallInfo,
        ) -> pgrx::pg_sys::Datum {
            fn body($fcinfo: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum $body
            // SAFETY: PostgreSQL calls us; the guard turns a panic into its error and back.
            unsafe { pgrx::pg_sys::panic::pgrx_extern_c_guard(|| body(call)) }
        }
    };
}
pub(crate) use pg_function;

/// Collects the rows of a set-returning function in the caller's tuplestore.
pub(crate) struct RowSink {
    store: *mut pg_sys::Tuplestorestate,
    descriptor: pg_sys::TupleDesc,
}

impl RowSink {
    /// Prepares the result of the call. The function must be called where a set is accepted.
    pub(crate) fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: `fcinfo` is the call in progress; `resultinfo` is checked before it is read.
        unsafe {
            let result = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            if result.is_null()
                || (*result).type_ != pg_sys::NodeTag::T_ReturnSetInfo
                || (*result).allowedModes as u32 & pg_sys::SetFunctionReturnMode::SFRM_Materialize
                    == 0
            {
                pgrx::ereport!(
                    ERROR,
                    pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                    "set-valued function called in context that cannot accept a set",
                    "call it in FROM: SELECT * FROM …"
                );
            }
            let old = pg_sys::MemoryContextSwitchTo((*(*result).econtext).ecxt_per_query_memory);
            let descriptor = pg_sys::CreateTupleDescCopy((*result).expectedDesc);
            let random = (*result).allowedModes as u32
                & pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random
                != 0;
            let store = pg_sys::tuplestore_begin_heap(random, false, pg_sys::work_mem);
            pg_sys::MemoryContextSwitchTo(old);
            (*result).returnMode = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
            (*result).setResult = store;
            (*result).setDesc = descriptor;
            RowSink { store, descriptor }
        }
    }

    /// Adds a row: one datum or NULL for each column of the result.
    pub(crate) fn push<const N: usize>(&mut self, row: [Option<pg_sys::Datum>; N]) {
        let mut nulls = row.map(|value| value.is_none());
        let mut values = row.map(|value| value.unwrap_or(pg_sys::Datum::null()));
        // SAFETY: the store and its descriptor live as long as the call; the lengths are checked.
        unsafe {
            assert_eq!(
                (*self.descriptor).natts as usize,
                N,
                "columns of the result"
            );
            pg_sys::tuplestore_putvalues(
                self.store,
                self.descriptor,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
        }
    }
}

impl RowSink {
    /// Takes all rows back.
    pub(crate) fn clear(&mut self) {
        // SAFETY: the store lives as long as the call.
        unsafe { pg_sys::tuplestore_clear(self.store) };
    }

    /// Adds a row that came from another server as the texts of its values.
    pub(crate) fn push_texts(&mut self, row: &[Option<String>]) {
        // SAFETY: the descriptor lives as long as the call, and is copied; each type reads its own
        // text, or fails.
        unsafe {
            let columns = pgrx::PgTupleDesc::from_pg_copy(self.descriptor);
            assert_eq!(columns.len(), row.len(), "columns of the result");
            let (mut values, mut nulls) = (
                vec![pg_sys::Datum::null(); row.len()],
                vec![true; row.len()],
            );
            for (place, (column, text)) in columns.iter().zip(row).enumerate() {
                let Some(text) = text else { continue };
                let text = std::ffi::CString::new(text.as_str())
                    .expect("no text of PostgreSQL has a zero byte");
                let (mut input, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
                pg_sys::getTypeInputInfo(column.atttypid, &mut input, &mut parameter);
                values[place] = pg_sys::OidInputFunctionCall(
                    input,
                    text.as_ptr().cast_mut(),
                    parameter,
                    column.atttypmod,
                );
                nulls[place] = false;
            }
            pg_sys::tuplestore_putvalues(
                self.store,
                self.descriptor,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
        }
    }
}

/// The rows of the statement that SPI has just run, each taken apart once. Asking for one column
/// after another, as pgrx does, walks each row as often as it has columns.
///
/// # Safety
/// A statement must just have run in an open SPI connection and returned `N` columns.
pub(crate) unsafe fn each_row<const N: usize>(read: impl FnMut([Option<pg_sys::Datum>; N])) {
    unsafe { rows_of(pg_sys::SPI_tuptable, read) };
}

/// The rows of a statement that SPI has run before.
///
/// # Safety
/// The table must be SPI's, of a connection that is still open, and have `N` columns.
pub(crate) unsafe fn rows_of<const N: usize>(
    table: *mut pg_sys::SPITupleTable,
    mut read: impl FnMut([Option<pg_sys::Datum>; N]),
) {
    unsafe {
        assert!(!table.is_null(), "the statement returned rows");
        assert_eq!((*(*table).tupdesc).natts as usize, N, "columns of the rows");
        let mut values = [pg_sys::Datum::null(); N];
        let mut nulls = [false; N];
        for row in 0..(*table).numvals as usize {
            pg_sys::heap_deform_tuple(
                *(*table).vals.add(row),
                (*table).tupdesc,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
            read(std::array::from_fn(|column| {
                (!nulls[column]).then_some(values[column])
            }));
        }
    }
}

/// A datum of such a row as what it is.
///
/// # Safety
/// The datum must be of this type.
pub(crate) unsafe fn value<T: pgrx::FromDatum>(datum: Option<pg_sys::Datum>) -> Option<T> {
    datum.and_then(|datum| unsafe { T::from_datum(datum, false) })
}
