//! Rules, templates and the life of an alert, case by case.

use crm_health_scoring::alert::{
    Alert, AlertSeverity as Severity, AlertType, DealFacts, Metric, Open, OpenState, Placeholder,
    Priority, Rule, RuleRow, Step, Template, speaking, step,
};
use crm_health_scoring::interaction::Instant;
use crm_health_scoring::status::SentimentTrend;
use serde_json::{Value, json};

const DAY: i64 = 86_400_000_000;

/// A rule made of JSON, with what a test changes of one that can be used.
fn parse(changes: &Value) -> Result<Rule, String> {
    let mut row = json!({
        "rule_name": "r", "rule_type": "days_in_current_stage", "threshold_value": 5,
        "threshold_operator": ">=", "alert_severity": "warning", "alert_message_template": "{deal_name}",
    });
    for (key, value) in changes.as_object().expect("changes") {
        row[key] = value.clone();
    }
    let row: RuleRow = serde_json::from_value(row).expect("a row");
    Rule::parse(&row).map_err(|error| error.to_string())
}

fn rule(changes: &Value) -> Rule {
    parse(changes).expect("a rule")
}

fn raised(rules: &[Rule], deal: &DealFacts<'_>) -> Vec<Alert> {
    let speaking = speaking(rules, deal);
    speaking
        .into_iter()
        .flatten()
        .map(|rule| rule.alert(deal))
        .collect()
}

fn fill(template: &Template, deal: &DealFacts<'_>) -> String {
    let mut text = String::new();
    template.fill(deal, &mut text);
    text
}

fn deal() -> DealFacts<'static> {
    DealFacts {
        deal_name: Some("Renewal"),
        company: Some("Acme"),
        stage: Some("SQL"),
        value: Some(1000.0),
        overall_health_score: Some(40),
        days_in_stage: Some(6),
        days_since_last_activity: Some(9),
        days_since_last_meeting: Some(-2),
        meeting_count_30d: Some(3),
        activity_count_30d: Some(4),
        avg_response_time_hours: Some(52.25),
        avg_sentiment: Some(-0.355),
        sentiment_trend: SentimentTrend::Declining,
        days_until_close: Some(7),
    }
}

#[test]
fn each_metric_reads_its_own_number_and_nothing_from_a_deal_of_which_nothing_is_known() {
    let known = [6.0, -1.0, -0.355, 9.0, -2.0, 3.0, 4.0, 52.25, 7.0, 40.0];
    for (metric, expected) in Metric::ALL.iter().zip(known) {
        assert_eq!(metric.of(&deal()), Some(expected), "{metric}");
        assert_eq!(metric.of(&DealFacts::default()), None, "{metric}");
    }
}

#[test]
fn trends_are_numbers_and_a_close_date_that_is_past_is_none() {
    for (trend, number) in [
        (SentimentTrend::Improving, Some(1.0)),
        (SentimentTrend::Stable, Some(0.0)),
        (SentimentTrend::Declining, Some(-1.0)),
        (SentimentTrend::Unknown, None),
    ] {
        let deal = DealFacts {
            sentiment_trend: trend,
            ..deal()
        };
        assert_eq!(Metric::SentimentTrend.of(&deal), number);
    }
    for (days, number) in [(0, Some(0.0)), (-1, None)] {
        let deal = DealFacts {
            days_until_close: Some(days),
            ..deal()
        };
        assert_eq!(Metric::DaysUntilClose.of(&deal), number);
    }
}

#[test]
fn operators_hold_on_their_side_of_the_threshold_and_noise_is_none() {
    for (operator, below, at, above) in [
        (">", false, false, true),
        (">=", false, true, true),
        ("=", false, true, false),
        ("<=", true, true, false),
        ("<", true, false, false),
    ] {
        for (hours, expected) in [(47.9, below), (48.0, at), (48.0 + 1e-12, at), (48.1, above)] {
            let rule = rule(
                &json!({"rule_type": "avg_response_time_hours", "threshold_operator": operator, "threshold_value": 48}),
            );
            let deal = DealFacts {
                avg_response_time_hours: Some(hours),
                ..deal()
            };
            assert_eq!(rule.holds(&deal), expected, "{hours} {operator} 48");
        }
    }
}

#[test]
fn placeholders_are_filled_and_what_is_unknown_says_so() {
    for (placeholder, known, unknown) in [
        (Placeholder::DealName, "Renewal", "unnamed deal"),
        (Placeholder::Company, "Acme", "unknown company"),
        (Placeholder::Stage, "SQL", "no stage"),
        (Placeholder::DaysInStage, "6", "unknown"),
        (Placeholder::DaysInactive, "9", "unknown"),
        (Placeholder::CurrentSentiment, "-0.35", "unknown"),
        (Placeholder::MeetingCount, "3", "unknown"),
        (Placeholder::AvgResponseHours, "52.2", "unknown"),
        (Placeholder::DaysUntilClose, "7", "unknown"),
    ] {
        let template = Template::parse(&format!("<{{{placeholder}}}>")).expect("a template");
        assert_eq!(fill(&template, &deal()), format!("<{known}>"));
        assert_eq!(
            fill(&template, &DealFacts::default()),
            format!("<{unknown}>")
        );
    }
    assert_eq!(Placeholder::ALL.len(), 9, "all of them");
}

#[test]
fn braces_in_names_stay_and_doubled_braces_are_one() {
    let template = Template::parse("{{{deal_name}}} of {company}, {{stage}}").expect("a template");
    let deal = DealFacts {
        deal_name: Some("{company}"),
        company: Some("}}{{deal_name}"),
        ..deal()
    };
    assert_eq!(
        fill(&template, &deal),
        "{{company}} of }}{{deal_name}, {stage}"
    );
}

#[test]
fn a_lone_brace_or_a_strange_placeholder_is_refused() {
    for (text, reason) in [
        ("{", "a lone {"),
        ("x } y", "a lone }"),
        ("{deal_name", "a lone {"),
        ("{{deal_name}", "a lone }"),
        ("{deal{name}", "a lone {"),
        ("{}", "unknown placeholder {}"),
        ("{ deal_name }", "unknown placeholder { deal_name }"),
        ("{DEAL_NAME}", "unknown placeholder {DEAL_NAME}"),
    ] {
        let error = Template::parse(text).expect_err(text);
        assert!(error.starts_with(reason), "{text}: {error}");
    }
}

#[test]
fn a_name_beyond_all_measure_is_cut() {
    let template = Template::parse("{deal_name}").expect("a template");
    for (name, shown) in [
        ("é".repeat(200), "é".repeat(200)),
        ("é".repeat(201), format!("{}…", "é".repeat(199))),
        ("  ".into(), "unnamed deal".into()),
    ] {
        let deal = DealFacts {
            deal_name: Some(&name),
            ..deal()
        };
        assert_eq!(fill(&template, &deal), shown);
    }
}

#[test]
fn an_action_is_a_line_and_a_name_of_two_lines_is_still_one_action() {
    let rule = rule(&json!({"suggested_action_template": "Call {company}\n\n  Write to them  \n"}));
    let deal = DealFacts {
        company: Some("A\nB"),
        ..deal()
    };
    let alert = raised(&[rule], &deal).remove(0);
    assert_eq!(alert.suggested_actions, ["Call A\nB", "Write to them"]);
}

#[test]
fn severity_gives_the_priority_and_the_metric_the_type() {
    for (severity, priority) in [
        ("info", Priority::Medium),
        ("warning", Priority::Medium),
        ("critical", Priority::Urgent),
    ] {
        let alert = raised(&[rule(&json!({"alert_severity": severity}))], &deal()).remove(0);
        assert_eq!(alert.priority, priority);
    }
    let types: Vec<&str> = Metric::ALL
        .iter()
        .map(|metric| metric.alert_type().as_str())
        .collect();
    assert_eq!(
        types,
        [
            "stage_stall",
            "sentiment_drop",
            "sentiment_drop",
            "no_activity",
            "engagement_decline",
            "engagement_decline",
            "no_activity",
            "missed_follow_up",
            "close_date_approaching",
            "high_risk"
        ]
    );
}

#[test]
fn of_equally_severe_rules_the_first_speaks_and_types_do_not_mix() {
    let rules = [
        rule(&json!({"rule_name": "a", "alert_severity": "info"})),
        rule(&json!({"rule_name": "b"})),
        rule(&json!({"rule_name": "c"})),
        rule(&json!({"rule_name": "d", "alert_severity": "critical", "threshold_value": 7})),
        rule(&json!({"rule_name": "e", "alert_type": "high_risk", "alert_severity": "critical"})),
    ];
    let names: Vec<(AlertType, String)> = raised(&rules, &deal())
        .into_iter()
        .map(|alert| (alert.alert_type, alert.rule_name))
        .collect();
    assert_eq!(
        names,
        [
            (AlertType::StageStall, "b".into()),
            (AlertType::HighRisk, "e".into())
        ]
    );
}

#[test]
fn what_follows_for_an_alert() {
    let now = Instant(100 * DAY);
    let open = |severity, state| Some(Open { severity, state });
    let dismissed = |days: i64| OpenState::Dismissed(now.minus_days(days));
    for (found, holds, expected) in [
        (None, None, Step::Rest),
        (None, Some(Severity::Info), Step::Raise),
        (
            open(Severity::Warning, OpenState::Active),
            None,
            Step::Resolve,
        ),
        (
            open(Severity::Warning, OpenState::Acknowledged),
            None,
            Step::Resolve,
        ),
        (open(Severity::Warning, dismissed(1)), None, Step::Resolve),
        (
            open(Severity::Warning, OpenState::Active),
            Some(Severity::Critical),
            Step::Worsen,
        ),
        (
            open(Severity::Warning, OpenState::Acknowledged),
            Some(Severity::Critical),
            Step::Worsen,
        ),
        (
            open(Severity::Warning, OpenState::Active),
            Some(Severity::Warning),
            Step::Restate,
        ),
        (
            open(Severity::Warning, OpenState::Acknowledged),
            Some(Severity::Info),
            Step::Restate,
        ),
        (
            open(Severity::Warning, dismissed(13)),
            Some(Severity::Warning),
            Step::Rest,
        ),
        (
            open(Severity::Warning, dismissed(13)),
            Some(Severity::Info),
            Step::Rest,
        ),
        (
            open(Severity::Warning, dismissed(14)),
            Some(Severity::Info),
            Step::RaiseAgain,
        ),
        (
            open(Severity::Warning, dismissed(0)),
            Some(Severity::Critical),
            Step::RaiseAgain,
        ),
        (
            open(Severity::Warning, dismissed(-3)),
            Some(Severity::Warning),
            Step::Rest,
        ),
    ] {
        assert_eq!(step(found, holds, now, 14), expected, "{found:?} {holds:?}");
    }
    let at_once = step(
        open(Severity::Info, dismissed(0)),
        Some(Severity::Info),
        now,
        0,
    );
    assert_eq!(at_once, Step::RaiseAgain, "no quiet at all");
}

#[test]
fn a_row_without_anything_says_what_is_missing_first() {
    let error = Rule::parse(&RuleRow::default()).expect_err("nothing there");
    assert!(
        error
            .to_string()
            .starts_with("rule_type is missing, expected one of days_in_current_stage")
    );
    for (column, value) in [
        ("threshold_value", json!("5")),
        ("threshold_value", json!(true)),
        ("threshold_operator", json!("")),
        ("alert_severity", Value::Null),
        ("conditions", json!({"deal_value_min": "1"})),
        ("conditions", json!({"stage": [1]})),
        ("conditions", json!("SQL")),
    ] {
        let error = parse(&json!({column: value})).expect_err(column);
        assert!(
            error.contains(column.trim_end_matches('s')),
            "{column}: {error}"
        );
    }
}

#[test]
fn the_number_for_what_is_said_changes_with_each_word_of_it_and_with_nothing_else() {
    let base = json!({"alert_message_template": "{days_in_stage}", "suggested_action_template": "{company}"});
    let mut scratch = String::from("left over");
    let mut said = |changes: &Value, deal: &DealFacts<'_>| rule(changes).said(deal, &mut scratch);
    let first = said(&base, &deal());
    assert_eq!(rule(&base).alert(&deal()).said, first);
    let later = DealFacts {
        meeting_count_30d: Some(9),
        ..deal()
    };
    assert_eq!(said(&base, &later), first, "nothing that is said");
    let mut graver = base.clone();
    graver["alert_severity"] = json!("critical");
    for (changes, deal) in [
        (
            &base,
            DealFacts {
                deal_name: Some("Other"),
                ..deal()
            },
        ),
        (
            &base,
            DealFacts {
                days_in_stage: Some(7),
                ..deal()
            },
        ),
        (
            &base,
            DealFacts {
                company: Some("Other"),
                ..deal()
            },
        ),
        (&graver, deal()),
    ] {
        assert_ne!(said(changes, &deal), first, "{deal:?}");
    }
    // As it is stored: it must be the same in every version.
    assert_eq!(first, 4_063_749_855_402_273_388);
}
