//! Runs the statements. Their texts and plans are kept for the backend's life, until a table
//! changes.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::OwnedPreparedStatement;

use super::{Kind, Scored, deals, relationships};
use crate::crm::Crm;
use crate::error::Result;

/// Advisory locks of a refresh are taken in this class, one a user.
const LOCK_SEED: i64 = 0x6372_6d5f_6865_616c;

thread_local! {
    static DUE: RefCell<HashMap<Kind, (u64, OwnedPreparedStatement)>> = RefCell::new(HashMap::new());
    static COMPUTE: RefCell<HashMap<(Kind, bool), (u64, String)>> = RefCell::new(HashMap::new());
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
            if kept
                .get(&kind)
                .is_none_or(|(generation, _)| *generation != crm.generation)
            {
                let text = match kind {
                    Kind::Deals => deals::due(crm)?,
                    Kind::Relationships => relationships::due(crm)?,
                };
                let types = [
                    PgOid::from(pg_sys::UUIDARRAYOID),
                    PgOid::from(pg_sys::TIMESTAMPTZOID),
                ];
                let plan = client.prepare(text.as_str(), &types)?.keep();
                kept.insert(kind, (crm.generation, plan));
            }
            let (_, plan) = &kept[&kind];
            let rows = client.select(plan, None, &[users.to_vec().into(), oldest_fresh.into()])?;
            let mut targets = Vec::with_capacity(rows.len());
            for row in rows {
                targets.push(Scored {
                    user: row.get(1)?.expect("every target has its user"),
                    id: row.get(2)?,
                    company: row.get(3)?,
                    score_id: row.get(4)?,
                    score: row.get(5)?,
                    status: row.get(6)?,
                    ghost_risk: row.get(7)?,
                    fresh: row.get(8)?.unwrap_or(false),
                });
            }
            Ok(targets)
        })
    })
}

/// Keeps other refreshes of these users out until the transaction ends. Everyone takes the locks
/// in the same order, so that two calls wait for each other and never in a circle.
pub(super) fn lock(users: &[Uuid]) -> Result<()> {
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
        for row in client.update(text.as_str(), None, &arguments)? {
            let ordinal: i64 = row.get(1)?.expect("every score has its target");
            let target = &mut stale[ordinal as usize - 1];
            target.score = row.get(2)?;
            target.status = row.get(3)?;
        }
        Ok(())
    })
}

fn statement(kind: Kind, crm: &Crm, calibrated: bool) -> Result<String> {
    COMPUTE.with_borrow_mut(|kept| {
        if let Some((generation, text)) = kept.get(&(kind, calibrated))
            && *generation == crm.generation
        {
            return Ok(text.clone());
        }
        let text = match kind {
            Kind::Deals => deals::compute(crm)?,
            Kind::Relationships => relationships::compute(crm, calibrated)?,
        };
        kept.insert((kind, calibrated), (crm.generation, text.clone()));
        Ok(text)
    })
}
