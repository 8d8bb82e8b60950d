//! The documentation is true: what it tells a person to run runs, what it links to is there, and
//! the reference describes the database as it is.
//!
//! Conventions of README.md and docs/*.md:
//! - Every `sql` block is run by psql, in the order of the document, in a database `mydb` with the
//!   demo CRM and pg_cron. The extension is there too, unless the document creates it itself.
//! - `…user id…`, `…deal id…`, `…contact id…` and `…company id…` stand for ids of the demo CRM.
//! - A `text` block right after a `sql` block is what `psql -At` prints.
//! - Every line of an `sh` block is run, in a folder where the repository's files are. `make` and
//!   `scripts/…` are only looked up, for they would build the project anew.
//! - `<!-- not run: reason -->` before a block leaves it out, `<!-- fails -->` expects an error.
//! - docs/citus.md is run on a cluster, where Citus is installed.
//! - `before/<document>.sql` prepares a database that a document takes for granted.

mod citus;
mod commands;
mod data_protection;
mod links;
mod markdown;
mod reference;
mod scoring;
mod symptoms;
