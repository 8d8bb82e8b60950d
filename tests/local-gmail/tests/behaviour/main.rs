//! The local Gmail, seen from outside over HTTP.

mod admin;
mod batch;
mod conformance;
mod delays;
mod faults;
mod history;
mod mail;
mod oauth;
mod program;
mod python;
mod spoiled;
mod world;
