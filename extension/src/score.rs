//! The functions that score one target inside a statement, and return a row.

use crm_health_scoring::config::{Config, GhostModel};
use crm_health_scoring::deal::{self, DealInputs};
use crm_health_scoring::interaction::{Direction, Interaction, Meeting};
use crm_health_scoring::relationship::{
    self, Measured, RelationshipInputs, RelationshipRisk, RelationshipScore,
};
use crm_health_scoring::silence::Assessment;
use pgrx::datum::JsonB;
use pgrx::{IntoDatum, PgMemoryContexts, pg_getarg, pg_sys};
use std::cell::OnceCell;

use crate::collect::{decode, to_instant};
use crate::datums::{self, Kept, texts};
use crate::error::or_raise;
use crate::ghost::streams::{Days, sealed_datum};
use crate::pipeline::{self, Pipelines};
use crate::raw::pg_function;

/// What a statement's calls share: the parsed configuration and the shape of the result.
struct PerStatement {
    config: Config,
    pipelines: Option<Pipelines>,
    descriptor: pg_sys::TupleDesc,
}

pg_function! {
    /// `crm_health.relationship_score(config, as_of, recent, older, meetings, opens_tracked, total value, at-risk value, sealed streams, past days, recent days, seal day)`
    fn relationship_score(fcinfo) {
        // SAFETY: the argument numbers and types are those of the function's declaration.
        unsafe {
            let shared = per_statement(fcinfo);
            let measured = measure_relationship(fcinfo, 1);
            let days = Days::arguments(fcinfo, 8);
            let silence = days.assess(as_of(fcinfo, 1), &shared.config);
            let score = relationship::score_with(&measured.metrics, silence.as_ref(), &shared.config);
            let columns = score_columns(&Told {
                measured: &measured,
                score: &score,
                silence: silence.as_ref(),
                config: &shared.config,
                rounded,
                kept_signals: None,
            });
            let mut all = [None; SCORE_COLUMNS + 1];
            all[..SCORE_COLUMNS].copy_from_slice(&columns);
            all[SCORE_COLUMNS] = sealed_datum(fcinfo, 11, &days, &shared.config.silence);
            row(shared, all)
        }
    }
}

pg_function! {
    /// `crm_health.deal_score(config, as_of, stage, stage_since, recent, older, meetings, activity_count, last_activity, owner)`
    fn deal_score(fcinfo) {
        // SAFETY: as above.
        unsafe {
            let shared = per_statement(fcinfo);
            let metrics = measure_deal(fcinfo, 1);
            let mut score = deal::score(&metrics, &shared.config);
            let outlook = shared.pipelines.as_ref().and_then(|pipelines| or_raise(pipelines.outlook(pipeline::deal_owner(fcinfo), &metrics)));
            if let Some(outlook) = outlook {
                score.predicted_close_probability = pipeline::percent(outlook.win_probability);
            }
            row(shared, [
                score.overall_health_score.into_datum(),
                score.health_status.as_str().into_datum(),
                score.stage_velocity_score.into_datum(),
                score.sentiment_score.into_datum(),
                score.engagement_score.into_datum(),
                score.activity_score.into_datum(),
                score.response_time_score.into_datum(),
                small(metrics.days_in_stage),
                small(metrics.days_since_last_meeting),
                small(metrics.days_since_last_activity),
                rounded(metrics.avg_sentiment),
                metrics.sentiment_trend.as_str().into_datum(),
                small(metrics.meeting_count_30d),
                small(metrics.activity_count_30d),
                rounded(metrics.avg_response_time_hours),
                texts(score.risk_factors.iter().map(|risk| risk.as_str())),
                score.risk_level.as_str().into_datum(),
                score.predicted_close_probability.into_datum(),
                outlook.and_then(|outlook| outlook.days_to_close).map(pipeline::days).into_datum(),
            ])
        }
    }
}

/// Measures the relationship whose signals stand from argument `first` on: as_of, recent, older,
/// meetings, opens_tracked, total value, at-risk value.
///
/// # Safety
/// The arguments must have these types.
pub(crate) unsafe fn measure_relationship(
    fcinfo: pg_sys::FunctionCallInfo,
    first: usize,
) -> Measured {
    unsafe {
        let as_of = pgrx::pg_getarg_datum_raw(fcinfo, first).value() as i64;
        let mut interactions: Vec<Interaction> = decode(pg_getarg(fcinfo, first + 1));
        interactions.extend(decode::<Interaction>(pg_getarg(fcinfo, first + 2)));
        let meetings: Vec<Meeting> = decode(pg_getarg(fcinfo, first + 3));
        let inputs = RelationshipInputs {
            interactions: &interactions,
            meetings: &meetings,
            opens_tracked: pg_getarg(fcinfo, first + 4).unwrap_or(false),
            total_deal_value: pg_getarg(fcinfo, first + 5).unwrap_or(0.0),
            at_risk_deal_value: pg_getarg(fcinfo, first + 6).unwrap_or(0.0),
        };
        relationship::measure(&inputs, to_instant(as_of))
    }
}

/// Measures the deal whose signals stand from argument `first` on: as_of, stage, stage_since,
/// recent, older, meetings, activity_count, last_activity.
///
/// # Safety
/// The arguments must have these types.
pub(crate) unsafe fn measure_deal(
    fcinfo: pg_sys::FunctionCallInfo,
    first: usize,
) -> deal::DealMetrics {
    unsafe {
        let instant = |argument: usize| {
            (!pgrx::pg_arg_is_null(fcinfo, argument))
                .then(|| to_instant(pgrx::pg_getarg_datum_raw(fcinfo, argument).value() as i64))
        };
        let as_of = pgrx::pg_getarg_datum_raw(fcinfo, first).value() as i64;
        let mut emails: Vec<Interaction> = decode(pg_getarg(fcinfo, first + 3));
        emails.extend(decode::<Interaction>(pg_getarg(fcinfo, first + 4)));
        let meetings: Vec<Meeting> = decode(pg_getarg(fcinfo, first + 5));
        let inputs = DealInputs {
            stage: pg_getarg(fcinfo, first + 1),
            stage_since: instant(first + 2),
            emails: &emails,
            meetings: &meetings,
            activity_count_30d: pg_getarg(fcinfo, first + 6).unwrap_or(0),
            last_activity: instant(first + 7),
        };
        deal::measure(&inputs, to_instant(as_of))
    }
}

/// The instant in an argument.
///
/// # Safety
/// The argument must be declared `timestamptz`.
pub(crate) unsafe fn as_of(
    fcinfo: pg_sys::FunctionCallInfo,
    argument: usize,
) -> pg_sys::TimestampTz {
    unsafe { pgrx::pg_getarg_datum_raw(fcinfo, argument) }.value() as i64
}

/// Makes a value of at most four decimals: a double, as the type `relationship_score` has it, or a
/// numeric.
pub(crate) type Rounded = fn(Option<f64>) -> Option<pg_sys::Datum>;

/// A relationship's score, with what its columns are made of.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) measured: &'a Measured,
    pub(crate) score: &'a RelationshipScore,
    pub(crate) silence: Option<&'a Assessment>,
    pub(crate) config: &'a Config,
    pub(crate) rounded: Rounded,
    /// Where the signals are kept once they are made, by who keeps them longer than their datum is used.
    pub(crate) kept_signals: Option<&'a OnceCell<Kept>>,
}

/// A column of a relationship's score: its name, its type (that of a rounded one is numeric, or what
/// `rounded` makes), and its value.
pub(crate) type Column = (
    &'static str,
    pg_sys::Oid,
    fn(&Told<'_>) -> Option<pg_sys::Datum>,
);

/// How many columns a relationship's score has.
pub(crate) const SCORE_COLUMNS: usize = 27;

const INTEGER: pg_sys::Oid = pg_sys::INT4OID;
const NUMERIC: pg_sys::Oid = pg_sys::NUMERICOID;
const TEXT: pg_sys::Oid = pg_sys::TEXTOID;

/// The columns of a relationship's score, in the order of the type `crm_health.relationship_score`.
#[rustfmt::skip]
pub(crate) const COLUMNS: [Column; SCORE_COLUMNS] = [
    ("overall_health_score", INTEGER, |t| t.score.overall_health_score.into_datum()),
    ("health_status", TEXT, |t| Some(datums::word(t.score.health_status.as_str()))),
    ("risk_level", TEXT, |t| Some(datums::word(t.score.risk_level.as_str()))),
    ("communication_frequency_score", INTEGER, |t| t.score.communication_frequency_score.into_datum()),
    ("response_behavior_score", INTEGER, |t| t.score.response_behavior_score.into_datum()),
    ("engagement_quality_score", INTEGER, |t| t.score.engagement_quality_score.into_datum()),
    ("sentiment_score", INTEGER, |t| t.score.sentiment_score.into_datum()),
    ("meeting_pattern_score", INTEGER, |t| t.score.meeting_pattern_score.into_datum()),
    ("days_since_last_contact", INTEGER, |t| small(t.measured.metrics.days_since_last_contact)),
    ("days_since_last_response", INTEGER, |t| small(t.measured.metrics.days_since_last_response)),
    ("avg_response_time_hours", NUMERIC, |t| (t.rounded)(t.measured.metrics.avg_response_time_hours)),
    ("response_rate_percent", INTEGER, |t| small(t.measured.metrics.response_rate_percent)),
    ("email_open_rate_percent", INTEGER, |t| small(t.measured.metrics.email_open_rate_percent)),
    ("meeting_count_30_days", INTEGER, |t| small(t.measured.metrics.meeting_count_30d)),
    ("email_count_30_days", INTEGER, |t| small(Some(t.measured.email_count_30d))),
    ("total_interactions_30_days", INTEGER, |t| small(t.measured.metrics.communication_count_30d)),
    ("baseline_response_time_hours", NUMERIC, |t| (t.rounded)(t.measured.metrics.baseline_response_time_hours)),
    ("baseline_contact_frequency_days", NUMERIC, |t| (t.rounded)(t.measured.metrics.baseline_contact_frequency_days)),
    ("baseline_meeting_frequency_days", NUMERIC, |t| (t.rounded)(t.measured.metrics.baseline_meeting_frequency_days)),
    ("is_ghost_risk", pg_sys::BOOLOID, |t| t.score.is_ghost_risk.into_datum()),
    ("ghost_signals", pg_sys::JSONBOID, signals),
    ("ghost_probability_percent", INTEGER, |t| t.score.ghost_probability_percent.into_datum()),
    ("days_until_predicted_ghost", INTEGER, |t| days_until_ghost(t).into_datum()),
    ("sentiment_trend", TEXT, |t| Some(datums::word(t.measured.metrics.sentiment_trend.as_str()))),
    ("avg_sentiment_last_3_interactions", NUMERIC, |t| (t.rounded)(t.measured.metrics.avg_sentiment)),
    ("risk_factors", pg_sys::TEXTARRAYOID, risk_factors),
    ("last_meaningful_interaction", pg_sys::JSONBOID, |t| last_meaningful_interaction(t.measured)),
];

/// The values of all columns.
pub(crate) fn score_columns(told: &Told<'_>) -> [Option<pg_sys::Datum>; SCORE_COLUMNS] {
    COLUMNS.map(|(_, _, value)| value(told))
}

fn risk_factors(told: &Told<'_>) -> Option<pg_sys::Datum> {
    let factors = &told.score.risk_factors;
    Some(datums::words::<RelationshipRisk>(
        factors.iter().map(|risk| *risk as u32),
        factors.iter().map(|risk| risk.as_str()),
    ))
}

fn signals(told: &Told<'_>) -> Option<pg_sys::Datum> {
    let signals = &told.measured.signals;
    if signals.is_empty() {
        return Some(datums::empty_jsonb_array());
    }
    let make = || datums::jsonb(serde_json::to_string(signals).expect("signals are JSON"));
    match told.kept_signals {
        Some(kept) => Some(kept.get_or_init(|| Kept::of(make())).datum()),
        None => make(),
    }
}

fn last_meaningful_interaction(measured: &Measured) -> Option<pg_sys::Datum> {
    let last = measured.last_meaningful_interaction.as_ref()?;
    datums::jsonb_of_texts([
        ("date", Some(&last.date.to_rfc3339())),
        ("type", Some(last.kind.as_str())),
        ("subject", last.subject.as_deref()),
        ("direction", last.direction.map(Direction::as_str)),
    ])
}

/// By the model in use: the day on which the probability reaches the cut-off, or the rules' guess.
fn days_until_ghost(told: &Told<'_>) -> Option<i32> {
    if told.config.ghost_model == GhostModel::Calibrated {
        let days = told
            .silence
            .and_then(|said| said.days_until_predicted_ghost);
        return days.map(u32::cast_signed);
    }
    let overall = told.score.overall_health_score;
    let signals = told.measured.signals.iter();
    let signals: Vec<_> = signals
        .map(|signal| (signal.signal_type, signal.severity))
        .collect();
    crm_health_scoring::ghost::assess(Some(i64::from(overall)), &signals).days_until_predicted_ghost
}

/// Parses the configuration once a statement and keeps it, with the result's shape, in the call.
unsafe fn per_statement<'a>(fcinfo: pg_sys::FunctionCallInfo) -> &'a PerStatement {
    unsafe {
        let call = (*fcinfo).flinfo;
        if (*call).fn_extra.is_null() {
            let JsonB(json) = pg_getarg(fcinfo, 0).unwrap_or(JsonB(serde_json::Value::Null));
            let config = or_raise(crate::settings::parse_config(&json));
            let pipelines = or_raise(Pipelines::of_config(&json));
            let mut context = PgMemoryContexts::For((*call).fn_mcxt);
            let descriptor = context.switch_to(|_| {
                let mut descriptor = std::ptr::null_mut();
                pg_sys::get_call_result_type(fcinfo, std::ptr::null_mut(), &mut descriptor);
                pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(descriptor))
            });
            let shared = context.leak_and_drop_on_delete(PerStatement {
                config,
                pipelines,
                descriptor,
            });
            (*call).fn_extra = shared.cast();
        }
        &*(*call).fn_extra.cast::<PerStatement>()
    }
}

unsafe fn row<const N: usize>(
    shared: &PerStatement,
    row: [Option<pg_sys::Datum>; N],
) -> pg_sys::Datum {
    let mut nulls = row.map(|value| value.is_none());
    let mut values = row.map(|value| value.unwrap_or(pg_sys::Datum::null()));
    unsafe {
        assert_eq!(
            (*shared.descriptor).natts as usize,
            N,
            "columns of the result type"
        );
        let tuple =
            pg_sys::heap_form_tuple(shared.descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data)
    }
}

/// A count or a number of days as the score tables keep it: an integer, at the limits at most.
fn small(value: Option<i64>) -> Option<pg_sys::Datum> {
    value
        .map(|value| value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
        .into_datum()
}

/// Four decimals: enough for a reader, and the same number again when it is read back.
fn rounded(value: Option<f64>) -> Option<pg_sys::Datum> {
    value
        .filter(|value| value.is_finite())
        .map(|value| (value * 1e4).round() / 1e4)
        .into_datum()
}
