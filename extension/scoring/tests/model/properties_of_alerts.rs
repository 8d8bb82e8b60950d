//! What holds of alerts for any rule, any name and any course of events.

use crm_health_scoring::alert::{
    AlertSeverity, DealFacts, Open, OpenState, Placeholder, Rule, RuleRow, Step, Template,
    speaking, step,
};
use crm_health_scoring::interaction::Instant;
use proptest::prelude::*;
use serde_json::json;

fn severity() -> impl Strategy<Value = AlertSeverity> {
    prop::sample::select(AlertSeverity::ALL.to_vec())
}

fn fill(template: &Template, deal: &DealFacts<'_>) -> String {
    let mut text = String::new();
    template.fill(deal, &mut text);
    text
}

fn rule(days: i64, severity: AlertSeverity) -> Rule {
    let row: RuleRow = serde_json::from_value(json!({
        "rule_name": "r", "rule_type": "days_in_current_stage", "threshold_value": days,
        "threshold_operator": ">=", "alert_severity": severity, "alert_message_template": "{deal_name}",
    }))
    .expect("a row");
    Rule::parse(&row).expect("a rule")
}

proptest! {
    /// A value is filled in to the letter, whatever it holds, between texts that stay as they are.
    #[test]
    fn what_is_filled_in_is_never_looked_at_again(
        before in "[^{}]{0,20}", after in "[^{}]{0,20}", name in "\\PC{1,60}",
    ) {
        let template = Template::parse(&format!("{before}{{deal_name}}{after}")).expect("a template");
        let deal = DealFacts { deal_name: Some(&name), ..DealFacts::default() };
        let shown = if name.trim().is_empty() { "unnamed deal" } else { name.trim() };
        prop_assert_eq!(fill(&template, &deal), format!("{before}{shown}{after}"));
    }

    /// Any text with its braces doubled means itself.
    #[test]
    fn a_text_with_doubled_braces_is_that_text(text in "\\PC{0,80}") {
        let doubled = text.replace('{', "{{").replace('}', "}}");
        let template = Template::parse(&doubled).expect("a template");
        prop_assert_eq!(fill(&template, &DealFacts::default()), text);
    }

    /// No text makes the parser fail otherwise than by saying why.
    #[test]
    fn any_text_is_a_template_or_an_error_that_says_why(text in "[{}a-z_]{0,40}|\\PC{0,80}") {
        if let Err(reason) = Template::parse(&text) {
            prop_assert!(reason.starts_with("a lone") || reason.starts_with("unknown placeholder"), "{}", reason);
        }
    }

    /// Every text of known placeholders is a template, and none is left in what it makes.
    #[test]
    fn all_placeholders_are_replaced(order in prop::collection::vec(prop::sample::select(Placeholder::ALL.to_vec()), 0..12)) {
        let text: String = order.iter().map(|placeholder| format!("{{{placeholder}}} ")).collect();
        let filled = fill(&Template::parse(&text).expect("a template"), &DealFacts::default());
        prop_assert!(!filled.contains(['{', '}']), "{}", filled);
    }

    /// Of any rules there is one alert of the type at most, and it is the gravest that holds.
    #[test]
    fn the_gravest_rule_that_holds_speaks(
        rules in prop::collection::vec((0_i64..40, severity()), 0..12), days in 0_i64..40,
    ) {
        let deal = DealFacts { days_in_stage: Some(days), ..DealFacts::default() };
        let gravest = rules.iter().filter(|(least, _)| days >= *least).map(|(_, severity)| *severity).max();
        let parsed: Vec<Rule> = rules.iter().map(|(least, severity)| rule(*least, *severity)).collect();
        let found: Vec<AlertSeverity> = speaking(&parsed, &deal).into_iter().flatten().map(Rule::severity).collect();
        prop_assert_eq!(found, Vec::from_iter(gravest));
    }

    /// A dismissed alert is not raised again within its time by anything as grave or less.
    #[test]
    fn a_dismissed_alert_is_quiet(
        was in severity(), holds in severity(), passed in 0_i64..100, quiet in 0_i64..100,
    ) {
        let now = Instant(1_700_000_000_000_000);
        let open = Open { severity: was, state: OpenState::Dismissed(now.minus_days(passed)) };
        let loud = step(Some(open), Some(holds), now, quiet) == Step::RaiseAgain;
        prop_assert_eq!(loud, holds > was || passed >= quiet);
    }

    /// Told of is only what is new or worse: repeating the same changes nothing.
    #[test]
    fn the_same_again_is_told_of_once(course in prop::collection::vec(prop::option::of(severity()), 1..20)) {
        let now = Instant(0);
        let mut open: Option<Open> = None;
        for holds in course {
            for repeat in 0..3 {
                let next = step(open, holds, now, 14);
                if repeat > 0 {
                    prop_assert!(matches!(next, Step::Rest | Step::Restate), "{:?}", next);
                }
                open = holds.map(|severity| Open { severity, state: OpenState::Active });
            }
        }
    }
}
