//! The local Gmail, seen from outside over HTTP.

mod admin;
mod batch;
mod conformance;
mod faults;
mod mail;
mod oauth;
mod program;
mod python;
mod world;
