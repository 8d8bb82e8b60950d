//! Statements that are prepared once, run often, and whose rows are read where SPI left them.
//!
//! pgrx takes a new snapshot for each statement of a transaction that has written. These take the one
//! that is asked for, so that statements which belong together see the same rows.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CString;
use std::hash::Hash;
use std::rc::Rc;
use std::thread::LocalKey;

use pgrx::{PgMemoryContexts, pg_sys};

use crate::error::Result;
use crate::raw::rows_of;

/// A statement that is prepared at its first use, and stays so as long as it is kept. Its parameters are known by
/// their place.
pub(crate) struct Statement {
    text: CString,
    types: Vec<pg_sys::Oid>,
    plan: Cell<pg_sys::SPIPlanPtr>,
}

impl Statement {
    pub(crate) fn new(text: &str, types: &[pg_sys::Oid]) -> Self {
        Self {
            text: CString::new(text).expect("no statement has a zero byte"),
            types: types.to_vec(),
            plan: Cell::new(std::ptr::null_mut()),
        }
    }

    /// # Safety
    /// SPI must be connected. A statement that cannot be prepared is an error of PostgreSQL's.
    unsafe fn plan(&self) -> pg_sys::SPIPlanPtr {
        if self.plan.get().is_null() {
            let mut types = self.types.clone();
            // SAFETY: the text and the types outlive the call.
            unsafe {
                let count = types.len() as i32;
                let plan = pg_sys::SPI_prepare(self.text.as_ptr(), count, types.as_mut_ptr());
                assert!(!plan.is_null(), "SPI_prepare");
                assert_eq!(pg_sys::SPI_keepplan(plan), 0, "SPI_keepplan");
                self.plan.set(plan);
            }
        }
        self.plan.get()
    }

    /// Reads rows by the [`Snapshot`] in force.
    ///
    /// # Safety
    /// SPI must be connected, and the values be of the types that the statement was prepared for. The rows
    /// live until it is disconnected.
    pub(crate) unsafe fn read(&self, values: &[Option<pg_sys::Datum>]) -> Rows {
        unsafe {
            self.execute(values, true);
            Rows {
                table: pg_sys::SPI_tuptable,
            }
        }
    }

    /// Writes, by a snapshot of its own, and returns how many rows.
    ///
    /// # Safety
    /// As above.
    pub(crate) unsafe fn write(&self, values: &[Option<pg_sys::Datum>]) -> u64 {
        unsafe {
            self.execute(values, false);
            pg_sys::SPI_processed
        }
    }

    /// Writes, by a snapshot of its own, and returns rows.
    ///
    /// # Safety
    /// As above.
    pub(crate) unsafe fn write_returning(&self, values: &[Option<pg_sys::Datum>]) -> Rows {
        unsafe {
            self.execute(values, false);
            Rows {
                table: pg_sys::SPI_tuptable,
            }
        }
    }

    /// Reads rows one after another, as they come out of the plan and before anything is copied, by the
    /// [`Snapshot`] in force, until `read` returns false. What `read` allocates is freed after each row.
    ///
    /// # Safety
    /// As above; the statement must return `N` columns.
    pub(crate) unsafe fn stream<const N: usize>(
        &self,
        values: &[Option<pg_sys::Datum>],
        mut read: impl FnMut([Option<pg_sys::Datum>; N]) -> bool,
    ) {
        let context = PgMemoryContexts::new("crm_health row");
        let mut receiver = Receiver::<N> {
            base: pg_sys::DestReceiver {
                receiveSlot: Some(receive::<N>),
                rStartup: Some(start),
                rShutdown: Some(end),
                rDestroy: Some(end),
                mydest: pg_sys::CommandDest::DestNone,
            },
            read: &mut read,
            context: context.value(),
        };
        // SAFETY: the receiver and the parameters outlive the execution.
        unsafe {
            let parameters = pg_sys::makeParamList(values.len() as i32);
            let list = (*parameters).params.as_mut_slice(values.len());
            for ((parameter, value), of_type) in list.iter_mut().zip(values).zip(&self.types) {
                parameter.value = value.unwrap_or(pg_sys::Datum::null());
                parameter.isnull = value.is_none();
                parameter.pflags = pg_sys::PARAM_FLAG_CONST as u16;
                parameter.ptype = *of_type;
            }
            let options = pg_sys::SPIExecuteOptions {
                params: parameters,
                read_only: true,
                dest: (&raw mut receiver).cast(),
                ..Default::default()
            };
            let code = pg_sys::SPI_execute_plan_extended(self.plan(), &options);
            assert!(code >= 0, "SPI_execute_plan_extended: {code}");
        }
    }

    unsafe fn execute(&self, values: &[Option<pg_sys::Datum>], read_only: bool) {
        let nulls: Vec<std::ffi::c_char> = values
            .iter()
            .map(|value| if value.is_some() { b' ' } else { b'n' } as std::ffi::c_char)
            .collect();
        let mut values: Vec<pg_sys::Datum> = values
            .iter()
            .map(|value| value.unwrap_or(pg_sys::Datum::null()))
            .collect();
        // SAFETY: as the caller promises; the arrays are as long as the statement has parameters.
        let code = unsafe {
            pg_sys::SPI_execute_plan(
                self.plan(),
                values.as_mut_ptr(),
                nulls.as_ptr(),
                read_only,
                0,
            )
        };
        assert!(code >= 0, "SPI_execute_plan: {code}");
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        let plan = self.plan.get();
        if !plan.is_null() {
            // SAFETY: it was kept by SPI_keepplan, and nobody else has it.
            unsafe { pg_sys::SPI_freeplan(plan) };
        }
    }
}

/// Things that were made of the CRM as a generation of the catalog had it, by what they are for.
pub(crate) type Kept<K, T> = RefCell<HashMap<K, (u64, Rc<T>)>>;

/// What is kept for a purpose, made where there is none of this generation yet.
pub(crate) fn kept<K: Copy + Eq + Hash, T>(
    all: &'static LocalKey<Kept<K, T>>,
    purpose: K,
    generation: u64,
    make: impl FnOnce() -> Result<T>,
) -> Result<Rc<T>> {
    let known = all.with_borrow(|all| {
        let (of, known) = all.get(&purpose)?;
        (*of == generation).then(|| Rc::clone(known))
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let made = Rc::new(make()?);
    all.with_borrow_mut(|all| all.insert(purpose, (generation, Rc::clone(&made))));
    Ok(made)
}

thread_local! {
    static OF_OUR_OWN: RefCell<HashMap<&'static str, Rc<Statement>>> = RefCell::default();
}

/// A statement about tables of the extension alone.
pub(crate) fn of_our_own(text: &'static str, types: &[pg_sys::Oid]) -> Rc<Statement> {
    let known = OF_OUR_OWN.with_borrow(|all| all.get(text).map(Rc::clone));
    known.unwrap_or_else(|| {
        let made = Rc::new(Statement::new(text, types));
        OF_OUR_OWN.with_borrow_mut(|all| all.insert(text, Rc::clone(&made)));
        made
    })
}

/// What takes the rows of a statement. PostgreSQL knows the first field alone.
#[repr(C)]
struct Receiver<'a, const N: usize> {
    base: pg_sys::DestReceiver,
    read: &'a mut dyn FnMut([Option<pg_sys::Datum>; N]) -> bool,
    context: pg_sys::MemoryContext,
}

unsafe extern "C-unwind" fn receive<const N: usize>(
    slot: *mut pg_sys::TupleTableSlot,
    receiver: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: the executor hands over a slot with a row, and the receiver that it was given.
    unsafe {
        pg_sys::panic::pgrx_extern_c_guard(|| {
            if ((*slot).tts_nvalid as usize) < N {
                pg_sys::slot_getsomeattrs_int(slot, N as i32);
            }
            let receiver = &mut *receiver.cast::<Receiver<'_, N>>();
            let before = pg_sys::MemoryContextSwitchTo(receiver.context);
            let goes_on = (receiver.read)(std::array::from_fn(|column| {
                let is_null = *(*slot).tts_isnull.add(column);
                (!is_null).then(|| *(*slot).tts_values.add(column))
            }));
            pg_sys::MemoryContextSwitchTo(before);
            pg_sys::MemoryContextReset(receiver.context);
            goes_on
        })
    }
}

unsafe extern "C-unwind" fn start(
    _receiver: *mut pg_sys::DestReceiver,
    _operation: i32,
    _descriptor: pg_sys::TupleDesc,
) {
}

unsafe extern "C-unwind" fn end(_receiver: *mut pg_sys::DestReceiver) {}

/// What a statement returned.
pub(crate) struct Rows {
    table: *mut pg_sys::SPITupleTable,
}

impl Rows {
    /// Each row, taken apart.
    ///
    /// # Safety
    /// The statement must return `N` columns, and SPI still be connected.
    pub(crate) unsafe fn each<const N: usize>(&self, read: impl FnMut([Option<pg_sys::Datum>; N])) {
        unsafe { rows_of(self.table, read) };
    }

    /// The one row of a statement that returns one.
    ///
    /// # Safety
    /// As above.
    pub(crate) unsafe fn one<const N: usize>(&self) -> [Option<pg_sys::Datum>; N] {
        let mut found = [None; N];
        unsafe { self.each(|row| found = row) };
        found
    }
}

/// Keeps one snapshot in force, the newest one when it is made, until it is dropped: what it sees is not
/// removed from the tables as long. When a statement fails, PostgreSQL itself lets go of it.
pub(crate) struct Snapshot;

impl Snapshot {
    pub(crate) fn newest() -> Self {
        // SAFETY: what this transaction wrote before is made visible, then the snapshot is pushed, which
        // `drop` undoes.
        unsafe {
            pg_sys::CommandCounterIncrement();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
        Self
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: undoes exactly what `newest` did. While an error unwinds, the abort does it.
        if !std::thread::panicking() {
            unsafe { pg_sys::PopActiveSnapshot() };
        }
    }
}
