//! Reads the catalog once, and again after any table has changed.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys;
use pgrx::prelude::*;
use pgrx::spi::quote_identifier;

use super::columns::{Role, TABLES, Table};
use super::relation::Relation;
use super::watch;
use crate::citus::{self, Spread};
use crate::error::{Error, Result};
use crate::owner::{AsOwner, Options};

/// The CRM of one schema, as it was when the catalog was read.
#[derive(Clone, Debug)]
pub(crate) struct Crm {
    schema: String,
    relations: HashMap<&'static str, Relation>,
    /// Sources that are read as something else than they are: see [`Crm::read_as`].
    readings: HashMap<&'static str, String>,
    /// Whether numerics become doubles by a function of ours: see [`Crm::with_quick_doubles`].
    quick_doubles: bool,
    /// Counts up with each reading: what was derived from an older one is stale.
    pub(crate) generation: u64,
    /// How Citus spreads the tables, where it does.
    pub(crate) spread: Option<Rc<Spread>>,
    /// Which part of the tables this is: 0 for all of them, else the shard of the scores of the users in it.
    pub(crate) part: i64,
}

thread_local! {
    static CACHED: RefCell<Option<Rc<Crm>>> = const { RefCell::new(None) };
    static GENERATION: Cell<u64> = const { Cell::new(0) };
}

/// The CRM of the schema, or in a call that came from a coordinator the part of it that the call is about.
/// Cheap while no table changes.
pub(crate) fn current(schema: &str) -> Result<Rc<Crm>> {
    match citus::crm() {
        Some(part) => Ok(part),
        None => whole(schema),
    }
}

/// The CRM of the schema. Cheap while none of its tables changes, and what was made of it serves on where
/// one has changed in nothing that counts.
pub(crate) fn whole(schema: &str) -> Result<Rc<Crm>> {
    watch::begin();
    // Taken out, so that a reading that fails leaves none that is old.
    let cached = CACHED.take();
    let is_ours = |id| {
        let mut relations = cached.iter().flat_map(|crm| crm.relations.values());
        relations.any(|relation| relation.oid == id)
    };
    let is_named = |name: &str| TABLES.iter().any(|table| table.name == name);
    let is_stale = watch::concerns(is_ours, is_named);
    let crm = match cached.filter(|crm| crm.schema == schema) {
        Some(crm) if !is_stale => crm,
        cached => {
            let read = Crm::read(schema, GENERATION.get() + 1)?;
            cached.filter(|crm| crm.is_as(&read)).unwrap_or_else(|| {
                GENERATION.set(read.generation);
                Rc::new(read)
            })
        }
    };
    CACHED.set(Some(Rc::clone(&crm)));
    Ok(crm)
}

impl Crm {
    /// Whether everything that statements are made by is the same. How Citus spreads tables is not compared.
    fn is_as(&self, other: &Self) -> bool {
        let spread = self.spread.is_some() || other.spread.is_some();
        !spread && self.schema == other.schema && self.relations == other.relations
    }

    fn read(schema: &str, generation: u64) -> Result<Self> {
        let _names = Options::plain_names();
        let mut relations = HashMap::new();
        Spi::connect(|client| -> Result<()> {
            let known = client.select(
                "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1",
                Some(1),
                &[schema.into()],
            )?;
            if known.is_empty() {
                return Err(Error::SchemaMissing {
                    schema: schema.to_owned(),
                });
            }
            let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
            let rows = client.select(
                include_str!("../../../sql/refresh/catalog.sql"),
                None,
                &[schema.into(), names.into()],
            )?;
            for row in rows {
                let name: String = row.get(2)?.unwrap_or_default();
                let Some(table) = TABLES.iter().find(|table| table.name == name) else {
                    continue;
                };
                let found_in: String = row.get(1)?.unwrap_or_default();
                let writes = matches!(table.role, Role::Score | Role::History);
                if found_in != schema && !writes {
                    continue;
                }
                let relation = Relation {
                    schema: found_in,
                    name,
                    kind: row.get(3)?.unwrap_or_default(),
                    owner: row.get(4)?.unwrap_or(pg_sys::InvalidOid),
                    columns: row
                        .get::<Vec<String>>(5)?
                        .unwrap_or_default()
                        .into_iter()
                        .zip(row.get::<Vec<String>>(6)?.unwrap_or_default())
                        .collect(),
                    keeps_history: row.get(7)?.unwrap_or_default(),
                    oid: row.get(8)?.unwrap_or(pg_sys::InvalidOid),
                    generated: row.get(9)?.unwrap_or_default(),
                    equipment: row.get(10)?.unwrap_or_default(),
                };
                // The CRM's own schema comes first; `public` serves where it has no score tables.
                relations.entry(table.name).or_insert(relation);
            }
            Ok(())
        })?;
        let spread = Spread::read(&relations)?.map(Rc::new);
        Ok(Self {
            schema: schema.to_owned(),
            relations,
            readings: HashMap::new(),
            quick_doubles: false,
            generation,
            spread,
            part: 0,
        })
    }

    /// The part of this CRM that is in these shards: table → the shard's name, in the table's schema.
    pub(crate) fn part(&self, part: i64, shards: &HashMap<String, String>) -> Self {
        let mut crm = self.clone();
        for (name, relation) in &mut crm.relations {
            if let Some(shard) = shards.get(*name) {
                relation.name.clone_from(shard);
            }
        }
        crm.part = part;
        crm
    }

    /// Has the owner of the scores do what follows. Where Citus spreads the tables the statements of a
    /// coordinator are sent to other servers, which let in the owner of the extension alone: those read
    /// plain tables and no more.
    pub(crate) fn as_owner(&self, owner: pg_sys::Oid) -> Option<AsOwner> {
        (!self.is_spread()).then(|| AsOwner::enter(owner))
    }

    /// Whether the rows of a table are this server's to change. Where Citus spreads the tables, those of a
    /// user are the server's that holds the user, and all others the coordinator's.
    pub(crate) fn is_kept_here(&self, name: &str) -> bool {
        self.spread
            .as_ref()
            .is_none_or(|spread| spread.is_by_user(name) != self.is_spread())
    }

    /// Fails where the tables are spread.
    pub(crate) fn on_one_server(&self, what: &'static str) -> Result<()> {
        if self.is_spread() {
            return Err(Error::OneServerOnly { what });
        }
        Ok(())
    }

    /// Whether its tables are spread over several servers, and this is not the part of one of them.
    pub(crate) fn is_spread(&self) -> bool {
        self.spread.is_some() && self.part == 0
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Relation> {
        self.relations.get(name)
    }

    /// A subquery over the source of this name: every known column, NULL where it is missing.
    pub(crate) fn source(&self, name: &str) -> Result<String> {
        if let Some(reading) = self.readings.get(name) {
            return Ok(reading.clone());
        }
        let table = table(name);
        let Some(relation) = self.find(name) else {
            return match table.role {
                Role::Source => Err(self.missing(name)),
                _ => Ok(empty(table)),
            };
        };
        let columns = table
            .columns
            .iter()
            .map(|column| {
                let name = quote_identifier(column.name);
                if let Some(found) = relation.columns.get(column.name) {
                    let is_numeric = found.starts_with("numeric") && column.sql_type == "float8";
                    if is_numeric && self.quick_doubles {
                        Ok(format!("crm_health.float8_of(r.{name}) AS {name}"))
                    } else {
                        Ok(format!("r.{name}::{} AS {name}", column.sql_type))
                    }
                } else if column.required {
                    Err(self.column_missing(relation, column.name))
                } else {
                    Ok(format!("NULL::{} AS {name}", column.sql_type))
                }
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(format!(
            "(SELECT {} FROM {} r)",
            columns.join(", "),
            relation.qualified()
        ))
    }

    /// This CRM, with numerics that are read as doubles converted without the way by text, in a tenth of the
    /// time. For statements that the catalog of an earlier version need not understand.
    pub(crate) fn with_quick_doubles(&self) -> Self {
        Self {
            quick_doubles: true,
            ..self.clone()
        }
    }

    /// This CRM, with a source read as something else from here on: some columns are expressions over
    /// its rows `r` and over what `rest`, the end of the subquery from after its FROM, adds.
    pub(crate) fn read_as(
        self,
        name: &'static str,
        values: &[(&str, &str)],
        rest: &str,
    ) -> Result<Self> {
        let plain = self.source(name)?;
        let columns: Vec<String> = table(name)
            .columns
            .iter()
            .map(|column| {
                let given = values.iter().find(|(given, _)| *given == column.name);
                let name = quote_identifier(column.name);
                match given {
                    Some((_, value)) => format!("{value} AS {name}"),
                    None => format!("r.{name}"),
                }
            })
            .collect();
        let reading = format!("(SELECT {} FROM {plain} r {rest})", columns.join(", "));
        Ok(self.read_from(name, &reading))
    }

    /// This CRM, with another subquery in the place of a source.
    pub(crate) fn read_from(mut self, name: &'static str, subquery: &str) -> Self {
        self.readings.insert(name, subquery.to_owned());
        self
    }

    /// The score table of this name, checked to be one that can be written.
    pub(crate) fn score_table(&self, name: &str) -> Result<&Relation> {
        self.written_table(name)?.ok_or_else(|| self.missing(name))
    }

    /// The table of this name, if there is one, checked to be one that can be written.
    pub(crate) fn written_table(&self, name: &str) -> Result<Option<&Relation>> {
        let Some(relation) = self.find(name) else {
            return Ok(None);
        };
        if !matches!(relation.kind.as_str(), "r" | "p") {
            return Err(Error::NotATable {
                schema: relation.schema.clone(),
                table: relation.name.clone(),
                kind: relation.kind_in_words(),
            });
        }
        for column in table(name).columns.iter().filter(|column| column.required) {
            if !relation.has(column.name) {
                return Err(self.column_missing(relation, column.name));
            }
        }
        Ok(Some(relation))
    }

    /// The table of this name, if it is there and can be written with every column that is known
    /// of it; else why it is left alone. What is optional must not fail a refresh.
    pub(crate) fn complete_table(&self, name: &str) -> Result<Option<&Relation>> {
        let Some(relation) = self.written_table(name)? else {
            return Ok(None);
        };
        match table(name)
            .columns
            .iter()
            .find(|column| !relation.has(column.name))
        {
            Some(column) => Err(self.column_missing(relation, column.name)),
            None => Ok(Some(relation)),
        }
    }

    /// The table that a refresh writes snapshots of these scores to, if there is one and no trigger of
    /// the application writes them already.
    pub(crate) fn history_table(&self, name: &str, scores: &Relation) -> Result<Option<&Relation>> {
        if scores.keeps_history {
            return Ok(None);
        }
        self.written_table(name)
    }

    /// The relation of this name, checked to have columns that are about to be written.
    pub(crate) fn writable(&self, name: &str, columns: &[&str]) -> Result<&Relation> {
        let relation = self.find(name).ok_or_else(|| self.missing(name))?;
        match columns.iter().find(|column| !relation.has(column)) {
            Some(column) => Err(self.column_missing(relation, column)),
            None => Ok(relation),
        }
    }

    /// The owner of both score tables, who does the reading and writing.
    pub(crate) fn score_owner(&self) -> Result<pg_sys::Oid> {
        let deals = self.score_table("deal_health_scores")?;
        let relationships = self.score_table("relationship_health_scores")?;
        if deals.owner != relationships.owner {
            return Err(Error::OwnersDiffer {
                first: role_name(deals.owner),
                first_table: deals.qualified(),
                second: role_name(relationships.owner),
                second_table: relationships.qualified(),
            });
        }
        // SAFETY: a look-up by role id.
        if unsafe { pg_sys::superuser_arg(deals.owner) } {
            return Err(Error::OwnerIsSuperuser {
                owner: role_name(deals.owner),
                table: deals.qualified(),
            });
        }
        Ok(deals.owner)
    }

    fn missing(&self, name: &str) -> Error {
        Error::TableMissing {
            schema: self.schema.clone(),
            table: name.to_owned(),
        }
    }

    fn column_missing(&self, relation: &Relation, column: &str) -> Error {
        Error::ColumnMissing {
            schema: relation.schema.clone(),
            table: relation.name.clone(),
            column: column.to_owned(),
        }
    }
}

fn table(name: &str) -> &'static Table {
    TABLES
        .iter()
        .find(|table| table.name == name)
        .expect("a table that TABLES lists")
}

fn empty(table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            format!(
                "NULL::{} AS {}",
                column.sql_type,
                quote_identifier(column.name)
            )
        })
        .collect();
    format!("(SELECT {} WHERE false)", columns.join(", "))
}

fn role_name(role: pg_sys::Oid) -> String {
    // SAFETY: noerr; an unknown role gives NULL. The text is copied at once.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() {
            return role.to_u32().to_string();
        }
        std::ffi::CStr::from_ptr(name)
            .to_string_lossy()
            .into_owned()
    }
}
