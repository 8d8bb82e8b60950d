//! Generated pipelines whose hazards are known.

use crm_health_scoring::survival::{End, Spell};

pub(crate) const STAGES: usize = 3;
pub(crate) const TYPICAL_DAYS: [f64; STAGES] = [14.0, 21.0, 14.0];

/// A fixed sequence of numbers in 0–1.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Who has the deals: by what the hazards of moving on and of being lost are multiplied.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) moving: f64,
    pub(crate) lost: f64,
}

impl Owner {
    pub(crate) const AVERAGE: Self = Self {
        moving: 1.0,
        lost: 1.0,
    };

    /// The true daily hazards of moving on and of being lost: one rises, one falls, one has a bump.
    pub(crate) fn truth(self, stage: usize, day: usize) -> (f64, f64) {
        let day = day as f64;
        let (moving, lost) = match stage {
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
        };
        ((self.moving * moving).min(0.5), (self.lost * lost).min(0.5))
    }

    /// One deal's life, day by day, recorded until `window` days after its creation.
    pub(crate) fn generate(self, random: &mut Random, window: u32) -> Deal {
        let (mut stage, mut age, mut spells) = (0, 0, Vec::new());
        loop {
            let mut days = 0;
            let end = loop {
                let (moving, lost) = self.truth(stage, days as usize);
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

    /// Deals created over the last 200 days, so that many are still open: censoring is heavy.
    pub(crate) fn deals(self, random: &mut Random, count: usize) -> Vec<Deal> {
        (0..count)
            .map(|i| self.generate(random, 1 + (i * 200 / count.min(200) % 200) as u32))
            .collect()
    }

    /// The true chances to be won within 0, 1, … `horizon` days, by stepping the whole distribution a
    /// day at a time.
    pub(crate) fn true_wins(self, stage: usize, days: usize, horizon: usize) -> Vec<f64> {
        let mut waiting = vec![vec![0.0; days + horizon + 1]; STAGES];
        waiting[stage][days] = 1.0;
        let (mut won, mut wins) = (0.0, vec![0.0]);
        for _ in 0..horizon {
            let mut next = vec![vec![0.0; days + horizon + 1]; STAGES];
            for (stage, by_day) in waiting.iter().enumerate() {
                for (day, &share) in by_day.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                    let (moving, lost) = self.truth(stage, day);
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
}

/// Where a deal that moves on goes: mostly onward, from the second stage sometimes back.
fn next_stage(stage: usize, chance: f64) -> End {
    match stage {
        1 if chance < 0.1 => End::Moved(0),
        STAGES.. | 2 => End::Won,
        _ => End::Moved(stage + 1),
    }
}

/// A generated deal: its spells as seen some days after it was created, and when it was won.
pub(crate) struct Deal {
    pub(crate) spells: Vec<Spell>,
    pub(crate) won_after: Option<u32>,
}

impl Deal {
    /// The stage that the deal is in at an age, and its days there; `None` once it is closed.
    pub(crate) fn at_age(&self, age: u32) -> Option<(usize, u32)> {
        let mut start = 0;
        self.spells.iter().find_map(|spell| {
            let began = start;
            start += spell.days + 1;
            (began <= age && age <= began + spell.days).then(|| (spell.stage, age - began))
        })
    }
}

pub(crate) fn spells(deals: &[Deal]) -> Vec<Spell> {
    deals
        .iter()
        .flat_map(|deal| deal.spells.iter().copied())
        .collect()
}
