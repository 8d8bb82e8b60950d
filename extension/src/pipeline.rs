//! How deals move through the stages: a pipeline fitted on the team's own stage changes.
//!
//! [`courses`] reads the changes, [`fit`] learns from them, [`backtest`] looks back, and [`owners`]
//! tells the owners of deals apart. The pipeline in use goes to the scoring function with the
//! configuration, under the key [`SECTION`], and what is known of owners under [`OWNERS`]; without a
//! pipeline the probability to close follows the score.

mod backtest;
mod courses;
mod fit;
mod owners;

use std::cell::RefCell;
use std::rc::Rc;

use crm_health_scoring::deal::DealMetrics;
use crm_health_scoring::survival::{Outlook, Pipeline, SurvivalError};
use pgrx::datum::{JsonB, Uuid};
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::owners::Owners;
pub(crate) use self::owners::{OWNERS, add_owners, deal_owner, owner_argument};
use crate::error::{Error, Result};
use crate::raw::value;
use crate::refresh::Kind;
use crate::statement::{Snapshot, of_our_own};

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

/// The pipelines that a statement goes by: the team's, and those of owners who have their own.
pub(crate) struct Pipelines {
    team: Rc<FittedPipeline>,
    owners: Owners,
}

impl Pipelines {
    /// The pipelines of a configuration; `None` where none is in use.
    pub(crate) fn of_config(config: &Value) -> Result<Option<Self>> {
        let owners = Owners::of_config(config);
        Ok(of_config(config)?.map(|team| Self { team, owners }))
    }

    /// What is to be expected of a deal; `None` in a stage that was not there at the fit.
    pub(crate) fn outlook(
        &self,
        owner: Option<Uuid>,
        metrics: &DealMetrics,
    ) -> Result<Option<Outlook>> {
        let stage = metrics.stage.as_deref();
        let index = self.team.stages.iter().position(|name| stage == Some(name));
        let (Some(index), Some(days)) = (index, metrics.days_in_stage) else {
            return Ok(None);
        };
        let days = u32::try_from(days.max(0)).unwrap_or(u32::MAX);
        let own = owner.map(|owner| self.owners.pipeline(owner, &self.team.pipeline));
        Ok(match own.transpose()?.flatten() {
            Some(own) => own.outlook(index, days),
            None => self.team.pipeline.outlook(index, days),
        })
    }
}

fn damaged(error: &SurvivalError) -> Error {
    Error::Config {
        reason: error.to_string(),
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

/// The configuration, with the pipeline in use where deals are scored, and what is known of the
/// owners of the deals (`None`: of all owners).
pub(crate) fn added_to(config: Value, kind: Kind, owners: Option<&[Uuid]>) -> Result<Value> {
    if kind == Kind::Relationships {
        return Ok(config);
    }
    let mut config = match crate::citus::added_deal_model(config) {
        Ok(config) => return Ok(config),
        Err(config) => config,
    };
    const MODEL: &str = "SELECT m.model FROM crm_health.deal_models m WHERE m.is_active";
    let model: Option<JsonB> = Spi::connect(|_| {
        let _snapshot = Snapshot::newest();
        // SAFETY: there are no values, and the column is a jsonb.
        unsafe {
            let [model] = of_our_own(MODEL, &[]).read(&[]).one();
            value(model)
        }
    });
    if let Some(JsonB(model)) = model {
        config[SECTION] = model;
        add_owners(&mut config, owners)?;
    }
    Ok(config)
}

/// The team's pipeline of a configuration.
fn of_config(config: &Value) -> Result<Option<Rc<FittedPipeline>>> {
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
