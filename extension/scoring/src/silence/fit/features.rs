//! The rows of the second stage: the log-odds of silence from both streams, and the labels.

use super::{Cancelled, HORIZONS_DAYS, OnProgress, Stage, report_progress};
use crate::silence::history::silent;
use crate::silence::model::{Standings, weigh};
use crate::silence::renewal::logistic;
use crate::silence::{Constants, History, RowKey};

/// Rows are read, and progress reported, this many at a time.
const CHUNK_ROWS: usize = 20_000;

/// One row: the terms that the coefficients weigh, for each horizon, and when the contact wrote.
pub(super) struct Feature {
    log_odds: [[f64; 2]; HORIZONS_DAYS.len()],
    counts: [f64; 2],
    wait_days: Option<u32>,
}

impl Feature {
    /// The five terms at the horizon of this index.
    #[inline]
    pub(super) fn terms(&self, horizon: usize) -> [f64; 5] {
        let [inbound, any] = self.log_odds[horizon];
        [1.0, inbound, any, self.counts[0], self.counts[1]]
    }

    /// Whether the contact was silent over the horizon of this index.
    #[inline]
    pub(super) fn silent(&self, horizon: usize) -> bool {
        silent(self.wait_days, HORIZONS_DAYS[horizon])
    }
}

/// All rows under one set of first-stage constants.
pub(super) struct Features(pub(super) Vec<Feature>);

impl Features {
    /// Reads the rows; those without any event before the cut-off are left out.
    pub(super) fn read(
        history: &History,
        rows: &[RowKey],
        constants: &Constants,
        stage: Stage,
        progress: OnProgress<'_>,
    ) -> Result<Self, Cancelled> {
        let mut features = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK_ROWS) {
            history.each_row(chunk, constants, |key, row| {
                if let Some(standings) = Standings::new(&row.streams, key.cutoff, constants) {
                    features.push(feature(&standings, row.wait_days));
                }
            });
            report_progress(progress, stage, features.len() as u64, rows.len() as u64)?;
        }
        Ok(Self(features))
    }

    /// What these coefficients say at the horizon of this index, beside what came true.
    pub(super) fn predictions(&self, horizon: usize, beta: &[f64; 5]) -> Vec<(f64, bool)> {
        let predict = |row: &Feature| {
            (
                logistic(weigh(&row.terms(horizon), beta)),
                row.silent(horizon),
            )
        };
        self.0.iter().map(predict).collect()
    }
}

fn feature(standings: &Standings, wait_days: Option<u32>) -> Feature {
    let terms = HORIZONS_DAYS.map(|horizon| standings.terms(horizon));
    Feature {
        log_odds: terms.map(|term| [term[1], term[2]]),
        counts: [terms[0][3], terms[0][4]],
        wait_days,
    }
}
