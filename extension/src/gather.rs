//! All that a refresh reads of one user, gathered by aggregates and scored in one call.
//!
//! Each source of a user is one scan that feeds one aggregate; its result is a `bytea` that only
//! this module reads ([`packed`]), and that lives within one statement. What SQL would join row by
//! row — events with contacts, contacts with companies, scores and streams — meets here by id.

pub(crate) mod batch;
pub(crate) mod events;
pub(crate) mod lacking;
pub(crate) mod newest;
pub(crate) mod own;
pub(crate) mod packed;
pub(crate) mod score;
pub(crate) mod streams;
pub(crate) mod targets;
pub(crate) mod user;
