//! One session, and what its statements cost.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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

    /// Watches the memory that is the backend's own until the guard is told to stop.
    pub(crate) fn watch_memory(&self) -> MemoryWatch {
        let status = format!("/proc/{}/status", self.backend);
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let watcher = thread::spawn(move || {
            let mut peak = 0.0_f64;
            while !told.load(Ordering::Relaxed) {
                peak = peak.max(own_megabytes(&status));
                thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        MemoryWatch { stop, watcher }
    }

    /// Time of the backend on a CPU, in seconds: nanoseconds in its scheduler's file.
    fn cpu(&self) -> f64 {
        let path = format!("/proc/{}/schedstat", self.backend);
        let stat = fs::read_to_string(path).expect("a backend");
        let nanoseconds = stat.split_whitespace().next();
        nanoseconds
            .and_then(|text| text.parse::<f64>().ok())
            .expect("a time")
            / 1e9
    }

    fn wal(&mut self) -> f64 {
        self.client
            .query_one("SELECT (pg_current_wal_insert_lsn() - '0/0')::float8", &[])
            .expect("a place in the WAL")
            .get(0)
    }
}

/// A thread that looks at the memory of a backend again and again.
pub(crate) struct MemoryWatch {
    stop: Arc<AtomicBool>,
    watcher: thread::JoinHandle<f64>,
}

impl MemoryWatch {
    /// The most that was seen, in megabytes.
    pub(crate) fn peak_megabytes(self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        self.watcher.join().expect("the watcher")
    }
}

/// What a process has for itself: not the shared buffers, which all of them touch.
fn own_megabytes(status: &str) -> f64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    kilobytes
        .and_then(|text| text.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
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
