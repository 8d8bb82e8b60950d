//! One session, and what its statements cost.

use std::fs;
use std::time::Instant;

use postgres::Client;
use postgres::types::ToSql;

/// A session whose backend can be watched from here: the server runs on this machine.
pub(crate) struct Session {
    pub(crate) client: Client,
    backend: i32,
}

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Seconds of CPU that the backend took.
    pub(crate) cpu: f64,
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Rows returned.
    pub(crate) rows: usize,
    /// Megabytes of WAL written.
    pub(crate) wal: f64,
}

/// Ticks a second in /proc, the same on every Linux.
const TICKS: f64 = 100.0;

impl Session {
    pub(crate) fn open(url: &str) -> Self {
        let mut client = crm_health_tests::database::connect(url);
        let backend = client
            .query_one("SELECT pg_backend_pid()", &[])
            .expect("a backend")
            .get(0);
        Self { client, backend }
    }

    /// Runs statements that are not measured.
    pub(crate) fn run(&mut self, sql: &str) {
        self.client
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{error:?}\nin: {sql}"));
    }

    /// Runs the query once for each parameter, all in one transaction, and says what that cost.
    pub(crate) fn measure(&mut self, sql: &str, parameters: &[&[&(dyn ToSql + Sync)]]) -> Cost {
        let statement = self
            .client
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{error:?}\nin: {sql}"));
        let (wal, cpu, start) = (self.wal(), self.cpu(), Instant::now());
        let mut transaction = self.client.transaction().expect("a transaction");
        let mut rows = 0;
        for each in parameters {
            rows += transaction
                .query(&statement, each)
                .unwrap_or_else(|error| panic!("{error:?}\nin: {sql}"))
                .len();
        }
        transaction.commit().expect("a commit");
        let wall = start.elapsed().as_secs_f64();
        Cost {
            cpu: self.cpu() - cpu,
            wall,
            rows,
            wal: (self.wal() - wal) / 1e6,
        }
    }

    /// User and system time of the backend in seconds: fields 14 and 15 of its stat file.
    fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.backend)).expect("a backend");
        let (_, fields) = stat.rsplit_once(')').expect("a stat line");
        let ticks = |field: usize| -> f64 {
            let text = fields.split_whitespace().nth(field - 3);
            text.and_then(|text| text.parse().ok()).expect("a time")
        };
        (ticks(14) + ticks(15)) / TICKS
    }

    fn wal(&mut self) -> f64 {
        self.client
            .query_one("SELECT (pg_current_wal_insert_lsn() - '0/0')::float8", &[])
            .expect("a place in the WAL")
            .get(0)
    }
}

/// The median of each part of the costs. All runs of a kind return as many rows.
pub(crate) fn median(costs: &[Cost]) -> Cost {
    let middle = |part: fn(&Cost) -> f64| {
        let mut values: Vec<f64> = costs.iter().map(part).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Cost {
        cpu: middle(|cost| cost.cpu),
        wall: middle(|cost| cost.wall),
        rows: costs[0].rows,
        wal: middle(|cost| cost.wal),
    }
}
