//! The steps of a score, each of which runs over all contacts.

use std::hint::black_box;

use crm_health_scoring::alert::{DealFacts, Rule, RuleRow, speaking};
use crm_health_scoring::config::{Config, GhostModel};
use crm_health_scoring::relationship::{Ordered, explain, measure, reasons, score_with};
use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{
    Assessment, Constants, Streams, assess, ghost_probability, score_horizon_days,
};

use crate::contacts::{Contact, NOW, TODAY, inputs};

/// A step over all contacts.
pub(crate) struct Step<'a> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn Fn() + 'a>,
}

fn step<'a>(name: &'static str, contacts: &'a [Contact], work: impl Fn(&Contact) + 'a) -> Step<'a> {
    let run = Box::new(move || contacts.iter().for_each(&work));
    Step { name, run }
}

/// The steps in the order of a refresh; then what only an explanation takes.
pub(crate) fn all<'a>(contacts: &'a [Contact], config: &'a Config) -> Vec<Step<'a>> {
    let mut steps = silence_steps(contacts, config);
    steps.extend(row_steps(contacts));
    steps.extend(score_steps(contacts, config));
    steps.extend(alert_steps(contacts));
    steps.extend(word_steps(contacts, config));
    steps
}

fn silence_steps<'a>(contacts: &'a [Contact], config: &'a Config) -> Vec<Step<'a>> {
    let (constants, cutoff) = (&config.silence, config.ghost_cutoff);
    vec![
        step("streams of a year of days", contacts, move |of| {
            black_box(grown(Streams::default(), &of.year, constants));
        }),
        step(
            "streams of a kept state and the days since",
            contacts,
            move |of| {
                black_box(grown(of.kept, &of.recent, constants));
            },
        ),
        step("the horizon", contacts, move |of| {
            black_box(score_horizon_days(&of.streams, TODAY, constants));
        }),
        step("a probability", contacts, move |of| {
            black_box(ghost_probability(&of.streams, TODAY, 30, constants));
        }),
        step(
            "an assessment: horizon, probability, days until a ghost",
            contacts,
            move |of| {
                black_box(assess(&of.streams, TODAY, cutoff, constants));
            },
        ),
    ]
}

fn row_steps(contacts: &[Contact]) -> Vec<Step<'_>> {
    vec![
        step("rows copied", contacts, |of| {
            black_box((of.interactions.clone(), of.meetings.clone()));
        }),
        step("rows measured", contacts, |of| {
            black_box(measure(&inputs(&of.interactions, &of.meetings), NOW));
        }),
        step("rows ordered, events to tell found", contacts, |of| {
            let ordered = Ordered::new(inputs(&of.interactions, &of.meetings), NOW);
            black_box(ordered.cited().count());
        }),
    ]
}

fn score_steps<'a>(contacts: &'a [Contact], config: &'a Config) -> Vec<Step<'a>> {
    let rules = Config {
        ghost_model: GhostModel::Rules,
        ..config.clone()
    };
    vec![
        step("the score, rules", contacts, move |of| {
            black_box(score_with(&of.measured.metrics, None, &rules));
        }),
        step("the score, calibrated", contacts, move |of| {
            black_box(score_with(
                &of.measured.metrics,
                of.silence.as_ref(),
                config,
            ));
        }),
        step("its signals as JSON", contacts, |of| {
            black_box(serde_json::to_string(&of.measured.signals).expect("signals are JSON"));
        }),
    ]
}

/// The rules that ship for a stall, on what a contact's metrics would be as those of a deal.
fn alert_steps(contacts: &[Contact]) -> Vec<Step<'_>> {
    let rules: Vec<Rule> = [("14", "warning"), ("30", "critical")]
        .into_iter()
        .map(|(days, severity)| rule(days, severity))
        .collect();
    let said = rules.clone();
    vec![
        step("a deal's rules", contacts, move |of| {
            black_box(speaking(&rules, &facts(of)));
        }),
        step("what its alert says, as a number", contacts, move |of| {
            black_box(said[0].said(&facts(of), &mut String::new()));
        }),
    ]
}

fn rule(days: &str, severity: &str) -> Rule {
    Rule::parse(&RuleRow {
        rule_type: Some("days_in_current_stage".to_owned()),
        threshold_value: Some(serde_json::from_str(days).expect("a number")),
        threshold_operator: Some(">=".to_owned()),
        alert_severity: Some(severity.to_owned()),
        alert_message_template: Some(
            "{deal_name} has been in {stage} for {days_in_stage} days".to_owned(),
        ),
        suggested_action_template: Some("Talk to {company}".to_owned()),
        ..RuleRow::default()
    })
    .expect("a rule")
}

fn facts(of: &Contact) -> DealFacts<'_> {
    let metrics = &of.measured.metrics;
    DealFacts {
        deal_name: Some("Rollout in the north"),
        company: Some("Example"),
        stage: Some("Verbal"),
        days_in_stage: metrics.days_since_last_response,
        days_since_last_activity: metrics.days_since_last_contact,
        ..DealFacts::default()
    }
}

fn word_steps<'a>(contacts: &'a [Contact], config: &'a Config) -> Vec<Step<'a>> {
    vec![
        step("an explanation in rows", contacts, move |of| {
            black_box(explain(&of.measured.metrics, &of.score, config));
        }),
        step("the reasons", contacts, move |of| {
            let (metrics, signals) = (&of.measured.metrics, &of.measured.signals);
            black_box(reasons(metrics, signals, &of.score, config));
        }),
        step("the model's sentence", contacts, |of| {
            black_box(of.silence.as_ref().map(Assessment::sentence));
        }),
    ]
}

fn grown(mut streams: Streams, days: &[(Day, bool)], constants: &Constants) -> Streams {
    for &(day, inbound) in days {
        let _ = streams.push(day, inbound, constants);
    }
    streams
}
