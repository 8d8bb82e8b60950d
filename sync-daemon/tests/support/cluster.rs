//! A throwaway PostgreSQL for one test binary: started with the first test, stopped when the process ends, however.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The template that each test's database is copied from: CRM tables and the daemon's own.
const TEMPLATE: &str = "crm_template";

pub(crate) struct Cluster {
    port: u16,
    bin: PathBuf,
    data: PathBuf,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a program of PostgreSQL, which refuses root, as user postgres.
fn as_postgres(program: &Path) -> Command {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=postgres",
        "--regid=postgres",
        "--init-groups",
        "env",
        "-i",
    ]);
    command
        .args(["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"])
        .arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}{text}",
        String::from_utf8_lossy(&output.stdout)
    );
}

impl Cluster {
    pub(crate) fn shared() -> &'static Self {
        CLUSTER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let bin = std::env::var("CRM_HEALTH_PG_BIN")
            .unwrap_or_else(|_| "/usr/lib/postgresql/15/bin".to_owned());
        let home = PathBuf::from(format!(
            "/var/tmp/crm-health-sync-test-{}",
            std::process::id()
        ));
        std::fs::create_dir_all(&home).expect("a folder under /var/tmp");
        run(Command::new("chmod").arg("777").arg(&home));
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its number").port();
        drop(free);
        let cluster = Self {
            port,
            bin: PathBuf::from(bin),
            data: home.join("data"),
        };
        let init = [
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "-D",
        ];
        run(as_postgres(&cluster.bin.join("initdb"))
            .args(init)
            .arg(&cluster.data));
        cluster.launch();
        cluster.stop_with_process(&home);
        cluster.make_template();
        cluster
    }

    fn launch(&self) {
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories='' -c fsync=off -c max_connections=200",
            self.port
        );
        let log = self.data.with_file_name("log");
        let mut start = as_postgres(&self.bin.join("pg_ctl"));
        start
            .args(["-w", "-s", "-o", &options, "-l"])
            .arg(&log)
            .arg("-D")
            .arg(&self.data)
            .arg("start");
        run(start.stdin(Stdio::null()).stdout(Stdio::null()));
    }

    /// Restarts the server, breaking all connections.
    pub(crate) fn restart(&self) {
        let mut stop = as_postgres(&self.bin.join("pg_ctl"));
        run(stop
            .args(["-w", "-s", "-m", "immediate", "stop", "-D"])
            .arg(&self.data));
        self.launch();
    }

    /// A shell that waits for our end of a pipe to close: a killed test leaves no server behind.
    fn stop_with_process(&self, home: &Path) {
        let stop = as_postgres(&self.bin.join("pg_ctl"));
        let words = |w: &std::ffi::OsStr| format!("'{}'", w.to_string_lossy());
        let program: Vec<String> = std::iter::once(stop.get_program())
            .chain(stop.get_args())
            .map(words)
            .collect();
        let script = format!(
            "trap '' INT TERM HUP; cat >/dev/null; {} -s -m immediate -D '{}' stop; rm -rf '{}'",
            program.join(" "),
            self.data.display(),
            home.display()
        );
        let mut shell = Command::new("setsid");
        shell
            .args(["sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = shell.spawn().expect("a shell");
        // Held open until the process is gone.
        std::mem::forget(child);
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn psql(&self, database: &str, file: &Path, variables: &[&str]) {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.url(database),
        ]);
        for variable in variables {
            psql.args(["-v", variable]);
        }
        run(psql.arg("-f").arg(file));
    }

    fn make_template(&self) {
        block_on(async {
            self.execute("postgres", &format!("CREATE DATABASE {TEMPLATE}"))
                .await;
        });
        self.psql(TEMPLATE, &repository().join("sql/crm/install.sql"), &[]);
        self.psql(TEMPLATE, &repository().join("sql/sync/install.sql"), &[]);
    }

    async fn execute(&self, database: &str, sql: &str) {
        let mut connection = PgConnection::connect(&self.url(database))
            .await
            .expect("connection");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .expect(sql);
        connection.close().await.expect("close");
    }

    /// A fresh database; its name.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.execute(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"),
        )
        .await;
        name
    }
}

fn block_on(work: impl Future<Output = ()> + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(work);
        });
    });
}
