//! Generated pipelines whose hazards are known: the estimates must recover them.

mod survival_generated;

use crm_health_scoring::silence::Metrics;
use crm_health_scoring::survival::{HORIZON_DAYS, Hazards, LifeTable, Outlook, Pipeline};
use survival_generated::{Deal, Owner, Random, STAGES, TYPICAL_DAYS, spells};

fn deals(seed: u64, count: usize) -> Vec<Deal> {
    Owner::AVERAGE.deals(&mut Random(seed), count)
}

fn truth(stage: usize, day: usize) -> (f64, f64) {
    Owner::AVERAGE.truth(stage, day)
}

fn true_wins(stage: usize, days: usize) -> Vec<f64> {
    Owner::AVERAGE.true_wins(stage, days, HORIZON_DAYS)
}

/// Raw estimates lie within four standard errors of the truth (Greenwood, day by day).
#[test]
fn recovers_survival_and_both_incidences_of_each_stage() {
    let tables = LifeTable::of(&spells(&deals(11, 20_000)), STAGES).unwrap();
    for (stage, table) in tables.iter().enumerate() {
        let hazards: Vec<(f64, f64)> = (0..HORIZON_DAYS).map(|day| truth(stage, day)).collect();
        let exact = Hazards {
            moving: hazards.iter().map(|h| h.0).collect(),
            lost: hazards.iter().map(|h| h.1).collect(),
        };
        let raw = table.raw_hazards();
        let (moved, lost) = (raw.cumulative_incidence(), exact.cumulative_incidence());
        let (survival, true_survival) = (raw.survival(), exact.survival());
        let mut variance = 0.0;
        for day in 0..60 {
            let at_risk = f64::from(table.at_risk[day]);
            let leaving = exact.moving[day] + exact.lost[day];
            variance += leaving / (at_risk * (1.0 - leaving));
            let error = 4.0 * variance.sqrt() * true_survival[day + 1];
            let off = (survival[day + 1] - true_survival[day + 1]).abs();
            assert!(
                off <= error,
                "stage {stage}, day {day}: survival off by {off}, allowed {error}"
            );
            // The incidences vary no more than a share of as many spells as entered this day.
            let of_share = 4.0 * (0.25 / at_risk).sqrt();
            assert!(
                (moved.0[day + 1] - lost.0[day + 1]).abs() <= of_share,
                "moved, day {day}"
            );
            assert!(
                (moved.1[day + 1] - lost.1[day + 1]).abs() <= of_share,
                "lost, day {day}"
            );
            let total = survival[day + 1] + moved.0[day + 1] + moved.1[day + 1];
            assert!(
                (total - 1.0).abs() < 1e-9,
                "someone is neither here nor gone: {total}"
            );
        }
    }
}

/// Three standard errors of a share of the spells that reached the deal's day, and a point for the
/// stages ahead.
#[test]
fn recovers_the_chance_to_be_won() {
    let spells = spells(&deals(12, 20_000));
    let tables = LifeTable::of(&spells, STAGES).unwrap();
    let pipeline = Pipeline::fit(&TYPICAL_DAYS, &spells).unwrap().unwrap();
    for (stage, table) in tables.iter().enumerate() {
        for days in [0, 5, 15, 30] {
            let exact = true_wins(stage, days as usize);
            let at_risk = f64::from(table.at_risk[days as usize]);
            let allowed = 3.0 * (0.25 / at_risk).sqrt() + 0.01;
            for horizon in [7, 30, 90] {
                let found = pipeline.win_within(stage, days, horizon).unwrap();
                let off = (found - exact[horizon as usize]).abs();
                assert!(
                    off <= allowed,
                    "stage {stage}, {days} days, {horizon} ahead: off by {off}, not {allowed}"
                );
            }
        }
    }
}

/// Late in a stage some 900 spells are left: a standard error of 1½ points, and 3 % of the days.
#[test]
fn recovers_the_days_to_close() {
    let pipeline = Pipeline::fit(&TYPICAL_DAYS, &spells(&deals(13, 20_000)))
        .unwrap()
        .unwrap();
    for (stage, days) in [(0, 0), (1, 10), (2, 0), (2, 25)] {
        let outlook = pipeline.outlook(stage, days).unwrap();
        let wins = true_wins(stage, days as usize);
        let year = wins[HORIZON_DAYS];
        let exact: f64 = wins[..HORIZON_DAYS]
            .iter()
            .map(|won| 1.0 - won / year)
            .sum();
        let found = outlook.days_to_close.unwrap();
        assert!(
            (found / exact - 1.0).abs() < 0.06,
            "stage {stage}: {found} days, not {exact}"
        );
        assert!(
            (outlook.win_probability - year).abs() < 0.03,
            "{outlook:?}, not {year}"
        );
    }
}

/// When it says 80 %, 8 of 10 are won: on deals that the fit has not seen.
#[test]
fn its_probabilities_hold_on_unseen_deals() {
    let pipeline = Pipeline::fit(&TYPICAL_DAYS, &spells(&deals(14, 3_000)))
        .unwrap()
        .unwrap();
    let mut predictions = Vec::new();
    let mut random = Random(15);
    for index in 0..6_000 {
        let deal = Owner::AVERAGE.generate(&mut random, u32::MAX);
        let age = index % 60;
        if let Some((stage, days)) = deal.at_age(age) {
            let won = deal.won_after.is_some_and(|after| after <= age + 45);
            predictions.push((pipeline.win_within(stage, days, 45).unwrap(), won));
        }
    }
    let metrics = Metrics::of(predictions).unwrap();
    assert!(metrics.rows > 2_000);
    assert!(metrics.calibration_error < 0.03, "{metrics:?}");
    assert!(metrics.auc.unwrap() > 0.65, "{metrics:?}");
}

/// Nothing is certain before it is signed.
#[test]
fn a_chance_is_told_as_no_certainty() {
    let told = |win_probability| {
        let outlook = Outlook {
            win_probability,
            days_to_close: None,
            slower_than: 0.5,
        };
        outlook.sentence()
    };
    assert!(told(0.999).contains("over 99 % likely to be won"));
    assert!(told(0.99).contains("; 99 % likely to be won"));
    assert!(told(0.002).contains("under 1 % likely to be won"));
}
