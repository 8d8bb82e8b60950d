//! A running `crm-health-sync run`, ended with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::World;

pub(crate) struct Service {
    child: Child,
    pub(crate) base: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(crate) async fn start(world: &World) -> Self {
        Self::start_with(world, |_| {}).await
    }

    /// Starts it; the line that says where it listens is what we wait for.
    pub(crate) async fn start_with(world: &World, adjust: impl FnOnce(&mut Command)) -> Self {
        let mut command = world.daemon();
        command
            .arg("run")
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped());
        adjust(&mut command);
        tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("the service");
            let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
            let line = lines
                .by_ref()
                .map(|l| l.expect("a line"))
                .find(|l| l.contains("listening"))
                .expect("it listens");
            let log = Arc::new(Mutex::new(Vec::new()));
            let sink = Arc::clone(&log);
            // The log is read on, so that the pipe never fills.
            std::thread::spawn(move || {
                for line in lines.map_while(Result::ok) {
                    sink.lock().expect("log").push(line);
                }
            });
            let start = line.find("127.0.0.1:").expect("its address");
            let address: String = line[start..]
                .chars()
                .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
                .collect();
            Self {
                child,
                base: format!("http://{address}"),
                log,
            }
        })
        .await
        .expect("join")
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut request = reqwest::Client::new().get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        (
            response.status().as_u16(),
            response.text().await.expect("a body"),
        )
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .expect("kill");
        assert!(sent.success(), "{name} was not delivered");
    }

    /// Waits for a line of its log after the start; the line.
    pub(crate) async fn said(&self, text: &str) -> String {
        for _ in 0..1500 {
            let lines = self.log.lock().expect("log").clone();
            if let Some(line) = lines.into_iter().find(|l| l.contains(text)) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{text:?} is not in the log: {:#?}", self.log.lock());
    }

    /// All that it said after the start.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("log").join("\n")
    }

    pub(crate) async fn ended(mut self) -> Option<i32> {
        let wait = move || self.child.wait().expect("its end").code();
        tokio::task::spawn_blocking(wait).await.expect("join")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
