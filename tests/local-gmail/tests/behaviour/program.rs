//! The program `local-gmail`.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-gmail"));
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command.spawn().expect("the program starts")
}

async fn urls(program: &mut Child) -> Value {
    let output = program.stdout.take().expect("piped");
    let line = BufReader::new(output)
        .lines()
        .next_line()
        .await
        .expect("text")
        .expect("a line");
    serde_json::from_str(&line).expect("JSON")
}

#[tokio::test]
async fn it_prints_its_urls_serves_its_fixture_and_ends_on_sigterm() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixture.json");
    let fixture = r#"{"mailboxes": [{"address": "sam@example.com", "generate": {"count": 4}}]}"#;
    std::fs::write(&path, fixture).expect("written");
    let mut program = start(&["--fixture", path.to_str().expect("text"), "--quota", "new"]);
    let urls = urls(&mut program).await;
    let mailboxes = reqwest::get(format!(
        "{}/mailboxes",
        urls["admin_url"].as_str().expect("text")
    ));
    let mailboxes: Value = mailboxes
        .await
        .expect("answers")
        .json()
        .await
        .expect("JSON");
    assert_eq!(mailboxes[0]["messages"], 4);

    let pid = program.id().expect("running").to_string();
    let killed = Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .expect("kill runs");
    assert!(killed.success());
    assert_eq!(program.wait().await.expect("ends").code(), Some(0));
}

#[tokio::test]
async fn a_missing_fixture_ends_it_with_a_reason() {
    let program = start(&["--fixture", "/nowhere/fixture.json"]);
    let output = program.wait_with_output().await.expect("ends");
    let reason = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && reason.contains("/nowhere/fixture.json"),
        "{reason}"
    );
}
