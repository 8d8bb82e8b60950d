//! Runs the statements. Their texts and plans are kept for the backend's life, until a table
//! changes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};

use super::{Kind, Scored, deals, relationships};
use crate::crm::Crm;
use crate::error::Result;
use crate::owner::Options;
use crate::raw::value;
use crate::statement::{Kept, Snapshot, Statement, kept, of_our_own};

/// Advisory locks of a refresh are taken in this class, one a user.
const LOCK_SEED: i64 = 0x6372_6d5f_6865_616c;

/// What a statement is for: one user or many (or which ghost model), and which part of the CRM.
type Purpose = (Kind, bool, i64);

thread_local! {
    static CAN_COMPUTE_USERS: Cell<bool> = const { Cell::new(false) };
    static DUE: Kept<Purpose, Statement> = RefCell::default();
    static FRESH: Kept<Purpose, Statement> = RefCell::default();
    static COMPUTE: Kept<Purpose, Statement> = RefCell::default();
}

/// The targets of the users, with the scores they have.
pub(super) fn due(
    kind: Kind,
    crm: &Crm,
    users: &[Uuid],
    oldest_fresh: TimestampWithTimeZone,
) -> Result<Vec<Scored>> {
    Spi::connect(|_| {
        let statement = due_statement(kind, crm, users.len() == 1, false)?;
        let ids = match users {
            [one] => one.into_datum(),
            many => many.to_vec().into_datum(),
        };
        let _snapshot = Snapshot::newest();
        let mut targets = Vec::new();
        // SAFETY: the values and the columns are those of the statement, in this order.
        unsafe {
            let rows = statement.read(&[ids, oldest_fresh.into_datum()]);
            rows.each(|row| targets.push(target(row)));
        }
        Ok(targets)
    })
}

/// Hands the targets of one user on as they are found, as id, score and status, as long as all of them are
/// fresh; companies count, and have no id to hand on. Returns how many there were, or `None` where one is
/// not fresh.
pub(super) fn fresh(
    kind: Kind,
    crm: &Crm,
    user: Uuid,
    oldest_fresh: TimestampWithTimeZone,
    mut push: impl FnMut([Option<pg_sys::Datum>; 3]),
) -> Result<Option<usize>> {
    Spi::connect(|_| {
        let statement = due_statement(kind, crm, true, true)?;
        let values = [user.into_datum(), oldest_fresh.into_datum()];
        let _snapshot = Snapshot::newest();
        let (mut count, mut all_fresh) = (0, true);
        // SAFETY: as above.
        unsafe {
            statement.stream(&values, |row: [_; 9]| {
                let [_, id, _, _, score, status, _, is_fresh, _] = row;
                all_fresh = is_fresh.is_some_and(|is_fresh| is_fresh.value() != 0);
                if all_fresh {
                    count += 1;
                    if id.is_some() {
                        push([id, score, status]);
                    }
                }
                all_fresh
            });
        }
        Ok(all_fresh.then_some(count))
    })
}

const TIME: pg_sys::Oid = pg_sys::TIMESTAMPTZOID;
/// Of what says whose targets are meant: users, or one.
const WHOSE: [pg_sys::Oid; 2] = [pg_sys::UUIDARRAYOID, pg_sys::UUIDOID];

/// One user is asked for so often that her plan is made apart: it is one for any user, and need not be made
/// again at each call.
fn due_statement(kind: Kind, crm: &Crm, one: bool, fresh_alone: bool) -> Result<Rc<Statement>> {
    let all = if fresh_alone { &FRESH } else { &DUE };
    kept(all, (kind, one, crm.part), crm.generation, || {
        let compare = if one { "= $1" } else { "= ANY ($1)" };
        let text = match kind {
            Kind::Deals => deals::due(crm, compare, fresh_alone)?,
            Kind::Relationships => relationships::due(crm, compare)?,
        };
        let types = [WHOSE[usize::from(one)], TIME];
        Ok(Statement::new(&text, &types))
    })
}

/// # Safety
/// The row must be one of the statement that finds the targets.
pub(crate) unsafe fn target(row: [Option<pg_sys::Datum>; 9]) -> Scored {
    let [
        user,
        id,
        company,
        score_id,
        score,
        status,
        ghost_risk,
        fresh,
        scored_at,
    ] = row;
    unsafe {
        Scored {
            user: value(user).expect("every target has its user"),
            id: value(id),
            company: value(company),
            score_id: value(score_id),
            score: value(score),
            status: value(status),
            ghost_risk: value(ghost_risk),
            fresh: value(fresh).unwrap_or(false),
            scored_at: value::<TimestampWithTimeZone>(scored_at).map(Into::into),
            reasons: None,
        }
    }
}

/// Keeps other refreshes of these users out until the transaction ends. Everyone takes the locks
/// in the same order, so that two calls wait for each other and never in a circle.
pub(crate) fn lock(users: &[Uuid]) -> Result<()> {
    const LOCK: &str = "SELECT pg_advisory_xact_lock(k.key) FROM (
       SELECT DISTINCT hashtextextended(u::text, $2) AS key FROM unnest($1) u ORDER BY 1
     ) k";
    Spi::connect_mut(|_| {
        let lock = of_our_own(LOCK, &[pg_sys::UUIDARRAYOID, pg_sys::INT8OID]);
        // SAFETY: the values are of these types.
        unsafe { lock.write(&[users.to_vec().into_datum(), LOCK_SEED.into_datum()]) };
        Ok(())
    })
}

/// Computes and writes the scores of those targets that are not fresh, and puts them in their
/// places.
pub(super) fn compute(
    kind: Kind,
    crm: &Crm,
    targets: &mut [Scored],
    as_of: TimestampWithTimeZone,
    config: &serde_json::Value,
) -> Result<()> {
    let stale = targets.iter_mut().filter(|target| !target.fresh);
    let mut stale: Vec<&mut Scored> = stale.collect();
    let values = [
        list(&stale, |target| Some(target.user)),
        list(&stale, |target| target.id),
        list(&stale, |target| target.company),
        as_of.into_datum(),
        list(&stale, |target| target.score_id),
        list(&stale, |target| target.score),
        list(&stale, |target| target.status.clone()),
        list(&stale, |target| target.ghost_risk),
        JsonB(config.clone()).into_datum(),
    ];
    Spi::connect_mut(|_| {
        let statement = statement(kind, crm, super::is_calibrated(config))?;
        let _plans = if stale.len() > FEW {
            Options::custom_plans()
        } else {
            Options::generic_plans()
        };
        // SAFETY: the values are those of the statement; its columns are an ordinal, a score and a status.
        unsafe {
            let rows = statement.write_returning(&values);
            rows.each(|[ordinal, score, status]| {
                let ordinal: i64 = value(ordinal).expect("every score has its target");
                let target = &mut stale[ordinal as usize - 1];
                target.score = value(score);
                target.status = value(status);
            });
        }
        Ok(())
    })
}

/// Up to so many targets one plan serves for any of them: it takes longer to make than they take to be scored.
const FEW: usize = 200;

fn list<T: IntoDatum>(targets: &[&mut Scored], get: fn(&Scored) -> T) -> Option<pg_sys::Datum>
where
    Vec<T>: IntoDatum,
{
    let values: Vec<T> = targets.iter().map(|target| get(target)).collect();
    values.into_datum()
}

/// Whether the catalog has what [`super::whole`] needs: not between the update of the package and
/// that of the extension.
pub(super) fn can_compute_users() -> Result<bool> {
    if CAN_COMPUTE_USERS.get() {
        return Ok(true);
    }
    let found: Option<bool> = Spi::connect(|client| {
        let rows = client.select(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p
               WHERE p.proname = 'scored_relationships'
                 AND p.pronamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'crm_health'))",
            Some(1),
            &[],
        )?;
        rows.first().get_one()
    })?;
    CAN_COMPUTE_USERS.set(found == Some(true));
    Ok(CAN_COMPUTE_USERS.get())
}

/// $1–$9 of the statements that compute.
const COMPUTE_TYPES: [pg_sys::Oid; 9] = [
    pg_sys::UUIDARRAYOID,
    pg_sys::UUIDARRAYOID,
    pg_sys::UUIDARRAYOID,
    TIME,
    pg_sys::UUIDARRAYOID,
    pg_sys::INT4ARRAYOID,
    pg_sys::TEXTARRAYOID,
    pg_sys::BOOLARRAYOID,
    pg_sys::JSONBOID,
];

fn statement(kind: Kind, crm: &Crm, calibrated: bool) -> Result<Rc<Statement>> {
    let purpose = (kind, calibrated, crm.part);
    kept(&COMPUTE, purpose, crm.generation, || {
        let text = match kind {
            Kind::Deals => deals::compute(crm),
            Kind::Relationships => relationships::compute(crm, calibrated),
        };
        Ok(Statement::new(&text?, &COMPUTE_TYPES))
    })
}
