//! The configuration: what ships, what is refused, and that scores follow it.

use crm_health_scoring::config::{Config, GhostModel, StageThresholds};
use crm_health_scoring::deal::{self, DealMetrics};
use crm_health_scoring::relationship::{self, RelationshipMetrics};
use crm_health_scoring::status::{DealStatus, RelationshipStatus};
use serde_json::{Value, json};

fn shipped() -> Value {
    json!({
        "stage_thresholds": {
            "SQL": {"optimal_days": 7, "warning_days": 14, "critical_days": 30},
            "Opportunity": {"optimal_days": 14, "warning_days": 21, "critical_days": 45},
            "Verbal": {"optimal_days": 7, "warning_days": 14, "critical_days": 21},
            "Signed": {"optimal_days": 0, "warning_days": 0, "critical_days": 0}
        },
        "default_stage": {"optimal_days": 14, "warning_days": 21, "critical_days": 30},
        "deal_weights": {"stage_velocity": 3000, "sentiment": 2500, "engagement": 2000,
                         "activity": 1500, "response_time": 1000},
        "relationship_weights": {"communication_frequency": 2500, "response_behavior": 3000,
                                 "engagement_quality": 2000, "sentiment": 1500,
                                 "meeting_pattern": 1000},
        "deal_cutoffs": {"healthy": 75, "warning": 50, "critical": 25},
        "relationship_cutoffs": {"healthy": 70, "at_risk": 50},
        "ghost_model": "rules",
        "silence": {"shape": 0.75, "gap_prior": 11.3031, "dropout_a": 0.2046,
                    "dropout_b": 1.7403, "memory": 0.8847,
                    "beta": [0.0478, 0.3532, 0.6818, -0.6633, 0.6117]},
        "ghost_cutoff": 0.5
    })
}

#[test]
fn what_ships_is_the_documented_json_both_ways() {
    assert_eq!(
        serde_json::from_value::<Config>(shipped()).unwrap(),
        Config::default()
    );
    assert_eq!(serde_json::to_value(Config::default()).unwrap(), shipped());
    assert_eq!(Config::default().validate(), Ok(()));
    assert_eq!(Config::default().ghost_model, GhostModel::Rules);
}

#[test]
fn a_misspelt_key_or_an_unknown_model_is_refused_by_name() {
    let places = [
        "",
        "/default_stage",
        "/deal_weights",
        "/deal_cutoffs",
        "/relationship_cutoffs",
    ];
    for place in places
        .into_iter()
        .chain(["/relationship_weights", "/stage_thresholds/SQL"])
    {
        let mut json = shipped();
        json.pointer_mut(place).unwrap()["misspelt"] = json!(1);
        let error = serde_json::from_value::<Config>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains("`misspelt`"), "{place}: {error}");
    }
    let error = serde_json::from_value::<Config>(json!({"ghost_model": "guess"})).unwrap_err();
    assert!(error.to_string().contains("`guess`"), "{error}");
}

#[test]
fn constants_that_the_silence_model_cannot_work_with_are_refused() {
    let mut config = Config::default();
    config.silence.shape = 1.5;
    let refused = config.validate().unwrap_err().to_string();
    assert!(refused.contains("\"shape\""), "{refused}");
    for cutoff in [-0.1, 1.1, f64::NAN] {
        let config = Config {
            ghost_cutoff: cutoff,
            ..Config::default()
        };
        let refused = config.validate().unwrap_err().to_string();
        assert!(refused.contains("cut-off"), "{refused}");
    }
}

/// What `validate` says of the shipped configuration with one value changed.
fn refusal(place: &str, value: i64) -> String {
    let mut json = shipped();
    *json.pointer_mut(place).unwrap() = json!(value);
    let config: Config = serde_json::from_value(json).unwrap();
    config
        .validate()
        .map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn each_rule_names_what_breaks_it() {
    let verbal = "thresholds of stage \"Verbal\" must satisfy 0 <= optimal <= warning <= critical";
    let other = "thresholds of the default stage must satisfy";
    let deal = "cut-offs of the deal model must descend within 100 to 0";
    let relationship = "cut-offs of the relationship model must descend within 100 to 0";
    let table = [
        ("/deal_weights/engagement", 0, ""),
        (
            "/deal_weights/engagement",
            -1,
            "weight of \"engagement\" in the deal model is negative",
        ),
        (
            "/relationship_weights/sentiment",
            -5,
            "\"sentiment\" in the relationship model",
        ),
        ("/stage_thresholds/Verbal/optimal_days", 14, ""),
        ("/stage_thresholds/Verbal/optimal_days", 15, verbal),
        ("/stage_thresholds/Verbal/optimal_days", 0, ""),
        ("/stage_thresholds/Verbal/optimal_days", -1, verbal),
        ("/stage_thresholds/Verbal/warning_days", 21, ""),
        ("/stage_thresholds/Verbal/warning_days", 22, verbal),
        ("/default_stage/critical_days", 21, ""),
        ("/default_stage/critical_days", 20, other),
        ("/deal_cutoffs/healthy", 100, ""),
        ("/deal_cutoffs/healthy", 101, deal),
        ("/deal_cutoffs/healthy", 51, ""),
        ("/deal_cutoffs/healthy", 50, deal),
        ("/deal_cutoffs/critical", 0, ""),
        ("/deal_cutoffs/critical", -1, deal),
        ("/deal_cutoffs/critical", 50, deal),
        ("/relationship_cutoffs/at_risk", 69, ""),
        ("/relationship_cutoffs/at_risk", 70, relationship),
        ("/relationship_cutoffs/at_risk", -1, relationship),
    ];
    for (place, value, expected) in table {
        let found = refusal(place, value);
        assert_eq!(
            expected.is_empty(),
            found.is_empty(),
            "{place} = {value}: {found}"
        );
        assert!(found.contains(expected), "{place} = {value}: {found}");
    }
}

#[test]
fn a_refusal_quotes_what_was_found() {
    assert!(refusal("/stage_thresholds/Verbal/warning_days", 22).ends_with("7 / 22 / 21"));
    assert!(refusal("/deal_cutoffs/critical", 51).ends_with("healthy 75, warning 50, critical 51"));
}

#[test]
fn weights_that_sum_to_zero_are_refused_and_still_give_a_score() {
    let mut json = shipped();
    json["deal_weights"] = json!({"stage_velocity": 0, "sentiment": 0, "engagement": 0,
                                  "activity": 0, "response_time": 0});
    let config: Config = serde_json::from_value(json).unwrap();
    let error = config.validate().unwrap_err().to_string();
    assert_eq!(error, "weights of the deal model sum to zero");
    // (50 + 50 + 50 + 50 + 70) / 5
    assert_eq!(
        deal::score(&DealMetrics::default(), &config).overall_health_score,
        54
    );
}

#[test]
fn only_the_proportions_of_weights_matter() {
    let metrics = DealMetrics {
        days_in_stage: Some(17),
        ..Default::default()
    };
    let plain = deal::score(&metrics, &Config::default());
    let mut json = shipped();
    for weight in json["deal_weights"].as_object_mut().unwrap().values_mut() {
        *weight = json!(weight.as_i64().unwrap() * 900_000_000_000_000);
    }
    let scaled = serde_json::from_value(json).unwrap();
    assert_eq!(deal::score(&metrics, &scaled), plain);
}

#[test]
fn equal_thresholds_do_not_divide_by_zero() {
    let mut config = Config::default();
    for (optimal_days, warning_days, critical_days) in [(5, 5, 9), (5, 9, 9), (5, 5, 5)] {
        config.default_stage = StageThresholds {
            optimal_days,
            warning_days,
            critical_days,
        };
        let velocity = |days| {
            let metrics = DealMetrics {
                days_in_stage: Some(days),
                ..Default::default()
            };
            deal::score(&metrics, &config).stage_velocity_score
        };
        let after = i64::from(critical_days) + 1;
        assert_eq!(
            (velocity(5), velocity(after)),
            (100, 20),
            "{:?}",
            config.default_stage
        );
    }
}

#[test]
fn a_stage_of_ones_own_has_its_own_thresholds() {
    let mut config = Config::default();
    let own = StageThresholds {
        optimal_days: 1,
        warning_days: 2,
        critical_days: 3,
    };
    config.stage_thresholds.insert("Pilot ☂".to_owned(), own);
    let metrics = DealMetrics {
        stage: Some("Pilot ☂".to_owned()),
        days_in_stage: Some(3),
        ..Default::default()
    };
    assert_eq!(deal::score(&metrics, &config).stage_velocity_score, 20);
}

#[test]
fn status_follows_the_cut_offs() {
    let mut config = Config::default();
    config.deal_cutoffs.healthy = 52;
    let score = deal::score(&DealMetrics::default(), &config);
    assert_eq!(
        (score.overall_health_score, score.health_status),
        (52, DealStatus::Healthy)
    );
    config.relationship_cutoffs.at_risk = 51;
    let score = relationship::score(&RelationshipMetrics::default(), &config);
    assert_eq!(
        (score.overall_health_score, score.health_status),
        (50, RelationshipStatus::Critical)
    );
}
