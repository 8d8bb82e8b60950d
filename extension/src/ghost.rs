//! Who goes silent: how the days of relationships reach the silence model, and what it is asked.
//!
//! [`days`] carries the days of events through a statement, [`streams`] makes streams of them and
//! seals them for the next refresh, [`probability`] asks about one contact, [`history`] reads a
//! whole deployment for [`fit`] and [`backtest`].

mod backtest;
pub(crate) mod days;
mod fit;
mod history;
mod models;
mod probability;
/// What every look at the past shares.
pub(crate) mod looking_back {
    pub(crate) use super::backtest::{cutoffs, row};
    pub(crate) use super::fit::check_name;
    pub(crate) use super::probability::{finite, horizon_days};
}
pub(crate) mod streams;
