//! Generated teams whose owners of deals have known hazards of their own: shrinking to an owner must
//! pay where they differ, and cost next to nothing where they do not. With `--nocapture` the
//! figures of docs/ghost-model.md are printed.

#[expect(dead_code, reason = "what is generated serves other tests too")]
mod survival_generated;

use crm_health_scoring::silence::Metrics;
use crm_health_scoring::survival::{End, Pipeline, Spell};
use survival_generated::{Deal, Owner, Random, STAGES, TYPICAL_DAYS, spells};

/// How far ahead is looked.
const HORIZON_DAYS: u32 = 90;

/// How right the chances of a pipeline were.
struct Right {
    /// The root of the mean squared distance from the true chances of each owner.
    off: f64,
    /// On deals that were not learned from.
    unseen: Metrics,
}

/// By the team's pipeline, and by each owner's own, where `spread` is the standard deviation of the
/// logarithms of the owners' multipliers, and 2,000 deals or more are shared among the owners.
fn measure(spread: f64, deals_each: usize) -> [Right; 2] {
    let mut random = Random(1_000 * deals_each as u64 + (100.0 * spread) as u64);
    let owners: Vec<Owner> = (0..(2_000 / deals_each).max(20))
        .map(|_| Owner {
            moving: multiplier(spread, &mut random),
            lost: multiplier(spread, &mut random),
        })
        .collect();
    let histories: Vec<Vec<Deal>> = owners
        .iter()
        .map(|owner| owner.deals(&mut random, deals_each))
        .collect();
    let all: Vec<_> = histories.iter().flat_map(|deals| spells(deals)).collect();
    let team = Pipeline::fit(&TYPICAL_DAYS, &all).unwrap().unwrap();
    let mut squares = [0.0; 2];
    let mut said = [Vec::new(), Vec::new()];
    for (owner, history) in owners.iter().zip(&histories) {
        let own = team.for_user(&spells(history)).unwrap();
        for (index, pipeline) in [&team, &own].into_iter().enumerate() {
            squares[index] += squared_errors(*owner, pipeline);
        }
        for age in (0..60).cycle().take(8_000 / owners.len()) {
            let deal = owner.generate(&mut random, u32::MAX);
            let Some((stage, days)) = deal.at_age(age) else {
                continue;
            };
            let won = deal
                .won_after
                .is_some_and(|after| after <= age + HORIZON_DAYS);
            for (index, pipeline) in [&team, &own].into_iter().enumerate() {
                let chance = pipeline.win_within(stage, days, HORIZON_DAYS).unwrap();
                said[index].push((chance, won));
            }
        }
    }
    let found = said.map(|said| Metrics::of(said).unwrap());
    let count = (owners.len() * STAGES * DAYS.len()) as f64;
    let [team, own] = [0, 1].map(|index| Right {
        off: (squares[index] / count).sqrt(),
        unseen: found[index].clone(),
    });
    for (name, right) in [("team", &team), ("owner", &own)] {
        println!(
            "| {spread} | {deals_each} | {name} | {:.3} | {:.3} | {:.4} | {:.4} | {:.3} |",
            right.off,
            right.unseen.auc.unwrap(),
            right.unseen.brier,
            right.unseen.log_loss,
            right.unseen.calibration_error,
        );
    }
    [team, own]
}

/// Days in a stage at which chances are compared with the true ones.
const DAYS: [u32; 3] = [0, 10, 25];

fn squared_errors(owner: Owner, pipeline: &Pipeline) -> f64 {
    let mut sum = 0.0;
    for stage in 0..STAGES {
        for days in DAYS {
            let exact = owner.true_wins(stage, days as usize, HORIZON_DAYS as usize);
            let found = pipeline.win_within(stage, days, HORIZON_DAYS).unwrap();
            sum += (found - exact[HORIZON_DAYS as usize]).powi(2);
        }
    }
    sum
}

/// Log-normal, with mean 1.
fn multiplier(spread: f64, random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.next()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * random.next()).cos();
    (spread * normal - spread * spread / 2.0).exp()
}

#[test]
fn owners_who_differ_are_told_apart_by_their_own_deals() {
    for (deals_each, closer, less) in [(20, 0.9, 0.01), (60, 0.8, 0.02), (200, 0.65, 0.03)] {
        let [team, own] = measure(0.5, deals_each);
        assert!(
            own.off < closer * team.off,
            "{deals_each} deals each: off by {}, the team by {}",
            own.off,
            team.off
        );
        assert!(
            own.unseen.log_loss < team.unseen.log_loss - less,
            "{deals_each} deals each: {}, the team {}",
            own.unseen.log_loss,
            team.unseen.log_loss
        );
    }
}

#[test]
fn owners_who_differ_little_gain_with_the_deals_they_have_had() {
    let gains = [20, 200].map(|deals_each| {
        let [team, own] = measure(0.25, deals_each);
        team.unseen.log_loss - own.unseen.log_loss
    });
    assert!(gains[0] > -0.002 && gains[1] > 0.005, "{gains:?}");
}

#[test]
fn owners_who_are_alike_lose_next_to_nothing() {
    for deals_each in [20, 60, 200] {
        let [team, own] = measure(0.0, deals_each);
        let lost = own.unseen.log_loss - team.unseen.log_loss;
        assert!(lost < 0.01, "{deals_each} deals each: {lost}");
        assert!(own.unseen.calibration_error < 0.03);
    }
}

#[test]
fn spells_survive_json_and_an_unknown_end_is_refused() {
    let ends = [End::Open, End::Won, End::Lost, End::Moved(0), End::Moved(7)];
    let spells = ends.map(|end| Spell {
        stage: 1,
        days: 12,
        unseen_days: 3,
        end,
    });
    let json = serde_json::to_string(&spells).unwrap();
    assert_eq!(
        json,
        "[[1,12,3,-1],[1,12,3,-2],[1,12,3,-3],[1,12,3,0],[1,12,3,7]]"
    );
    assert_eq!(serde_json::from_str::<[Spell; 5]>(&json).unwrap(), spells);
    let refused = serde_json::from_str::<Spell>("[1,12,3,-4]").unwrap_err();
    assert!(refused.to_string().contains("-4 is no end"), "{refused}");
}
