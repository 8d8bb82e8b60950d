//! What the documents tell a person to run, runs.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::markdown::{Block, Document};
use crm_health_tests::cluster::{Cluster, install_crm, psql, repository};
use crm_health_tests::database::connect;

/// The database that the documents name.
const NAME: &str = "mydb";
/// The demo CRM, from which each document gets its own database.
const TEMPLATE: &str = "docs_template";
const PLACEHOLDERS: [(&str, &str); 4] = [
    (
        "…user id…",
        "SELECT owner_id FROM deals WHERE status = 'active' ORDER BY id LIMIT 1",
    ),
    (
        "…deal id…",
        "SELECT id FROM deals WHERE status = 'active' ORDER BY id LIMIT 1",
    ),
    (
        "…contact id…",
        "SELECT c.id FROM contacts c WHERE c.owner_id =
           (SELECT owner_id FROM deals WHERE status = 'active' ORDER BY id LIMIT 1) ORDER BY c.id LIMIT 1",
    ),
    (
        "…company id…",
        "SELECT id FROM companies ORDER BY id LIMIT 1",
    ),
];

#[test]
fn every_sql_block_and_command_of_the_documents_runs() {
    let stage = Stage::set();
    let mut troubles = Vec::new();
    for document in Document::all() {
        troubles.extend(stage.play(&document));
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
}

#[test]
fn a_block_that_is_not_run_says_why() {
    for document in Document::all() {
        for block in document.blocks() {
            let Some(remark) = block.remark else { continue };
            let reason = remark.strip_prefix("not run:").unwrap_or("-");
            let place = format!("{}:{}: {remark}", document.path, block.line);
            let known = remark == "fails" || remark.starts_with("not run:");
            assert!(known && !reason.trim().is_empty(), "{place}");
        }
    }
}

/// A server with the demo CRM, and a folder to run commands in.
struct Stage {
    cluster: Cluster,
    folder: PathBuf,
    ids: Vec<(&'static str, String)>,
}

impl Stage {
    fn set() -> Self {
        let cluster = Cluster::start(NAME, &["fsync = off"]);
        let server = cluster.server();
        connect(&format!("{server}postgres"))
            .batch_execute(
                "CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS",
            )
            .expect("the roles of an app");
        connect(&format!("{server}postgres"))
            .batch_execute(&format!("CREATE DATABASE {TEMPLATE}"))
            .expect("a database");
        let url = format!("{server}{TEMPLATE}");
        install_crm(&url);
        let demo = repository().join("demo/crm.sql").display().to_string();
        psql(&url, &["-f", &demo]);
        let mut client = connect(&url);
        let ids = PLACEHOLDERS.map(|(placeholder, query)| {
            let row = client.query_one(query, &[]).expect("a row of the demo CRM");
            (placeholder, row.get::<_, uuid::Uuid>(0).to_string())
        });
        Self {
            folder: folder(),
            ids: ids.into(),
            cluster,
        }
    }

    /// Runs all blocks of a document and says what went wrong.
    fn play(&self, document: &Document) -> Vec<String> {
        let blocks = document.blocks();
        self.prepare(document, &blocks);
        let mut troubles = Vec::new();
        for (index, block) in blocks.iter().enumerate() {
            let is_run = !block
                .remark
                .as_ref()
                .is_some_and(|remark| remark.starts_with("not run:"));
            let printed = blocks
                .get(index + 1)
                .filter(|next| next.follows && next.language == "text");
            let outcome = match block.language.as_str() {
                "sql" if is_run => self.run_sql(block, printed),
                "sh" if is_run => self.run_commands(block),
                _ => Ok(()),
            };
            if let Err(trouble) = outcome {
                troubles.push(format!("{}:{}: {trouble}", document.path, block.line));
            }
        }
        troubles
    }

    /// Makes the database that the document starts from.
    fn prepare(&self, document: &Document, blocks: &[Block]) {
        let server = self.cluster.server();
        connect(&format!("{server}postgres"))
            .batch_execute(&format!("DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))
            .expect("the database before is gone");
        connect(&format!("{server}postgres"))
            .batch_execute(&format!("CREATE DATABASE {NAME} TEMPLATE {TEMPLATE}"))
            .expect("a database");
        for extension in ["pg_cron", "crm_health"] {
            let statement = format!("CREATE EXTENSION {extension};");
            if !blocks.iter().any(|block| block.text.contains(&statement)) {
                connect(&format!("{server}{NAME}"))
                    .batch_execute(&statement)
                    .expect("an extension");
            }
        }
        let name = Path::new(&document.path).file_stem().expect("a name");
        let before = repository()
            .join("tests/tests/docs/before")
            .join(name)
            .with_extension("sql");
        if before.exists() {
            let url = format!("{server}{NAME}");
            psql(&url, &["-f", &before.display().to_string()]);
        }
    }

    fn run_sql(&self, block: &Block, printed: Option<&Block>) -> Result<(), String> {
        let mut command = self.command("psql");
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"]);
        let output = with_input(command.args(["-d", NAME]), &self.fill(&block.text));
        let fails = block.remark.as_deref() == Some("fails");
        if output.status.success() == fails {
            let what = if fails {
                "should have failed"
            } else {
                "failed"
            };
            return Err(format!("{what}: {}", text(&output.stderr)));
        }
        let Some(printed) = printed else {
            return Ok(());
        };
        let found = trimmed(&text(if fails {
            &output.stderr
        } else {
            &output.stdout
        }));
        let told = trimmed(&printed.text);
        if found == told {
            return Ok(());
        }
        Err(format!("printed\n{found}\nand the document says\n{told}"))
    }

    fn run_commands(&self, block: &Block) -> Result<(), String> {
        for line in self.fill(&block.text.replace("\\\n", " ")).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.first() {
                None => {}
                Some(&"make") => look_up_target(&words)?,
                Some(script) if script.starts_with("scripts/") => look_up_script(script)?,
                Some(word) if word.starts_with('#') => {}
                Some(_) => self.run_line(line)?,
            }
        }
        Ok(())
    }

    fn run_line(&self, line: &str) -> Result<(), String> {
        let output = self
            .command("bash")
            .args(["-euo", "pipefail", "-c", line])
            .output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("`{line}` failed: {}", text(&output.stderr)))
    }

    /// A command as a DBA runs it: in the project's folder, with the server at hand.
    fn command(&self, program: &str) -> Command {
        let server = self.cluster.server();
        let port = server.trim_end_matches('/').rsplit(':').next();
        let bin = crm_health_tests::environment("CRM_HEALTH_PG_BIN");
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env("PATH", format!("{bin}:/usr/bin:/bin"))
            .envs([("PGHOST", "127.0.0.1"), ("PGUSER", "postgres")])
            .env("PGPORT", port.expect("a port"))
            .env("PGOPTIONS", "-c client_min_messages=warning")
            .stdin(Stdio::null());
        command
    }

    fn fill(&self, text: &str) -> String {
        self.ids
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder where commands find the repository's files, and leave theirs.
fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("docs-{}", uuid::Uuid::new_v4().simple()));
    fs::create_dir(&folder).expect("a folder");
    // Of its own: secrets are put into it.
    fs::create_dir(folder.join("docker")).expect("a folder");
    for name in ["sql", "demo", "scripts"] {
        std::os::unix::fs::symlink(repository().join(name), folder.join(name)).expect("a link");
    }
    folder
}

fn look_up_target(words: &[&str]) -> Result<(), String> {
    let target = words.get(1).copied().unwrap_or("help");
    let makefile = fs::read_to_string(repository().join("Makefile")).expect("the Makefile");
    if makefile
        .lines()
        .any(|line| line.starts_with(&format!("{target}:")))
    {
        return Ok(());
    }
    Err(format!("the Makefile has no target {target}"))
}

fn look_up_script(script: &str) -> Result<(), String> {
    if repository().join(script).is_file() {
        return Ok(());
    }
    Err(format!("there is no {script}"))
}

fn with_input(command: &mut Command, input: &str) -> Output {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}
