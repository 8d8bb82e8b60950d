//! Deals: what is measured of one, how it is scored, and why it scored so.
//!
//! [`measure`] turns rows into [`DealMetrics`], [`score`] turns metrics into a [`DealScore`], and
//! [`explain`] and [`reasons`] put both into words. Every step is a pure function.

mod measure;
mod score;
mod words;

pub use measure::{DealInputs, DealMetrics, measure};
pub use score::{DealRisk, DealScore, score};
pub use words::{explain, reasons};
