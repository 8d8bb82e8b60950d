//! What can go wrong when a test or the demo sets the server up.

use std::path::PathBuf;

use crate::ids::write_id;

/// A mistake in a call of the library or of the admin routes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// No mailbox of this address was added.
    #[error("no mailbox {0}")]
    UnknownMailbox(String),
    /// A mailbox of this address exists already.
    #[error("mailbox {0} exists already")]
    TakenMailbox(String),
    /// The mailbox has no message of this id.
    #[error("no message {id}", id = write_id(*.0))]
    UnknownMessage(u64),
    /// Not an id.
    #[error("{0:?} is not an id of 1 to 16 hexadecimal digits")]
    BadId(String),
    /// Another message of the mailbox has this id.
    #[error("message {0} exists already")]
    TakenId(String),
    /// The generator cannot work with these settings.
    #[error("cannot generate messages: {0}")]
    BadRecipe(&'static str),
    /// The fault can never strike there.
    #[error("this fault can never strike: {0}")]
    BadFault(&'static str),
    /// The fixture is no JSON, or not of the shape that `Fixture` describes.
    #[error("cannot read the fixture: {0}")]
    Fixture(#[from] serde_json::Error),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port cannot be had.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
    /// The API description cannot be used.
    #[error("cannot use the API description {}: {reason}", path.display())]
    Discovery {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
