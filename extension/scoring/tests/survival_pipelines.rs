//! Generated pipelines whose hazards are known: the estimates must recover them.

use crm_health_scoring::silence::Metrics;
use crm_health_scoring::survival::{End, HORIZON_DAYS, Hazards, LifeTable, Pipeline, Spell};

const STAGES: usize = 3;
const TYPICAL_DAYS: [f64; STAGES] = [14.0, 21.0, 14.0];

/// A fixed sequence of numbers in 0–1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The true daily hazards of moving on and of being lost: one rises, one falls, one has a bump.
fn truth(stage: usize, day: usize) -> (f64, f64) {
    let day = day as f64;
    match stage {
        0 => (0.02 + 0.002 * day.min(30.0), 0.02),
        1 => (0.08 / (1.0 + 0.1 * day), 0.005 + 0.0005 * day.min(40.0)),
        _ => (
            if (10.0..20.0).contains(&day) {
                0.12
            } else {
                0.03
            },
            0.01,
        ),
    }
}

/// Where a deal that moves on goes: mostly onward, from the second stage sometimes back.
fn next_stage(stage: usize, chance: f64) -> End {
    match stage {
        1 if chance < 0.1 => End::Moved(0),
        STAGES.. | 2 => End::Won,
        _ => End::Moved(stage + 1),
    }
}

/// A generated deal: its spells as seen `window` days after it was created, and when it was won.
struct Deal {
    spells: Vec<Spell>,
    won_after: Option<u32>,
}

/// One deal's life, day by day, recorded until `window` days after its creation.
fn generate(random: &mut Random, window: u32) -> Deal {
    let (mut stage, mut age, mut spells) = (0, 0, Vec::new());
    loop {
        let mut days = 0;
        let end = loop {
            let (moving, lost) = truth(stage, days as usize);
            let draw = random.next();
            if draw < moving {
                break next_stage(stage, random.next());
            }
            if draw < moving + lost {
                break End::Lost;
            }
            days += 1;
        };
        if age <= window {
            // The day on which a spell ends is part of it: seen only if it is over by the window.
            let seen_end = age + days < window;
            let (days, end) = if seen_end {
                (days, end)
            } else {
                (window - age, End::Open)
            };
            spells.push(Spell {
                stage,
                days,
                unseen_days: 0,
                end,
            });
        }
        age += days + 1;
        match end {
            End::Moved(to) => stage = to,
            End::Won => {
                return Deal {
                    spells,
                    won_after: Some(age),
                };
            }
            End::Lost | End::Open => {
                return Deal {
                    spells,
                    won_after: None,
                };
            }
        }
    }
}

fn deals(seed: u64, count: usize) -> Vec<Deal> {
    let mut random = Random(seed);
    // Created over the last 200 days, so many are still open: censoring is heavy.
    (0..count)
        .map(|i| generate(&mut random, 1 + (i % 200) as u32))
        .collect()
}

fn spells(deals: &[Deal]) -> Vec<Spell> {
    deals
        .iter()
        .flat_map(|deal| deal.spells.iter().copied())
        .collect()
}

/// The true chances to be won within 0, 1, … days, by stepping the whole distribution a day at a time.
fn true_wins(stage: usize, days: usize) -> Vec<f64> {
    let mut waiting = vec![vec![0.0; HORIZON_DAYS * 2]; STAGES];
    waiting[stage][days] = 1.0;
    let (mut won, mut wins) = (0.0, vec![0.0]);
    for _ in 0..HORIZON_DAYS {
        let mut next = vec![vec![0.0; HORIZON_DAYS * 2]; STAGES];
        for (stage, by_day) in waiting.iter().enumerate() {
            for (day, &share) in by_day.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let (moving, lost) = truth(stage, day);
                next[stage][day + 1] += share * (1.0 - moving - lost);
                match stage {
                    0 => next[1][0] += share * moving,
                    1 => {
                        next[0][0] += share * moving * 0.1;
                        next[2][0] += share * moving * 0.9;
                    }
                    _ => won += share * moving,
                }
            }
        }
        waiting = next;
        wins.push(won);
    }
    wins
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
        let deal = generate(&mut random, u32::MAX);
        let age = index % 60;
        let (mut start, mut now) = (0, None);
        for spell in &deal.spells {
            if start <= age && age <= start + spell.days {
                now = Some((spell.stage, age - start));
            }
            start += spell.days + 1;
        }
        if let Some((stage, days)) = now {
            let won = deal.won_after.is_some_and(|after| after <= age + 45);
            predictions.push((pipeline.win_within(stage, days, 45).unwrap(), won));
        }
    }
    let metrics = Metrics::of(predictions).unwrap();
    assert!(metrics.rows > 2_000);
    assert!(metrics.calibration_error < 0.03, "{metrics:?}");
    assert!(metrics.auc.unwrap() > 0.65, "{metrics:?}");
}
