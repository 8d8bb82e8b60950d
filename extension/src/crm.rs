//! The CRM as this database has it: which tables, views and columns there are.
//!
//! Applications differ. A column that the refresh can do without is read as NULL where it is
//! missing, and a score column that is missing is not written; what it cannot do without is an
//! error that names it.

mod catalog;
mod columns;
mod describe;
mod relation;
mod watch;

pub(crate) use catalog::{Crm, current, whole};
pub(crate) use relation::Relation;
