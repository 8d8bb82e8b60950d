//! The known tables and columns as rows, for who checks an installation.

use pgrx::{IntoDatum, pg_sys};

use super::columns::{Role, TABLES};
use crate::raw::{RowSink, pg_function};

pg_function! {
    /// `crm_health.crm_columns()`
    fn crm_columns(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        for table in TABLES {
            for column in table.columns {
                sink.push([
                    table.name.into_datum(),
                    role(table.role).into_datum(),
                    column.name.into_datum(),
                    column.sql_type.into_datum(),
                    column.required.into_datum(),
                ]);
            }
        }
        pg_sys::Datum::null()
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Source => "source",
        Role::OptionalSource => "optional source",
        Role::Score => "score",
        Role::History => "history",
        Role::Alerts => "optional result",
    }
}
