//! `scored_relationships`: the scores that a refresh has just made, as rows for the statements that write them.
//!
//! A refresh makes its scores known here while it writes; a statement of its own reads a part of them. What
//! it needs of a score becomes a datum then, and not before.

mod value;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use value::DEAL_COLUMNS;
pub(crate) use value::{expression, same_as_row};

use crm_health_scoring::config::Config;
use crm_health_scoring::relationship::{Measured, RelationshipScore};
use crm_health_scoring::silence::Assessment;
use pgrx::{IntoDatum, PgMemoryContexts, pg_getarg, pg_sys};

use super::streams::Sealed;
use super::targets::{ItemPointer, Owner};
use super::user::IdHasher;
use crate::datums::{self, Kept};
use crate::error::Error;
use crate::raw::{RowSink, pg_function};
use crate::score::{SCORE_COLUMNS, Told, score_columns};

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
    /// Why it is what it is, where somebody is to be told.
    pub(crate) reasons: Option<Vec<String>>,
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
