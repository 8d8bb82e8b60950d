//! Runs the statements. Their texts and plans are kept for the backend's life, until a table
//! changes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::OwnedPreparedStatement;

use super::{Kind, Scored, deals, relationships};
use crate::crm::Crm;
use crate::error::Result;
use crate::raw::{each_row, value};

/// Advisory locks of a refresh are taken in this class, one a user.
const LOCK_SEED: i64 = 0x6372_6d5f_6865_616c;

/// What a statement is for: one user or many (or which ghost model), and which part of the CRM.
type Purpose = (Kind, bool, i64);

/// What was made for a purpose, in which generation of the catalog.
type Kept<T> = RefCell<HashMap<Purpose, (u64, T)>>;

thread_local! {
    static CAN_COMPUTE_USERS: Cell<bool> = const { Cell::new(false) };
    static DUE: Kept<OwnedPreparedStatement> = RefCell::new(HashMap::new());
    static COMPUTE: Kept<String> = RefCell::new(HashMap::new());
}

/// The targets of the users, with the scores they have.
pub(super) fn due(
    kind: Kind,
    crm: &Crm,
    users: &[Uuid],
    oldest_fresh: TimestampWithTimeZone,
) -> Result<Vec<Scored>> {
    Spi::connect(|client| {
        DUE.with_borrow_mut(|kept| {
            // One user is asked for so often that her plan is made apart: it is one for any user,
            // and need not be made again at each call.
            let one = users.len() == 1;
            let key = (kind, one, crm.part);
            if kept
                .get(&key)
                .is_none_or(|(generation, _)| *generation != crm.generation)
            {
                let (compare, id_type) = if one {
                    ("= $1", pg_sys::UUIDOID)
                } else {
                    ("= ANY ($1)", pg_sys::UUIDARRAYOID)
                };
                let text = match kind {
                    Kind::Deals => deals::due(crm, compare)?,
                    Kind::Relationships => relationships::due(crm, compare)?,
                };
                let types = [PgOid::from(id_type), PgOid::from(pg_sys::TIMESTAMPTZOID)];
                let plan = client.prepare(text.as_str(), &types)?.keep();
                kept.insert(key, (crm.generation, plan));
            }
            let (_, plan) = &kept[&key];
            let ids = if one {
                users[0].into()
            } else {
                users.to_vec().into()
            };
            let rows = client.select(plan, None, &[ids, oldest_fresh.into()])?;
            let mut targets = Vec::with_capacity(rows.len());
            // SAFETY: the statement has just run; its columns are these, in this order.
            unsafe { each_row(|row| targets.push(target(row))) };
            Ok(targets)
        })
    })
}

/// # Safety
/// The row must be one of the statement that finds the targets.
pub(crate) unsafe fn target(row: [Option<pg_sys::Datum>; 8]) -> Scored {
    let [
        user,
        id,
        company,
        score_id,
        score,
        status,
        ghost_risk,
        fresh,
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
        }
    }
}

/// Keeps other refreshes of these users out until the transaction ends. Everyone takes the locks
/// in the same order, so that two calls wait for each other and never in a circle.
pub(crate) fn lock(users: &[Uuid]) -> Result<()> {
    Spi::connect_mut(|client| {
        client.update(
            "SELECT pg_advisory_xact_lock(k.key) FROM (
               SELECT DISTINCT hashtextextended(u::text, $2) AS key FROM unnest($1) u ORDER BY 1
             ) k",
            None,
            &[users.to_vec().into(), LOCK_SEED.into()],
        )?;
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
    let stale: Vec<&mut Scored> = targets.iter_mut().filter(|target| !target.fresh).collect();
    let column = |get: fn(&Scored) -> Option<Uuid>| -> Vec<Option<Uuid>> {
        stale.iter().map(|target| get(target)).collect()
    };
    let arguments = [
        column(|target| Some(target.user)).into(),
        column(|target| target.id).into(),
        column(|target| target.company).into(),
        as_of.into(),
        column(|target| target.score_id).into(),
        stale
            .iter()
            .map(|target| target.score)
            .collect::<Vec<_>>()
            .into(),
        stale
            .iter()
            .map(|target| target.status.clone())
            .collect::<Vec<_>>()
            .into(),
        stale
            .iter()
            .map(|target| target.ghost_risk)
            .collect::<Vec<_>>()
            .into(),
        JsonB(config.clone()).into(),
    ];
    let text = statement(kind, crm, super::is_calibrated(config))?;
    let mut stale = stale;
    Spi::connect_mut(|client| {
        client.update(text.as_str(), None, &arguments)?;
        // SAFETY: the statement has just run; its columns are an ordinal, a score and a status.
        unsafe {
            each_row(|[ordinal, score, status]| {
                let ordinal: i64 = value(ordinal).expect("every score has its target");
                let target = &mut stale[ordinal as usize - 1];
                target.score = value(score);
                target.status = value(status);
            });
        }
        Ok(())
    })
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

fn statement(kind: Kind, crm: &Crm, calibrated: bool) -> Result<String> {
    COMPUTE.with_borrow_mut(|kept| {
        if let Some((generation, text)) = kept.get(&(kind, calibrated, crm.part))
            && *generation == crm.generation
        {
            return Ok(text.clone());
        }
        let text = match kind {
            Kind::Deals => deals::compute(crm)?,
            Kind::Relationships => relationships::compute(crm, calibrated)?,
        };
        kept.insert((kind, calibrated, crm.part), (crm.generation, text.clone()));
        Ok(text)
    })
}
