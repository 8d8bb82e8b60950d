//! The local Gmail, seen from outside over HTTP.

mod batch;
mod mail;
mod world;
