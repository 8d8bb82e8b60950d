//! A table or view of the CRM.

use std::collections::HashMap;

use pgrx::pg_sys;
use pgrx::spi::quote_qualified_identifier;

/// A table or view that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Relation {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) owner: pg_sys::Oid,
    pub(crate) oid: pg_sys::Oid,
    /// Column name → its type as SQL writes it.
    pub(crate) columns: HashMap<String, String>,
    /// Columns that PostgreSQL works out by itself: nobody writes them.
    pub(super) generated: Vec<String>,
    /// Of a score table: a trigger of the application writes its history.
    pub(super) keeps_history: bool,
    /// Its indexes and triggers: changes where one of them is made, dropped, enabled or disabled.
    pub(super) equipment: String,
}

impl Relation {
    /// `schema.name`, quoted where needed.
    pub(crate) fn qualified(&self) -> String {
        quote_qualified_identifier(&self.schema, &self.name)
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// Whether a refresh can write a column.
    pub(crate) fn takes(&self, column: &str) -> bool {
        self.has(column) && !self.generated.iter().any(|name| name == column)
    }

    /// A value as a column takes it, which may be of a type of the application's.
    pub(crate) fn cast(&self, column: &str, value: &str) -> String {
        match self.columns.get(column) {
            Some(sql_type) => format!("CAST({value} AS {sql_type})"),
            None => value.to_owned(),
        }
    }

    pub(super) fn kind_in_words(&self) -> &'static str {
        match self.kind.as_str() {
            "v" => "view",
            "m" => "materialized view",
            "f" => "foreign table",
            _ => "relation of another kind",
        }
    }
}
