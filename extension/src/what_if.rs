//! The core without tables: metrics as JSON in, scores as JSON out.

use crm_health_scoring::whatif;
use pgrx::datum::JsonB;
use pgrx::prelude::*;
use serde_json::Value;

use crate::error::{Error, Result, or_raise};
use crate::settings::{parse_config, scoring_config};

/// `crm_health.score_deal(metrics)`
#[pg_extern(sql = false)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PostgreSQL's arguments come by value"
)]
fn score_deal(metrics: JsonB) -> JsonB {
    let scored = scoring_config()
        .and_then(|config| parse_config(&config))
        .and_then(|config| whatif::score_deal(&metrics.0, &config).map_err(|error| input(&error)));
    JsonB(or_raise(scored))
}

/// `crm_health.score_relationship(metrics, ghost_model)`
#[pg_extern(sql = false)]
fn score_relationship(metrics: Option<JsonB>, ghost_model: Option<&str>) -> Option<JsonB> {
    let metrics = metrics?;
    let scored = scoring_config()
        .and_then(|mut config| {
            if let Some(model) = ghost_model {
                config["ghost_model"] = Value::from(model);
            }
            parse_config(&config)
        })
        .and_then(|config| {
            whatif::score_relationship(&metrics.0, &config).map_err(|error| input(&error))
        });
    Some(JsonB(or_raise(scored)))
}

/// `crm_health.assess_ghost(overall_health_score, signals)`
#[pg_extern(sql = false)]
fn assess_ghost(overall_health_score: Option<i32>, signals: Option<JsonB>) -> JsonB {
    let signals = signals.map_or(Value::Array(Vec::new()), |JsonB(signals)| signals);
    let assessed: Result<Value> =
        whatif::assess_ghost(overall_health_score.map(i64::from), &signals)
            .map_err(|error| input(&error));
    JsonB(or_raise(assessed))
}

fn input(error: &whatif::InputError) -> Error {
    Error::Input(error.to_string())
}
