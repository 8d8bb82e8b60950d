//! Every formula of crm_health: inputs in, scores out.
//!
//! Nothing here reads a clock, a file or a database. The instant of a score is an argument, so the
//! same inputs give the same score today and in a year.
#![forbid(unsafe_code)]

pub mod interaction;
