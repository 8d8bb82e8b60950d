//! Which tables Citus spreads, and the shards of one user that are here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::datum::Uuid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::crm::{self, Crm, Relation};
use crate::error::{Error, Result};

/// The columns by which the tables of a user may be spread.
const KEYS: [&str; 3] = ["owner_id", "user_id", "owner_user_id"];

/// A table that Citus knows.
#[derive(Clone, Debug)]
struct Table {
    oid: pg_sys::Oid,
    /// By user; else the whole table is on every server.
    by_user: bool,
}

/// How the tables of a CRM are spread.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    tables: HashMap<&'static str, Table>,
}

impl Spread {
    /// `None` where Citus is not installed, or spreads none of these tables by user.
    pub(crate) fn read(relations: &HashMap<&'static str, Relation>) -> Result<Option<Self>> {
        let known = Spi::connect(|client| -> Result<bool> {
            let found = client.select(
                "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL",
                Some(1),
                &[],
            )?;
            Ok(found.first().get_one()?.unwrap_or(false))
        })?;
        if !known {
            return Ok(None);
        }
        let mut tables = HashMap::new();
        let mut colocated: Option<(i32, &'static str)> = None;
        for (name, relation) in relations {
            let Some((method, key, colocation)) = partitioning(relation.oid)? else {
                continue;
            };
            let by_user = method == "h";
            if by_user {
                check_key(name, relation, key.as_deref())?;
                if let Some((other, with)) = colocated.replace((colocation, name))
                    && other != colocation
                {
                    return Err(Error::NotColocated {
                        first: with.to_owned(),
                        second: (*name).to_owned(),
                    });
                }
            }
            let oid = relation.oid;
            tables.insert(*name, Table { oid, by_user });
        }
        Ok(colocated.map(|_| Self { tables }))
    }

    /// Whether every server has all of a table, or the coordinator alone.
    pub(crate) fn is_by_user(&self, name: &str) -> bool {
        self.tables.get(name).is_some_and(|table| table.by_user)
    }

    /// The table by which it is found out where a user is.
    pub(super) fn anchor(&self) -> Result<pg_sys::Oid> {
        const ANCHOR: &str = "relationship_health_scores";
        let table = self.tables.get(ANCHOR).filter(|table| table.by_user);
        table
            .map(|table| table.oid)
            .ok_or_else(|| Error::NotByUser {
                table: ANCHOR.to_owned(),
            })
    }
}

/// How Citus partitions a relation (h by hash, n not), by which column, and with which others together.
fn partitioning(relation: pg_sys::Oid) -> Result<Option<(String, Option<String>, i32)>> {
    Spi::connect(|client| {
        let rows = client.select(
            "SELECT p.partmethod::text, column_to_column_name(p.logicalrelid, p.partkey), p.colocationid
             FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = $1",
            Some(1),
            &[relation.into()],
        )?;
        if rows.is_empty() {
            return Ok(None);
        }
        let row = rows.first();
        Ok(Some((
            row.get(1)?.unwrap_or_default(),
            row.get(2)?,
            row.get(3)?.unwrap_or_default(),
        )))
    })
}

/// Any other column would have a refresh miss rows of the user, and nobody would notice.
fn check_key(name: &str, relation: &Relation, key: Option<&str>) -> Result<()> {
    // A company is the whole team's: its owner is not whose relationship with it is scored.
    if name != "companies" && key.is_some_and(|key| KEYS.contains(&key)) {
        return Ok(());
    }
    Err(Error::NotByUser {
        table: relation.qualified(),
    })
}

/// The shards of some users, as far as they are on this server.
struct Part {
    crm: Rc<Crm>,
    /// All of its shards, to be kept from moving away.
    shards: Vec<i64>,
}

thread_local! {
    /// By the shard of the anchor.
    static PARTS: RefCell<HashMap<i64, (u64, Rc<Part>)>> = RefCell::new(HashMap::new());
}

/// Whose part of the CRM is meant: one user's, or that of all users in a shard of their scores.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    User(Uuid),
    Shard(i64),
}

impl Whose {
    fn in_words(self) -> String {
        match self {
            Whose::User(user) => format!("user {user}"),
            Whose::Shard(shard) => format!("shard {shard}"),
        }
    }
}

/// That part of the CRM; its shards stay here until the transaction ends.
pub(super) fn part(whose: Whose, schema: &str) -> Result<Rc<Crm>> {
    let whole = crm::whole(schema)?;
    let Some(spread) = &whole.spread else {
        return Err(Error::NotSpread {
            schema: schema.to_owned(),
        });
    };
    let anchor = match whose {
        Whose::User(user) => shard_of(spread.anchor()?, user)?,
        Whose::Shard(shard) => shard,
    };
    let kept = PARTS.with_borrow(|parts| {
        let known = parts.get(&anchor);
        known
            .filter(|(generation, _)| *generation == whole.generation)
            .map(|(_, part)| Rc::clone(part))
    });
    let part = match kept {
        Some(part) => part,
        None => {
            let part = Rc::new(read_part(&whole, spread, anchor)?);
            PARTS.with_borrow_mut(|parts| {
                parts.insert(anchor, (whole.generation, Rc::clone(&part)))
            });
            part
        }
    };
    hold(&part.shards, whose)?;
    Ok(Rc::clone(&part.crm))
}

fn shard_of(table: pg_sys::Oid, user: Uuid) -> Result<i64> {
    Spi::connect(|client| {
        let rows = client.select(
            "SELECT pg_catalog.get_shard_id_for_distribution_column($1::regclass, $2)",
            Some(1),
            &[table.into(), user.into()],
        )?;
        Ok(rows.first().get_one()?.unwrap_or_default())
    })
}

fn read_part(whole: &Crm, spread: &Spread, anchor: i64) -> Result<Part> {
    let mut names = HashMap::new();
    let mut shards = Vec::new();
    for (name, table) in &spread.tables {
        let found: Option<(i64, String)> = Spi::connect(|client| -> Result<_> {
            let rows = client.select(
                include_str!("../../../sql/refresh/citus_shard.sql"),
                Some(1),
                &[table.oid.into(), table.by_user.into(), anchor.into()],
            )?;
            if rows.is_empty() {
                return Ok(None);
            }
            let row = rows.first();
            Ok(row.get(1)?.zip(row.get(2)?))
        })?;
        // A table that is only the coordinator's, as the profiles: nothing here reads it.
        let Some((shard, shard_name)) = found else {
            continue;
        };
        names.insert((*name).to_owned(), shard_name);
        if table.by_user {
            shards.push(shard);
        }
    }
    Ok(Part {
        crm: Rc::new(whole.part(anchor, &names)),
        shards,
    })
}

/// Keeps the shards from moving to another server until the transaction ends, and fails where they
/// already have.
fn hold(shards: &[i64], whose: Whose) -> Result<()> {
    const SHARE_LOCK: i32 = pg_sys::ShareLock as i32;
    let elsewhere = || Error::HeldElsewhere {
        whose: whose.in_words(),
    };
    if shards.is_empty() {
        return Err(elsewhere());
    }
    let here: Option<bool> = Spi::connect_mut(|client| -> Result<_> {
        client.update(
            "SELECT pg_catalog.lock_shard_metadata($1, $2)",
            None,
            &[SHARE_LOCK.into(), shards.to_vec().into()],
        )?;
        let rows = client.update(
            "SELECT count(*) = cardinality($1) FROM pg_catalog.pg_dist_placement p
             WHERE p.shardid = ANY ($1) AND p.groupid = (SELECT g.groupid FROM pg_catalog.pg_dist_local_group g)",
            None,
            &[shards.to_vec().into()],
        )?;
        Ok(rows.first().get_one()?)
    })?;
    if here == Some(true) {
        Ok(())
    } else {
        Err(elsewhere())
    }
}
