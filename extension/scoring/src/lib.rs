//! Every formula of crm_health: inputs in, scores out.
//!
//! Nothing here reads a clock, a file or a database. The instant of a score is an argument, so the
//! same inputs give the same score today and in a year.
#![forbid(unsafe_code)]

#[macro_use]
mod text_enum;

pub mod alert;
pub mod config;
pub mod deal;
pub mod explain;
pub mod ghost;
mod instant;
pub mod interaction;
mod number;
mod phrase;
pub mod relationship;
pub mod silence;
pub mod status;
pub mod survival;
mod timeline;
mod weights;
pub mod whatif;
