//! Public mail corpora as rows of the silence model: who wrote to whom, and who then fell silent.

pub(crate) mod csv;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use crm_health_scoring::silence::{
    Constants, History, RowKey, Streams, fit::learn, ghost_probability,
};

const SECONDS_A_DAY: i64 = 86_400;
const FOLDS: usize = 5;

/// A row with what really happened and what the simpler models said.
pub(crate) struct LabelledRow {
    pub(crate) key: RowKey,
    pub(crate) silent_30: bool,
    pub(crate) silent_60: bool,
    /// Whether the last contact was at most 90 days before the cut-off.
    pub(crate) active_90: bool,
    pub(crate) simple: f64,
    pub(crate) rules: f64,
}

/// A mail corpus and the rows to judge a model on.
pub(crate) struct Corpus {
    pub(crate) history: History,
    pub(crate) rows: Vec<LabelledRow>,
}

fn whole(field: &str) -> i64 {
    field
        .parse()
        .unwrap_or_else(|error| panic!("{field:?} is no whole number: {error}"))
}

fn fraction(field: &str) -> f64 {
    field
        .parse()
        .unwrap_or_else(|error| panic!("{field:?} is no number: {error}"))
}

impl Corpus {
    /// Reads `<name>.csv` and `silence_<name>.csv`.
    ///
    /// The cut-offs are 24-hour periods apart but not at midnight, so days are counted from them:
    /// then no day is half before a cut-off and half after.
    pub(crate) fn read(folder: &Path, name: &str) -> Self {
        let labels = csv::read(&folder.join(format!("silence_{name}.csv")));
        let phase = whole(&labels[0][2]).rem_euclid(SECONDS_A_DAY);
        let day_of = |seconds: i64| ((seconds - phase).div_euclid(SECONDS_A_DAY)) as i32;
        let mut pairs: BTreeMap<(i64, i64), Vec<(i32, bool)>> = BTreeMap::new();
        for mail in csv::read(&folder.join(format!("{name}.csv"))) {
            let (from, to, day) = (whole(&mail[0]), whole(&mail[1]), day_of(whole(&mail[2])));
            pairs.entry((from, to)).or_default().push((day, false));
            pairs.entry((to, from)).or_default().push((day, true));
        }
        let mut history = History::default();
        let mut positions = BTreeMap::new();
        for (&(user, contact), events) in &pairs {
            let position = history.add(user as u64, contact as u64, events);
            positions.insert((user, contact), position);
        }
        let mut rows: Vec<LabelledRow> = labels
            .iter()
            .map(|row| LabelledRow {
                key: RowKey {
                    pair: positions[&(whole(&row[0]), whole(&row[1]))],
                    cutoff: day_of(whole(&row[2])),
                },
                silent_30: row[3] == "1",
                silent_60: row[4] == "1",
                active_90: row[5] == "1",
                simple: fraction(&row[7]),
                rules: fraction(&row[8]),
            })
            .collect();
        rows.sort_by_key(|row| row.key);
        Self { history, rows }
    }

    /// The users in five parts, dealt out in the order of their ids.
    fn folds(&self) -> BTreeMap<u64, usize> {
        let users: BTreeSet<u64> = self
            .rows
            .iter()
            .map(|row| self.history.user(row.key))
            .collect();
        users
            .into_iter()
            .enumerate()
            .map(|(index, user)| (user, index % FOLDS))
            .collect()
    }

    /// For each row the constants fitted on the users of the other four parts.
    pub(crate) fn fitted_without_the_rows_user(&self) -> Vec<Constants> {
        let folds = self.folds();
        let fold_of = |row: &LabelledRow| folds[&self.history.user(row.key)];
        let fitted: Vec<Constants> = (0..FOLDS)
            .map(|fold| {
                let others = self.rows.iter().filter(|row| fold_of(row) != fold);
                let keys: Vec<RowKey> = others.map(|row| row.key).collect();
                let progress = &mut |_| ControlFlow::Continue(());
                let learned = learn(&self.history, &keys, progress).expect("never cancelled");
                learned.expect("the corpora have contacts of both kinds")
            })
            .collect();
        self.rows.iter().map(|row| fitted[fold_of(row)]).collect()
    }

    /// The model's probability of each row under its own constants, `horizon_days` ahead.
    pub(crate) fn probabilities(&self, constants: &[Constants], horizon_days: u32) -> Vec<f64> {
        let score = |streams: &Streams, cutoff, constants: &Constants| {
            ghost_probability(streams, cutoff, horizon_days, constants).expect("rows have events")
        };
        let mut probabilities = Vec::with_capacity(self.rows.len());
        for (row, constants) in self.rows.iter().zip(constants) {
            self.history.each_row(&[row.key], constants, |key, seen| {
                probabilities.push(score(&seen.streams, key.cutoff, constants));
            });
        }
        probabilities
    }
}
