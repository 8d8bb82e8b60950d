//! What the outside-process tests share.
#![forbid(unsafe_code)]
