//! Which contacts a mail is about: addresses read from headers, made comparable, looked up in an index of the user's
//! contacts that is built once a sync.

mod address;
mod headers;
mod index;

pub use address::Address;
pub use headers::{Correspondents, Role, decode_text, read_addresses};
pub use index::{ContactIndex, Match};
