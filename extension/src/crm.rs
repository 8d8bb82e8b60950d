//! The CRM as this database has it: which tables, views and columns there are.
//!
//! Applications differ. A column that the refresh can do without is read as NULL where it is
//! missing, and a score column that is missing is not written; what it cannot do without is an
//! error that names it.

mod catalog;
mod columns;
mod describe;

pub(crate) use catalog::{Crm, Relation, current, whole};
