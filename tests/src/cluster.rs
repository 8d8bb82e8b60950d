//! A server of a test's own, for what would disturb others: kills, restores, standbys, pg_cron.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A throwaway PostgreSQL server, stopped and removed when the test is over.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes and starts a server with pg_cron loaded for `cron_database`, and further settings.
    #[must_use]
    pub fn start(cron_database: &str, settings: &[&str]) -> Self {
        let cluster = Self {
            folder: new_folder(),
            port: free_port(),
        };
        let data = cluster.data();
        cluster.program(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
        );
        let mut configuration = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\ntimezone = 'UTC'\n\
             shared_preload_libraries = 'pg_cron'\ncron.database_name = '{cron_database}'\n\
             cron.use_background_workers = on\nmax_worker_processes = 16\n",
            cluster.port
        );
        for setting in settings {
            configuration.push_str(setting);
            configuration.push('\n');
        }
        let path = format!("{data}/postgresql.conf");
        let shipped = fs::read_to_string(&path).expect("the server's configuration");
        fs::write(&path, shipped + &configuration).expect("the server's configuration");
        cluster.control("start");
        cluster
    }

    /// A standby of this server, which follows it.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = new_folder();
        let standby = Self {
            folder,
            port: free_port(),
        };
        let from = format!("host=127.0.0.1 port={} user=postgres", self.port);
        let data = standby.data();
        self.program(
            "pg_basebackup",
            &[
                "-D",
                &data,
                "-d",
                &from,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
            ],
        );
        let path = format!("{data}/postgresql.conf");
        let copied = fs::read_to_string(&path).expect("the server's configuration");
        let configuration = format!("{copied}port = {}\n", standby.port);
        fs::write(&path, configuration).expect("the server's configuration");
        standby.control("start");
        standby
    }

    /// `postgres://…/`, to which a database's name is added.
    #[must_use]
    pub fn server(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/", self.port)
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its data.
    #[must_use]
    pub fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    /// Stops it where it runs, and starts it again.
    pub fn restart(&self) {
        self.control("restart");
    }

    /// Stops it.
    pub fn stop(&self) {
        self.program("pg_ctl", &["-D", &self.data(), "-m", "fast", "-w", "stop"]);
    }

    fn control(&self, action: &str) {
        let log = self.folder.join("server.log").display().to_string();
        let data = self.data();
        self.program(
            "pg_ctl",
            &["-D", &data, "-l", &log, "-m", "fast", "-w", action],
        );
    }

    /// Makes a database with the extension and the CRM tables.
    pub fn crm_database(&self, name: &str) {
        crate::database::connect(&format!("{}postgres", self.server()))
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("a database");
        let url = format!("{}{name}", self.server());
        crate::database::connect(&url)
            .batch_execute("CREATE EXTENSION crm_health")
            .expect("the extension");
        install_crm(&url);
    }

    /// Runs one of PostgreSQL's programs as the user who may.
    pub fn program(&self, name: &str, arguments: &[&str]) -> Output {
        run(server_command(name).args(arguments))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = server_command("pg_ctl")
            .args(["-D", &self.data(), "-m", "immediate", "-w", "stop"])
            .output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder for a server, which the server's user may write.
fn new_folder() -> PathBuf {
    let folder = Path::new(&crate::environment("CRM_HEALTH_TEST_FOLDER"))
        .join(format!("own-{}", uuid::Uuid::new_v4().simple()));
    fs::create_dir_all(&folder).expect("a folder for the server");
    if let Some(parent) = owner_of(&folder) {
        std::os::unix::fs::chown(&folder, Some(parent.0), Some(parent.1)).expect("chown");
    }
    folder
}

/// Installs the CRM tables of `sql/crm` by psql, as a DBA does.
pub fn install_crm(url: &str) -> Output {
    psql(
        url,
        &[
            "-f",
            &repository()
                .join("sql/crm/install.sql")
                .display()
                .to_string(),
        ],
    )
}

/// Runs psql against a database; fails the test where psql fails.
pub fn psql(url: &str, arguments: &[&str]) -> Output {
    run(program_path("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url])
        .args(arguments))
}

/// Dumps a database by pg_dump, with these arguments besides; fails the test where pg_dump fails.
#[must_use]
pub fn dump(url: &str, arguments: &[&str]) -> String {
    let output = run(program_path("pg_dump").args(["-d", url]).args(arguments));
    String::from_utf8(output.stdout).expect("a dump in UTF-8")
}

/// Brings a dump into a database by psql; fails the test at the first error.
///
/// # Panics
/// Where the temporary file cannot be written or removed.
pub fn restore(url: &str, dump: &str) {
    let name = format!("crm_health-{}.sql", uuid::Uuid::new_v4().simple());
    let file = std::env::temp_dir().join(name);
    fs::write(&file, dump).expect("the dump");
    psql(url, &["-f", &file.display().to_string()]);
    fs::remove_file(&file).expect("the dump to go");
}

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a parent")
        .to_owned()
}

/// One of PostgreSQL's programs, run as whoever runs the test.
#[must_use]
pub fn program_path(name: &str) -> Command {
    Command::new(Path::new(&crate::environment("CRM_HEALTH_PG_BIN")).join(name))
}

fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The server refuses root: root becomes postgres first.
fn server_command(name: &str) -> Command {
    let program = Path::new(&crate::environment("CRM_HEALTH_PG_BIN")).join(name);
    let folder = crate::environment("CRM_HEALTH_TEST_FOLDER");
    let mut command = if owner_of(Path::new(&folder)).is_some() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command.env_clear().envs([
        ("PATH", "/usr/bin:/bin"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("HOME", folder.as_str()),
    ]);
    command
}

/// The server's user and group, where that is not whoever runs the test.
fn owner_of(folder: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let tests = fs::metadata(crate::environment("CRM_HEALTH_TEST_FOLDER"))
        .expect("the folder of the tests");
    let own = fs::metadata(folder).expect("a folder");
    let me = fs::metadata("/proc/self").expect("/proc/self");
    (own.uid() != tests.uid() || tests.uid() != me.uid()).then_some((tests.uid(), tests.gid()))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
