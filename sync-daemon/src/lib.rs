//! `crm-health-sync`: brings each active user's Gmail metadata into `communication_events`.
//!
//! Start with [`run`]: it claims mailboxes and hands each to [`mailbox`], which discovers new ids, puts them into a
//! ledger, and drains the ledger in batches. `docs/daemon.md` tells the whole.
#![forbid(unsafe_code)]

pub mod anthropic;
pub mod cli;
pub mod commands;
pub mod config;
mod dashboard;
mod failpoint;
pub mod failure;
pub mod gmail;
pub mod mailbox;
pub mod matching;
pub mod notify;
pub mod oauth;
pub mod pulse;
pub mod quota;
pub mod run;
pub mod sentiment;
pub mod service;
pub mod store;
