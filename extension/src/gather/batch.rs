//! `scored_relationships`: the scores that a refresh has just made, as rows for the statements that write them.
//!
//! A refresh makes its scores known here while it writes; a statement of its own reads a part of them. What
//! it needs of a score becomes a datum then, and not before.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use crm_health_scoring::config::Config;
use crm_health_scoring::relationship::{Measured, RelationshipScore};
use crm_health_scoring::silence::Assessment;
use pgrx::{IntoDatum, PgMemoryContexts, pg_getarg, pg_sys};

use super::own::{int4, uuid};
use super::streams::Sealed;
use super::targets::{ItemPointer, Owner};
use super::user::IdHasher;
use crate::datums::{self, Kept};
use crate::error::Error;
use crate::raw::{RowSink, pg_function};
use crate::score::{COLUMNS, SCORE_COLUMNS, Told, score_columns};

/// A contact or company, its score, and what it had before.
pub(crate) struct Scored {
    pub(crate) user: [u8; 16],
    pub(crate) contact: Option<[u8; 16]>,
    /// `None` for a contact, whoever it is with.
    pub(crate) company: Option<[u8; 16]>,
    /// The score's own id.
    pub(crate) score_id: [u8; 16],
    /// Whether there was none so far.
    pub(crate) is_new: bool,
    /// Where that score lies.
    pub(crate) row: Option<ItemPointer>,
    pub(crate) previous: Previous,
    /// Whether it had a score as of a later instant.
    pub(crate) looks_back: bool,
    pub(crate) deals: Option<Sums>,
    pub(crate) score: RelationshipScore,
    pub(crate) measured: Measured,
    pub(crate) silence: Option<Assessment>,
    pub(crate) sealed: Option<Sealed>,
    /// The signals as a datum, once they were asked for.
    pub(crate) kept_signals: OnceCell<Kept>,
}

/// What a score said before.
pub(crate) struct Previous {
    pub(crate) score: Option<i32>,
    pub(crate) status: Option<String>,
    pub(crate) ghost_risk: Option<bool>,
}

/// The deals of a contact or company; sums as the bytes of exact numerics.
pub(crate) struct Sums {
    pub(crate) count: i64,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) at_risk: Option<Vec<u8>>,
}

impl Scored {
    /// Whether a snapshot of it belongs into the history.
    pub(crate) fn has_changed(&self) -> bool {
        self.previous.score != Some(self.score.overall_health_score)
            || self.previous.status.as_deref() != Some(self.score.health_status.as_str())
            || self.previous.ghost_risk != Some(self.score.is_ghost_risk)
    }
}

/// Which of the scores a statement reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Those of which there was none.
    New,
    /// Those of which a snapshot is kept.
    Changed,
}

impl Part {
    const ALL: [(&'static str, Self); 2] = [("new", Self::New), ("changed", Self::Changed)];

    /// The word by which a statement asks for it.
    pub(crate) fn word(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, part)| *part == self);
        named.map_or("", |(word, _)| word)
    }
}

/// The scores of some users, while they are written.
pub(crate) struct Batch {
    pub(crate) config: Config,
    pub(crate) scored: Vec<Scored>,
    /// Indices of the scores in each part.
    parts: RefCell<[Vec<u32>; 2]>,
    /// Where the scores are that take the place of others, by id; and which was asked for last.
    by_id: HashMap<Owner, u32, BuildHasherDefault<IdHasher>>,
    last: Cell<u32>,
}

impl Batch {
    pub(crate) fn new(config: Config, scored: Vec<Scored>) -> Self {
        let renewed = (0_u32..).zip(&scored).filter(|(_, one)| !one.is_new);
        Self {
            by_id: renewed
                .map(|(place, one)| (Owner::contact(one.score_id), place))
                .collect(),
            config,
            scored,
            parts: RefCell::default(),
            last: Cell::new(0),
        }
    }

    /// Says which scores are in a part, and how many there are.
    pub(crate) fn choose(&self, part: Part, is_in: impl Fn(&Scored) -> bool) -> usize {
        let all = (0_u32..).zip(&self.scored);
        let chosen: Vec<u32> = all
            .filter(|(_, one)| is_in(one))
            .map(|(place, _)| place)
            .collect();
        let count = chosen.len();
        self.parts.borrow_mut()[part as usize] = chosen;
        count
    }

    /// The scores that take the place of others.
    pub(crate) fn renewed(&self) -> impl Iterator<Item = &Scored> {
        self.scored.iter().filter(|one| !one.is_new)
    }

    /// The one among them with this id. Many things are asked of one score after another.
    fn find(&self, id: [u8; 16]) -> Option<&Scored> {
        let last = self.scored.get(self.last.get() as usize);
        if let Some(last) = last.filter(|last| last.score_id == id && !last.is_new) {
            return Some(last);
        }
        let place = *self.by_id.get(&Owner::contact(id))?;
        self.last.set(place);
        Some(&self.scored[place as usize])
    }

    fn told<'a>(&'a self, scored: &'a Scored) -> Told<'a> {
        Told {
            measured: &scored.measured,
            score: &scored.score,
            silence: scored.silence.as_ref(),
            config: &self.config,
            rounded: datums::four_decimals,
            kept_signals: Some(&scored.kept_signals),
        }
    }
}

thread_local! {
    /// The batches under way, the innermost last: a trigger on a score may refresh someone else.
    static UNDER_WAY: RefCell<Vec<Rc<Batch>>> = const { RefCell::new(Vec::new()) };
}

/// Makes a batch known until it is dropped, also where an error does that.
pub(crate) struct UnderWay(Rc<Batch>);

impl UnderWay {
    pub(crate) fn begin(batch: Batch) -> Self {
        let batch = Rc::new(batch);
        UNDER_WAY.with_borrow_mut(|all| all.push(Rc::clone(&batch)));
        Self(batch)
    }

    pub(crate) fn batch(&self) -> &Batch {
        &self.0
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.with_borrow_mut(|all| all.retain(|one| !Rc::ptr_eq(one, &self.0)));
    }
}

/// The batch that is being written by this session.
fn with_batch<T>(read: impl FnOnce(&Batch) -> T) -> T {
    UNDER_WAY.with_borrow(|all| match all.last() {
        Some(batch) => read(batch),
        None => Error::NoRefreshUnderWay.raise(),
    })
}

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

type DealColumn = (
    &'static str,
    pg_sys::Oid,
    fn(Option<&Sums>) -> Option<pg_sys::Datum>,
);

/// The columns that are made of deals.
const DEAL_COLUMNS: [DealColumn; 3] = [
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

/// Columns of a row before those of the score.
const OWN_COLUMNS: usize = 11;
const ROW: usize = OWN_COLUMNS + SCORE_COLUMNS;

type Values<const N: usize> = [Option<pg_sys::Datum>; N];

pg_function! {
    /// `crm_health.scored_relationships(part)`
    fn scored_relationships(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the argument is declared `text`.
        let word = unsafe { pg_getarg::<&str>(fcinfo, 0) };
        let known = Part::ALL.iter().find(|(known, _)| word == Some(*known));
        let Some((_, part)) = known else {
            Error::NoRefreshUnderWay.raise();
        };
        let mut context = PgMemoryContexts::new("crm_health score");
        with_batch(|batch| {
            for place in &batch.parts.borrow()[*part as usize] {
                // SAFETY: a row is copied into the sink before what it was made of is freed.
                unsafe {
                    context.reset();
                    context.switch_to(|_| sink.push(row(batch, &batch.scored[*place as usize])));
                }
            }
        });
        pg_sys::Datum::null()
    }
}

fn row(batch: &Batch, scored: &Scored) -> Values<ROW> {
    let mut row = [None; ROW];
    row[..OWN_COLUMNS].copy_from_slice(&own_columns(scored));
    row[OWN_COLUMNS..].copy_from_slice(&score_columns(&batch.told(scored)));
    row
}

fn own_columns(scored: &Scored) -> Values<OWN_COLUMNS> {
    let [count, value, at_risk] = DEAL_COLUMNS.map(|(_, _, value)| value(scored.deals.as_ref()));
    [
        Some(datums::by_reference(&scored.user)),
        scored.contact.as_ref().map(datums::by_reference),
        scored.company.as_ref().map(datums::by_reference),
        Some(datums::by_reference(&scored.score_id)),
        scored.is_new.into_datum(),
        scored.previous.score.into_datum(),
        scored.previous.status.as_deref().into_datum(),
        scored.previous.ghost_risk.into_datum(),
        count,
        value,
        at_risk,
    ]
}
