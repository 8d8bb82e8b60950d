//! Google's own Python client reads a mailbox, so that this is not only our idea of Gmail.

use std::path::{Path, PathBuf};
use std::process::Output;

use local_gmail::Generate;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::world::{REP, World, discovery};

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/behaviour/drive_gmail.py"
);
const CLIENT: &str = "google-api-python-client==2.202.0";

/// A Python with the client: made once, kept in `CRM_HEALTH_CACHE` or in Cargo's folder for tests.
async fn python() -> PathBuf {
    let cache = std::env::var_os("CRM_HEALTH_CACHE")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let folder = cache.join("google-api-python-client-2.202.0");
    let python = folder.join("bin/python");
    // The mark is written last: a folder that was left half made is made anew.
    let mark = folder.join("complete");
    if !mark.exists() {
        let folder = folder.to_str().expect("a path in UTF-8");
        let made = run(Command::new("python3").args(["-m", "venv", "--clear", folder])).await;
        succeeded(
            &made,
            "python3 -m venv failed; Debian has it in python3-venv",
        );
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            CLIENT,
        ];
        let installed = run(Command::new(&python).args(install)).await;
        succeeded(
            &installed,
            "pip could not install google-api-python-client from PyPI",
        );
        std::fs::write(mark, CLIENT).expect("written");
    }
    python
}

async fn run(command: &mut Command) -> Output {
    let output = command.kill_on_drop(true).output().await;
    output.expect("python3 is needed for this test and cannot be run; Debian has it in python3")
}

fn succeeded(output: &Output, otherwise: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{otherwise}:\n{errors}");
}

async fn drive(world: &World, python: &Path, start: u64) -> Value {
    let output = run(Command::new(python)
        .arg(SCRIPT)
        .arg(discovery())
        .arg(world.gmail.base_url())
        .env("REFRESH_TOKEN", world.gmail.refresh_token(REP))
        .env("START_HISTORY_ID", start.to_string())
        .env("NO_PROXY", "127.0.0.1"))
    .await;
    succeeded(&output, "Google's client could not read the mailbox");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn googles_own_client_reads_a_mailbox_with_lists_batches_and_history() {
    let python = python().await;
    let world = World::new().await;
    let start = world.gmail.history_id(REP).expect("exists");
    world
        .gmail
        .generate(
            REP,
            Generate {
                count: 45,
                ..Generate::default()
            },
        )
        .expect("generates");
    world
        .gmail
        .set_aliases(REP, &["sales@example.com"])
        .expect("exists");
    let seen = drive(&world, &python, start).await;
    let ids = world.gmail.message_ids(REP).expect("exists");
    assert_eq!(seen["ids"], json!(ids));
    assert_eq!(seen["profile"]["emailAddress"], REP);
    let subjects = seen["subjects"].as_object().expect("an object");
    assert_eq!(subjects.len(), 25);
    assert!(
        ids[..25]
            .iter()
            .all(|id| subjects[id].as_str().is_some_and(|s| s.contains('#')))
    );
    assert_eq!(seen["failures"], json!({ "18ffffffffffffff": 404 }));
    assert_eq!(
        (&seen["history_records"], &seen["expired"]),
        (&json!(45), &json!(404))
    );
    assert_eq!(seen["aliases"][1]["sendAsEmail"], "sales@example.com");
    assert_eq!(seen["full"], "text/plain");
    world.conforms();
}
