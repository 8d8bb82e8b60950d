//! docs/scoring.md tells every word that a score can say, and the defaults as they ship.

use std::fs;

use crate::markdown::Document;
use crm_health_tests::Database;
use crm_health_tests::cluster::repository;

/// Where the core names risks, signals, severities, statuses and actions.
const SOURCES: [&str; 5] = [
    "deal/score.rs",
    "relationship/risk.rs",
    "ghost/mod.rs",
    "ghost/assess.rs",
    "status.rs",
];

#[test]
fn every_word_that_a_score_can_say_is_explained() {
    let document = Document::read("docs/scoring.md");
    for source in SOURCES {
        let path = repository().join("extension/scoring/src").join(source);
        let code = fs::read_to_string(path).expect("a file of the core");
        // `Name = "word",` in an enum of words.
        let lines = code.lines().filter(|line| line.ends_with("\","));
        let words: Vec<&str> = lines
            .filter_map(|line| line.trim_end_matches("\",").split_once(" = \""))
            .map(|(_, word)| word)
            .collect();
        assert!(!words.is_empty(), "{source} has no words");
        for word in words {
            assert!(
                document.text.contains(word),
                "{source}: {word} is not explained"
            );
        }
    }
}

#[test]
fn shares_and_thresholds_are_those_that_ship() {
    let document = Document::read("docs/scoring.md");
    let lines = "SELECT format('| %s | %s %% |', replace(replace(signal, '_', ' '), 'behavior', 'behaviour'), round(100 * weight))
                 FROM crm_health.signal_weights
                 UNION ALL
                 SELECT format('| %s | %s%s | %s | %s |', replace(stage, '*', 'any other'), optimal_days,
                               CASE stage WHEN 'SQL' THEN ' days' ELSE '' END, warning_days, critical_days)
                 FROM crm_health.stage_thresholds WHERE stage <> 'Signed'";
    for row in Database::new().query(lines, &[]) {
        let line: String = row.get(0);
        assert!(
            document.prose().any(|found| found.starts_with(&line)),
            "not told: {line}"
        );
    }
}
