//! Relationships with contacts and companies: what is measured, how it is scored, and why.
//!
//! [`measure`] turns rows into [`RelationshipMetrics`] and ghost signals, [`score`] turns metrics
//! into a [`RelationshipScore`], and [`explain`] and [`reasons`] put both into words. Every step is
//! a pure function.

mod meaningful;
mod measure;
mod risk;
mod score;
mod words;

pub use meaningful::MeaningfulInteraction;
pub use measure::{Measured, Ordered, RelationshipInputs, RelationshipMetrics, measure};
pub use risk::RelationshipRisk;
pub use score::{RelationshipScore, score, score_with};
pub use words::{explain, reasons};
