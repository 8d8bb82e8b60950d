//! The survival of deals in their stages: counting, shrinkage, bounds, and input that goes wrong.

use crm_health_scoring::survival::{
    End, HORIZON_DAYS, Hazards, KAPPA, LifeTable, MIN_COMPLETED, Pipeline, Spell, StageModel,
    SurvivalError, Weibull,
};

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

fn spell(stage: usize, days: u32, end: End) -> Spell {
    Spell {
        stage,
        days,
        unseen_days: 0,
        end,
    }
}

/// A small history of every kind of end, in every stage.
fn mixed() -> Vec<Spell> {
    let end = |stage: usize, i: u32| match (i % 4, stage) {
        (0, _) => End::Open,
        (1, _) => End::Lost,
        (_, 2) => End::Won,
        _ => End::Moved(stage + 1),
    };
    (0..STAGES)
        .flat_map(|stage| (0..60).map(move |i| spell(stage, i / 3, end(stage, i))))
        .collect()
}

#[test]
fn counts_by_hand() {
    let tables = LifeTable::of(
        &[
            spell(0, 0, End::Lost),
            spell(0, 1, End::Moved(1)),
            spell(0, 1, End::Open),
            Spell {
                unseen_days: 1,
                ..spell(0, 2, End::Won)
            },
            Spell {
                unseen_days: 2,
                ..spell(0, 2, End::Open)
            },
        ],
        2,
    )
    .unwrap();
    assert_eq!(tables[0].at_risk[..4], [3, 2, 1, 0]);
    assert_eq!(tables[0].moved[..4], [0, 1, 1, 0]);
    assert_eq!(tables[0].lost[..4], [1, 0, 0, 0]);
    assert_eq!(tables[0].destinations, [0, 1, 1]);
    assert_eq!(tables[0].completed(), 3);
    let survival = tables[0].raw_hazards().survival();
    assert!((survival[1] - 2.0 / 3.0).abs() < 1e-12 && (survival[2] - 1.0 / 3.0).abs() < 1e-12);
    let (moved, lost) = tables[0].raw_hazards().cumulative_incidence();
    assert!((lost[3] - 1.0 / 3.0).abs() < 1e-12 && (moved[3] - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(tables[1].at_risk[0], 0);
}

#[test]
fn a_spell_longer_than_the_horizon_counts_as_still_there() {
    let tables = LifeTable::of(&[spell(0, 5_000, End::Lost), spell(0, 365, End::Won)], 1).unwrap();
    assert!(tables[0].at_risk.iter().all(|&count| count == 2));
    assert_eq!(tables[0].completed(), 0);
}

#[test]
fn under_ten_completed_spells_there_is_no_model() {
    let mut history = vec![spell(0, 3, End::Open); 500];
    history.extend(vec![spell(1, 5, End::Won); MIN_COMPLETED as usize - 1]);
    assert_eq!(Pipeline::fit(&TYPICAL_DAYS, &history), Ok(None));
    history.push(spell(2, 5, End::Lost));
    assert!(Pipeline::fit(&TYPICAL_DAYS, &history).unwrap().is_some());
    assert_eq!(Pipeline::fit(&[], &[]), Ok(None));
}

#[test]
fn a_stage_nobody_left_yet_keeps_to_its_typical_days() {
    let history = vec![spell(0, 10, End::Moved(1)); 40];
    let pipeline = Pipeline::fit(&TYPICAL_DAYS, &history).unwrap().unwrap();
    let stage = &pipeline.stages()[2];
    let stays = stage.hazards.survival();
    // An exponential of 14 days: 37 % are still there after 14.
    assert!((stays[14] - (-1.0_f64).exp()).abs() < 1e-6, "{}", stays[14]);
    assert_eq!(stage.destinations, [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn an_unknown_stage_is_refused() {
    let unknown = |stage| {
        Err(SurvivalError::UnknownStage {
            stage,
            stages: STAGES,
        })
    };
    assert_eq!(
        Pipeline::fit(&TYPICAL_DAYS, &[spell(3, 1, End::Won)]),
        unknown(3)
    );
    assert_eq!(
        Pipeline::fit(&TYPICAL_DAYS, &[spell(0, 1, End::Moved(7))]),
        unknown(7)
    );
    let pipeline = Pipeline::fit(&TYPICAL_DAYS, &mixed()).unwrap().unwrap();
    assert_eq!(pipeline.win_within(3, 1, 30), None);
    assert_eq!(pipeline.outlook(3, 1), None);
}

#[test]
fn a_weibull_is_recovered_from_censored_spells() {
    let mut random = Random(5);
    let (shape, scale) = (1.6_f64, 30.0);
    let history: Vec<Spell> = (0..5_000)
        .map(|index| {
            let time = scale * (-(1.0 - random.next()).ln()).powf(1.0 / shape);
            let (days, seen) = (time as u32, 20 + index % 60);
            if days < seen {
                spell(0, days, End::Won)
            } else {
                spell(0, seen, End::Open)
            }
        })
        .collect();
    let table = &LifeTable::of(&history, 1).unwrap()[0];
    let found = Weibull::fitted(table, 100.0);
    // About 3,800 ends: standard errors of 1.3 % and 1 %; four of each.
    assert!((found.shape / shape - 1.0).abs() < 0.05, "{found:?}");
    assert!((found.scale_days / scale - 1.0).abs() < 0.04, "{found:?}");
}

#[test]
fn spells_seen_from_the_middle_do_not_make_a_stage_look_slower() {
    let mut random = Random(9);
    let mut history = Vec::new();
    while history.len() < 4_000 {
        let days = (-10.0 * (1.0 - random.next()).ln()) as u32;
        let unseen_days = (random.next() * 30.0) as u32;
        // Whoever left before recording began was never recorded.
        if days >= unseen_days {
            history.push(Spell {
                unseen_days,
                ..spell(0, days, End::Won)
            });
        }
    }
    let table = &LifeTable::of(&history, 1).unwrap()[0];
    let found = Weibull::fitted(table, 14.0);
    assert!(
        (found.scale_days - 10.0).abs() < 0.8 && (found.shape - 1.0).abs() < 0.08,
        "{found:?}"
    );
}

#[test]
fn a_user_is_shrunk_to_the_team_day_by_day() {
    let team = Pipeline::fit(&TYPICAL_DAYS, &mixed()).unwrap().unwrap();
    let own = vec![spell(0, 0, End::Lost); 30];
    let user = team.for_user(&own).unwrap();
    let (before, after) = (&team.stages()[0].hazards, &user.stages()[0].hazards);
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
    let same = team.for_user(&[]).unwrap();
    for (found, expected) in same.stages()[0].hazards.lost.iter().zip(&before.lost) {
        close(*found, *expected);
    }
    close(
        after.lost[0],
        (30.0 + KAPPA * before.lost[0]) / (30.0 + KAPPA),
    );
    close(after.moving[0], KAPPA * before.moving[0] / (30.0 + KAPPA));
    close(after.lost[1], before.lost[1]);
    let chance = |pipeline: &Pipeline| pipeline.outlook(0, 0).unwrap().win_probability;
    assert!(chance(&user) < chance(&team));
}

#[test]
fn every_probability_is_bounded_and_grows_with_the_horizon() {
    let odd = [
        vec![spell(0, 0, End::Moved(0)); 50],
        vec![spell(1, u32::MAX, End::Lost); 50]
            .into_iter()
            .chain(vec![spell(1, 0, End::Won); 10])
            .collect(),
        vec![spell(2, 0, End::Won); 10_000],
        vec![spell(0, 3, End::Lost); 10_000],
        vec![
            Spell {
                unseen_days: u32::MAX,
                ..spell(1, 4, End::Moved(0))
            };
            20
        ],
    ];
    for history in odd {
        let pipeline = Pipeline::fit(&TYPICAL_DAYS, &history).unwrap().unwrap();
        for stage in 0..STAGES {
            for days in [0, 1, 30, 364, 365, u32::MAX] {
                let chances: Vec<f64> = [0, 1, 7, 30, 180, 365, u32::MAX]
                    .map(|horizon| pipeline.win_within(stage, days, horizon).unwrap())
                    .to_vec();
                assert!(
                    chances.iter().all(|chance| (0.0..=1.0).contains(chance)),
                    "{chances:?}"
                );
                assert!(chances.is_sorted(), "{chances:?}");
                assert_eq!(chances[0], 0.0);
                let outlook = pipeline.outlook(stage, days).unwrap();
                assert_eq!(outlook.win_probability, chances[5]);
                assert!((0.0..=1.0).contains(&outlook.slower_than));
                assert!(
                    outlook
                        .days_to_close
                        .is_none_or(|days| (0.0..=365.0).contains(&days))
                );
            }
        }
    }
}

/// A stage with the same hazards every day, which all leave for the next.
fn steady(moving: f64, lost: f64, destinations: &[f64]) -> StageModel {
    let every_day = |hazard| vec![hazard; HORIZON_DAYS];
    StageModel {
        hazards: Hazards {
            moving: every_day(moving),
            lost: every_day(lost),
        },
        destinations: destinations.to_vec(),
    }
}

#[test]
fn a_deal_that_must_move_on_a_known_day_closes_on_that_day() {
    let mut first = steady(0.0, 0.0, &[0.0, 1.0, 0.0]);
    let mut second = steady(0.0, 0.0, &[0.0, 0.0, 1.0]);
    first.hazards.moving[4] = 1.0;
    second.hazards.moving[2] = 1.0;
    let pipeline = Pipeline::try_from(vec![first, second]).unwrap();
    let days = |stage, days| pipeline.outlook(stage, days).unwrap().days_to_close;
    assert_eq!(
        (days(0, 0), days(0, 4), days(1, 1)),
        (Some(8.0), Some(4.0), Some(2.0))
    );
    assert_eq!(
        (pipeline.win_within(0, 0, 7), pipeline.win_within(0, 0, 8)),
        (Some(0.0), Some(1.0))
    );
}

#[test]
fn steady_hazards_give_the_closed_form() {
    let pipeline = Pipeline::try_from(vec![steady(0.2, 0.3, &[0.0, 1.0])]).unwrap();
    let outlook = pipeline.outlook(0, 1).unwrap();
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
    close(outlook.win_probability, 0.2 / 0.5);
    close(outlook.days_to_close.unwrap(), 1.0 / 0.5);
    // Of the 40 % that move on, 20 % of all had on the first day.
    close(outlook.slower_than, 0.5);
}

#[test]
fn a_bent_curve_stays_a_hazard() {
    let mut curve = steady(0.1, 0.05, &[1.0]).hazards;
    curve.moving[0] = 0.9;
    let mut table = LifeTable::of(&[], 1).unwrap().remove(0);
    table.at_risk[..2].copy_from_slice(&[10, 1_000]);
    table.moved[..2].copy_from_slice(&[9, 400]);
    let bent = curve.bent_to(&table);
    assert!(bent.moving[1] > 0.35, "{}", bent.moving[1]);
    assert!(
        bent.moving
            .iter()
            .zip(&bent.lost)
            .all(|(m, l)| m + l <= 1.0 + 1e-12)
    );
}

#[test]
fn slower_than_is_the_share_of_those_that_moved_on_sooner() {
    let mut history: Vec<Spell> = (0..1_000).map(|i| spell(2, i / 10, End::Won)).collect();
    history.extend(vec![spell(2, 500, End::Lost); 10]);
    let pipeline = Pipeline::fit(&TYPICAL_DAYS, &history).unwrap().unwrap();
    let share = |days| pipeline.outlook(2, days).unwrap().slower_than;
    assert_eq!(share(0), 0.0);
    assert!((share(50) - 0.5).abs() < 0.03, "{}", share(50));
    assert!((share(85) - 0.85).abs() < 0.03, "{}", share(85));
    assert!(
        pipeline
            .outlook(2, 85)
            .unwrap()
            .sentence()
            .starts_with("slower than 8")
    );
}

#[test]
fn survives_json_and_refuses_a_damaged_model() {
    let pipeline = Pipeline::fit(&TYPICAL_DAYS, &mixed()).unwrap().unwrap();
    let json = serde_json::to_value(&pipeline).unwrap();
    assert_eq!(serde_json::from_value::<Pipeline>(json).unwrap(), pipeline);
    let damaged = |damage: fn(&mut Vec<StageModel>)| {
        let mut stages = pipeline.stages().to_vec();
        damage(&mut stages);
        Pipeline::try_from(stages)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(damaged(|_| ()), Ok(()));
    let refused = |damage| damaged(damage).unwrap_err();
    assert!(refused(|s| s[1].hazards.lost[3] = f64::NAN).contains("stage 1"));
    assert!(refused(|s| s[0].hazards.moving[3] = -0.1).contains("outside 0 to 1"));
    assert!(refused(|s| s[0].hazards.moving[3] = 1.5).contains("outside 0 to 1"));
    assert!(refused(|s| s[0].hazards.moving.truncate(9)).contains("365 hazards"));
    assert!(refused(|s| s.truncate(2)).contains("destinations"));
    assert!(refused(|s| s[2].destinations[0] = 0.5).contains("destinations"));
}
