//! How deals move through the stages: a pipeline fitted on the team's own stage changes.
//!
//! [`courses`] reads the changes, [`fit`] learns from them and looks back. The pipeline in use goes
//! to the scoring function with the configuration, under the key [`SECTION`]; without one the
//! probability to close follows the score.

mod courses;
mod fit;

use std::cell::RefCell;
use std::rc::Rc;

use crm_health_scoring::deal::DealMetrics;
use crm_health_scoring::survival::{Outlook, Pipeline};
use pgrx::datum::JsonB;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::refresh::Kind;

/// The key of the configuration that holds the pipeline in use, with its name.
pub(crate) const SECTION: &str = "deal_model";

/// A pipeline and the names of its stages, in its order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FittedPipeline {
    stages: Vec<String>,
    pipeline: Pipeline,
}

thread_local! {
    /// The pipeline last used and what it was read from: solving its chances takes milliseconds.
    static LAST: RefCell<Option<(Value, Rc<FittedPipeline>)>> = const { RefCell::new(None) };
}

impl FittedPipeline {
    /// What is to be expected of a deal; `None` in a stage that was not there at the fit.
    pub(crate) fn outlook(&self, metrics: &DealMetrics) -> Option<Outlook> {
        let stage = metrics.stage.as_deref()?;
        let index = self.stages.iter().position(|name| name == stage)?;
        let days = u32::try_from(metrics.days_in_stage?.max(0)).unwrap_or(u32::MAX);
        self.pipeline.outlook(index, days)
    }
}

/// A chance in whole percent, 0–100, halves up.
pub(crate) fn percent(chance: f64) -> i32 {
    (100.0 * chance + 0.5).floor() as i32
}

/// Whole days, at least one.
pub(crate) fn days(days: f64) -> i32 {
    days.round().max(1.0) as i32
}

/// The configuration, with the pipeline in use where deals are scored.
pub(crate) fn added_to(config: Value, kind: Kind) -> Result<Value> {
    if kind == Kind::Relationships {
        return Ok(config);
    }
    let mut config = match crate::citus::added_deal_model(config) {
        Ok(config) => return Ok(config),
        Err(config) => config,
    };
    let model: Option<JsonB> = Spi::connect(|client| {
        let rows = client.select(
            "SELECT m.model FROM crm_health.deal_models m WHERE m.is_active",
            Some(1),
            &[],
        )?;
        if rows.is_empty() {
            return Ok(None);
        }
        rows.first().get(1)
    })?;
    if let Some(JsonB(model)) = model {
        config[SECTION] = model;
    }
    Ok(config)
}

/// The pipeline of a configuration.
pub(crate) fn of_config(config: &Value) -> Result<Option<Rc<FittedPipeline>>> {
    let Some(model) = config.get(SECTION) else {
        return Ok(None);
    };
    let last = LAST.with_borrow(|last| {
        let same = last.as_ref().filter(|(from, _)| from == model);
        same.map(|(_, fitted)| Rc::clone(fitted))
    });
    if last.is_some() {
        return Ok(last);
    }
    let fitted: FittedPipeline =
        serde_json::from_value(model.clone()).map_err(|error| Error::Config {
            reason: format!("the deal model in use: {error}"),
        })?;
    let fitted = Rc::new(fitted);
    LAST.set(Some((model.clone(), Rc::clone(&fitted))));
    Ok(Some(fitted))
}
