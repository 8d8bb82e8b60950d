//! The core without tables: metrics as JSON in, scores as JSON out. Numbers beyond those of a double count as the largest.

use crm_health_scoring::whatif;
use pgrx::datum::JsonB;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::Value;

use crate::error::{Error, Result, or_raise};
use crate::json::{self, TooLarge};
use crate::raw::pg_function;
use crate::settings::{parse_config, scoring_config};

/// The models of ghost risk, as the setting `ghost_model` names them.
const GHOST_MODELS: [&str; 2] = ["calibrated", "rules"];

pg_function! {
    /// `crm_health.score_deal(metrics)`
    fn score_deal_wrapper(fcinfo) {
        answer(fcinfo, metrics(fcinfo, 0), |metrics| {
            let config = parse_config(&scoring_config()?)?;
            whatif::score_deal(metrics, &config).map_err(|error| input(&error))
        })
    }
}

pg_function! {
    /// `crm_health.score_relationship(metrics, ghost_model)`
    fn score_relationship_wrapper(fcinfo) {
        answer(fcinfo, metrics(fcinfo, 0), |metrics| {
            let mut config = scoring_config()?;
            // SAFETY: the second argument is declared text.
            if let Some(model) = unsafe { pg_getarg::<&str>(fcinfo, 1) } {
                if !GHOST_MODELS.contains(&model) {
                    let known = GHOST_MODELS.join(" or ");
                    return Err(Error::Input(format!("ghost_model must be {known}, not \"{model}\"")));
                }
                config["ghost_model"] = Value::from(model);
            }
            whatif::score_relationship(metrics, &parse_config(&config)?).map_err(|error| input(&error))
        })
    }
}

pg_function! {
    /// `crm_health.assess_ghost(overall_health_score, signals)`
    fn assess_ghost_wrapper(fcinfo) {
        // SAFETY: the first argument is declared integer.
        let overall = unsafe { pg_getarg::<i32>(fcinfo, 0) }.map(i64::from);
        let signals = metrics(fcinfo, 1).map(|signals| Some(signals.unwrap_or_default()));
        answer(fcinfo, signals, |signals| {
            whatif::assess_ghost(overall, signals).map_err(|error| input(&error))
        })
    }
}

/// An argument that is declared jsonb.
fn metrics(fcinfo: pg_sys::FunctionCallInfo, at: usize) -> Result<Option<Value>> {
    // SAFETY: as the SQL of these functions declares it.
    unsafe { json::argument(fcinfo, at, TooLarge::Largest) }
}

/// What is made of the argument; NULL where there is none.
fn answer(
    fcinfo: pg_sys::FunctionCallInfo,
    given: Result<Option<Value>>,
    work: impl Fn(&Value) -> Result<Value>,
) -> pg_sys::Datum {
    let scored = or_raise(given).map(|given| JsonB(or_raise(work(&given))));
    // SAFETY: says that a NULL is returned.
    scored.into_datum().unwrap_or_else(|| unsafe {
        (*fcinfo).isnull = true;
        pg_sys::Datum::null()
    })
}

fn input(error: &whatif::InputError) -> Error {
    Error::Input(error.to_string())
}
