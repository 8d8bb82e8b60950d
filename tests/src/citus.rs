//! A Citus cluster of a test's own: a coordinator and two workers, each a local server.

use std::io::Write;

use postgres::Client;

use crate::cluster::{install_crm, program_path, psql, repository};
use crate::{Cluster, Database, database};

/// The name of the database on every server.
const DATABASE: &str = "crm";

/// Stopped and removed when the test is over.
pub struct CitusCluster {
    coordinator: Cluster,
    /// In the order of their ports.
    workers: Vec<Cluster>,
}

impl CitusCluster {
    /// Starts one with the extension, the CRM tables and the roles of applications in the coordinator's database,
    /// nothing distributed yet. `None`, and a line that says so, where Citus is not installed.
    #[must_use]
    pub fn start() -> Option<Self> {
        let cluster = Self::servers(2)?;
        for mut client in cluster.clients() {
            run(&mut client, "CREATE EXTENSION citus");
        }
        cluster.join();
        Some(cluster)
    }

    /// Starts a coordinator and workers that do not know of each other yet. Citus is loaded, and not in the database.
    #[must_use]
    pub fn servers(workers: usize) -> Option<Self> {
        if !is_installed() {
            // Not by eprintln!, which the harness keeps to itself where a test passes.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: Citus is not installed in the private copy of PostgreSQL; \
                 docs/development.md tells how to build it there (scripts/citus.sh)"
            );
            return None;
        }
        let mut workers: Vec<Cluster> = (0..workers).map(|_| server()).collect();
        workers.sort_by_key(Cluster::port);
        Some(Self {
            coordinator: server(),
            workers,
        })
    }

    fn join(&self) {
        let mut client = self.client();
        let port = |server: &Cluster| server.port();
        let own = port(&self.coordinator);
        run(
            &mut client,
            &format!("SELECT citus_set_coordinator_host('127.0.0.1', {own})"),
        );
        for worker in &self.workers {
            let port = port(worker);
            run(
                &mut client,
                &format!("SELECT citus_add_node('127.0.0.1', {port})"),
            );
        }
        run(
            &mut client,
            "CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN BYPASSRLS;
             CREATE EXTENSION crm_health",
        );
        install_crm(&self.url());
    }

    /// Runs `sql/citus.sql` on the coordinator.
    pub fn spread(&self) {
        self.script("sql/citus.sql");
    }

    /// Runs a script of the repository on the coordinator by psql.
    pub fn script(&self, path: &str) {
        let path = repository().join(path).display().to_string();
        psql(&self.url(), &["-f", &path]);
    }

    /// The same, with a variable for the script: `name=value`.
    pub fn script_with(&self, path: &str, variable: &str) {
        let path = repository().join(path).display().to_string();
        psql(&self.url(), &["-v", variable, "-f", &path]);
    }

    /// Runs a script that must fail, and returns what psql said.
    #[must_use]
    pub fn try_script(&self, path: &str) -> String {
        try_script(&self.url(), path)
    }

    /// The coordinator's database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{DATABASE}", self.coordinator.server())
    }

    /// The coordinator's server, with a slash.
    #[must_use]
    pub fn server(&self) -> String {
        self.coordinator.server()
    }

    /// A session on the coordinator, a superuser's.
    #[must_use]
    pub fn client(&self) -> Client {
        connect(&self.coordinator)
    }

    /// A session on each server, a superuser's, the coordinator's first.
    #[must_use]
    pub fn clients(&self) -> Vec<Client> {
        std::iter::once(&self.coordinator)
            .chain(&self.workers)
            .map(connect)
            .collect()
    }

    /// Where the coordinator listens, and each worker.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        std::iter::once(&self.coordinator)
            .chain(&self.workers)
            .map(Cluster::port)
            .collect()
    }

    /// A session on each worker, a superuser's.
    #[must_use]
    pub fn worker_clients(&self) -> Vec<Client> {
        self.workers.iter().map(connect).collect()
    }

    /// Stops a worker.
    pub fn stop_worker(&self, worker: usize) {
        self.workers[worker].stop();
    }

    /// A plain database on the coordinator's server, without Citus, with the extension and the CRM tables.
    #[must_use]
    pub fn single(&self) -> Database {
        let mut single = Database::on(&self.server(), None);
        single.run("CREATE EXTENSION crm_health");
        install_crm(&single.url());
        single
    }
}

/// A server for a cluster, with its database.
fn server() -> Cluster {
    let settings = [
        "shared_preload_libraries = 'citus'",
        "max_prepared_transactions = 64",
        "wal_level = logical",
        "shared_buffers = '64MB'",
        "fsync = off",
        // Enough for users on both workers, and few enough to be made quickly.
        "citus.shard_count = 8",
        // All servers are on this machine, and the certificate of each would be its own.
        "citus.node_conninfo = 'sslmode=disable'",
    ];
    let server = Cluster::start(DATABASE, &settings);
    let mut client = database::connect(&format!("{}postgres", server.server()));
    run(&mut client, &format!("CREATE DATABASE {DATABASE}"));
    server
}

/// Runs a script of the repository that must fail, and returns what psql said.
///
/// # Panics
/// Where it does not fail.
#[must_use]
pub fn try_script(url: &str, path: &str) -> String {
    let output = program_path("psql")
        .args(["-X", "-q", "-d", url, "-f"])
        .arg(repository().join(path))
        .output()
        .expect("psql");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success(),
        "{path} should have failed: {said}"
    );
    said
}

fn connect(server: &Cluster) -> Client {
    database::connect(&format!("{}{DATABASE}", server.server()))
}

fn run(client: &mut Client, sql: &str) {
    client
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{error:?}\nin: {sql}"));
}

fn is_installed() -> bool {
    let mut client = database::connect(&format!(
        "{}postgres",
        crate::environment("CRM_HEALTH_TEST_SERVER")
    ));
    let found = client
        .query(
            "SELECT FROM pg_available_extensions WHERE name = 'citus'",
            &[],
        )
        .expect("the extensions of the server");
    !found.is_empty()
}
