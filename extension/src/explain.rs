//! Scores in words: each signal with its value, weight and reason.

mod subject;

use crm_health_scoring::config::Config;
use crm_health_scoring::deal::DealMetrics;
use crm_health_scoring::explain::Explanation;
use crm_health_scoring::relationship::{Measured, RelationshipScore};
use crm_health_scoring::silence::Assessment;
use crm_health_scoring::survival::Outlook;
use crm_health_scoring::{deal, ghost, relationship};
use pgrx::datum::{JsonB, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};

use crate::error::{Result, or_raise};
use crate::ghost::streams::Days;
use crate::owner::AsOwner;
use crate::pipeline::Pipelines;
use crate::raw::{RowSink, pg_function};
use crate::refresh::{Kind, check_as_of, explain_statement};
use crate::score::{as_of, measure_deal, measure_relationship};
use crate::settings::{Settings, parse_config, scoring_config};
use crate::{caller, citus, crm, pipeline};

/// More reasons than this are no help.
const MOST_REASONS: usize = 3;

type Row = [Option<pg_sys::Datum>; 6];

pg_function! {
    /// `crm_health.deal_explanation(config, …)`: the rows of one deal, inside a statement.
    fn deal_explanation(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        let config = config_argument(fcinfo);
        // SAFETY: the argument types are those of the function's declaration.
        let metrics = unsafe { measure_deal(fcinfo, 1) };
        let score = deal::score(&metrics, &config);
        for explanation in deal::explain(&metrics, &score, &config) {
            sink.push(component(&explanation));
        }
        let reasons = deal::reasons(&metrics, &score, &config).join("; ");
        sink.push(overall(score.overall_health_score, score.health_status.as_str(), &reasons));
        if let Some(outlook) = outlook(fcinfo, &metrics) {
            sink.push(note("close_probability", &outlook.chance(), &outlook.sentence()));
        }
        pg_sys::Datum::null()
    }
}

pg_function! {
    /// `crm_health.relationship_explanation(config, …)`: the rows of one relationship.
    fn relationship_explanation(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        let config = config_argument(fcinfo);
        // SAFETY: as above.
        let measured = unsafe { measure_relationship(fcinfo, 1) };
        // SAFETY: as above.
        let silence = unsafe { Days::arguments(fcinfo, 8).assess(as_of(fcinfo, 1), &config) };
        let score = relationship::score_with(&measured.metrics, silence.as_ref(), &config);
        for explanation in relationship::explain(&measured.metrics, &score, &config) {
            sink.push(component(&explanation));
        }
        let reasons = relationship_reasons_of(&measured, silence.as_ref(), &score, &config);
        sink.push(overall(score.overall_health_score, score.health_status.as_str(), &reasons.join("; ")));
        for signal in &measured.signals {
            sink.push(note(signal.signal_type.as_str(), signal.severity.as_str(), &signal.signal_context));
        }
        if let Some(silence) = &silence {
            sink.push(note("ghost_probability", &silence.chance(), &silence.sentence()));
        }
        let assessment = ghost::assess_signals(Some(i64::from(score.overall_health_score)), &measured.signals);
        let context = assessment.context_trigger.map_or("no ghost signal", |context| context.as_str());
        sink.push(note("recommended_action", assessment.recommended_action.as_str(), context));
        pg_sys::Datum::null()
    }
}

pg_function! {
    /// `crm_health.deal_reasons(config, …)`: the two or three reasons that matter most, the last of them
    /// what is to be expected, where a pipeline is in use.
    fn deal_reasons(fcinfo) {
        let config = config_argument(fcinfo);
        // SAFETY: as above.
        let metrics = unsafe { measure_deal(fcinfo, 1) };
        let score = deal::score(&metrics, &config);
        let mut reasons = deal::reasons(&metrics, &score, &config);
        if let Some(outlook) = outlook(fcinfo, &metrics) {
            reasons.truncate(MOST_REASONS - 1);
            reasons.push(outlook.sentence());
        }
        reasons.into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

pg_function! {
    /// `crm_health.relationship_reasons(config, …)`
    fn relationship_reasons(fcinfo) {
        let config = config_argument(fcinfo);
        // SAFETY: as above.
        let measured = unsafe { measure_relationship(fcinfo, 1) };
        // SAFETY: as above.
        let silence = unsafe { Days::arguments(fcinfo, 8).assess(as_of(fcinfo, 1), &config) };
        let score = relationship::score_with(&measured.metrics, silence.as_ref(), &config);
        relationship_reasons_of(&measured, silence.as_ref(), &score, &config)
            .into_datum()
            .unwrap_or(pg_sys::Datum::null())
    }
}

pg_function! {
    /// `crm_health.explain_deal(p_deal_id, p_as_of)`
    fn explain_deal(fcinfo) {
        explain(fcinfo, Kind::Deals)
    }
}

pg_function! {
    /// `crm_health.explain_contact(p_contact_id, p_as_of)`
    fn explain_contact(fcinfo) {
        explain(fcinfo, Kind::Relationships)
    }
}

fn explain(fcinfo: pg_sys::FunctionCallInfo, kind: Kind) -> pg_sys::Datum {
    let mut sink = RowSink::new(fcinfo);
    // SAFETY: the types are those of the function's declaration.
    let (id, at) = unsafe {
        (
            pg_getarg::<Uuid>(fcinfo, 0),
            pg_getarg::<TimestampWithTimeZone>(fcinfo, 1),
        )
    };
    if let (Some(id), Some(at)) = (id, at) {
        or_raise(explain_one(&mut sink, kind, id, at));
    }
    pg_sys::Datum::null()
}

fn explain_one(sink: &mut RowSink, kind: Kind, id: Uuid, at: TimestampWithTimeZone) -> Result<()> {
    check_as_of(at)?;
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    if crm.is_spread() {
        return explain_elsewhere(sink, kind, id, at, &crm, owner, &settings);
    }
    // An id that is none, or nobody's, has nothing to explain.
    let Some((user, unscored)) = subject::find(kind, id, &crm, owner)? else {
        return Ok(());
    };
    caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
    if let Some(why) = unscored {
        sink.push(note("overall", "not scored", &why));
        return Ok(());
    }
    let config = pipeline::added_to(scoring_config()?, kind, Some(&[user]))?;
    let statement = explain_statement(kind, &crm, &config)?;
    let _owner = AsOwner::enter(owner);
    Spi::connect(|client| {
        let rows = client.select(
            statement.as_str(),
            None,
            &[
                vec![user].into(),
                vec![id].into(),
                vec![None::<Uuid>].into(),
                at.into(),
                JsonB(config).into(),
            ],
        )?;
        for row in rows {
            sink.push([
                row.get::<String>(1)?.into_datum(),
                row.get::<String>(2)?.into_datum(),
                row.get::<i32>(3)?.into_datum(),
                row.get::<AnyNumeric>(4)?.into_datum(),
                row.get::<AnyNumeric>(5)?.into_datum(),
                row.get::<String>(6)?.into_datum(),
            ]);
        }
        Ok(())
    })
}

/// The rows, by the server that has the user's.
fn explain_elsewhere(
    sink: &mut RowSink,
    kind: Kind,
    id: Uuid,
    at: TimestampWithTimeZone,
    crm: &crm::Crm,
    owner: pg_sys::Oid,
    settings: &Settings,
) -> Result<()> {
    let (table, call) = match kind {
        Kind::Deals => ("deals", "explain_deal"),
        Kind::Relationships => ("contacts", "explain_contact"),
    };
    let Some(user) = citus::user_of(crm, table, "owner_id", id)? else {
        return Ok(());
    };
    caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
    let arguments =
        serde_json::json!({"id": id.to_string(), "as_of": pg_sys::TimestampTz::from(at)});
    for row in citus::rows(user, call, &arguments, settings)? {
        sink.push_texts(&row);
    }
    Ok(())
}

/// The reasons of a relationship's score; a ghost risk comes first, with its probability.
pub(crate) fn relationship_reasons_of(
    measured: &Measured,
    silence: Option<&Assessment>,
    score: &RelationshipScore,
    config: &Config,
) -> Vec<String> {
    let mut reasons = relationship::reasons(&measured.metrics, &measured.signals, score, config);
    if let Some(silence) = silence.filter(|said| said.is_ghost_risk) {
        reasons.insert(0, silence.sentence());
        reasons.truncate(MOST_REASONS);
    }
    reasons
}

fn config_argument(fcinfo: pg_sys::FunctionCallInfo) -> Config {
    // SAFETY: the first argument is declared jsonb.
    let JsonB(json) = unsafe { pg_getarg(fcinfo, 0) }.unwrap_or(JsonB(serde_json::Value::Null));
    or_raise(parse_config(&json))
}

/// What is to be expected of the deal, where a pipeline came with the configuration.
fn outlook(fcinfo: pg_sys::FunctionCallInfo, metrics: &DealMetrics) -> Option<Outlook> {
    // SAFETY: the first argument is declared jsonb, and these are functions of a deal.
    let (config, owner) = unsafe { (pg_getarg(fcinfo, 0), pipeline::deal_owner(fcinfo)) };
    let JsonB(json) = config.unwrap_or(JsonB(serde_json::Value::Null));
    let pipelines = or_raise(Pipelines::of_config(&json))?;
    or_raise(pipelines.outlook(owner, metrics))
}

fn component(explanation: &Explanation) -> Row {
    [
        explanation.signal.into_datum(),
        explanation.value.as_str().into_datum(),
        explanation.score.into_datum(),
        decimal(explanation.weight, 4),
        decimal(explanation.contribution, 2),
        explanation.reason.as_str().into_datum(),
    ]
}

fn overall(score: i32, status: &str, reasons: &str) -> Row {
    [
        "overall".into_datum(),
        status.into_datum(),
        score.into_datum(),
        decimal(1.0, 4),
        decimal(f64::from(score), 2),
        reasons.into_datum(),
    ]
}

fn note(signal: &str, value: &str, reason: &str) -> Row {
    [
        signal.into_datum(),
        value.into_datum(),
        None,
        None,
        None,
        reason.into_datum(),
    ]
}

/// A number as numeric with so many decimals.
fn decimal(value: f64, places: usize) -> Option<pg_sys::Datum> {
    AnyNumeric::try_from(format!("{value:.places$}").as_str())
        .ok()
        .and_then(IntoDatum::into_datum)
}
