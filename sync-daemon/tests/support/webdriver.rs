//! A headless Chromium, driven through Debian's chromedriver; both end with the test, whatever its end.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

/// What keeps it from the network, from the machine's screen and from other runs. Root has no sandbox.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// The name that WebDriver gives to an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) struct Browser {
    /// Leads a process group, in which the browser is too: it would outlive a killed driver.
    driver: Child,
    session: String,
    client: Client,
    profile: PathBuf,
}

impl Browser {
    /// Starts both. `folder`: where the profile may be; it is removed at the end.
    pub(crate) async fn start(folder: &Path) -> Self {
        let profile = folder.join(format!("profile-{}", Uuid::new_v4()));
        let (driver, port) = tokio::task::spawn_blocking(start_driver)
            .await
            .expect("join");
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            client: Client::builder().no_proxy().build().expect("a client"),
            profile,
        };
        let user_data = format!("--user-data-dir={}", browser.profile.display());
        let args: Vec<&str> = FLAGS.into_iter().chain([user_data.as_str()]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": args},
        }}});
        let session = browser.send(Method::POST, "", Some(wanted)).await;
        let id = session["sessionId"].as_str().expect("a session");
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("chromedriver answers");
        let status = answer.status();
        let mut answer: Value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {:#}", answer["value"]);
        answer["value"].take()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None).await
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) async fn open(&self, address: &str) {
        self.post("/url", json!({ "url": address })).await;
    }

    pub(crate) async fn address(&self) -> String {
        let address = self.get("/url").await;
        address.as_str().expect("an address").to_owned()
    }

    /// Runs a script in the page; what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []}))
            .await
    }

    /// A command of the browser's own protocol.
    pub(crate) async fn command(&self, name: &str, params: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": name, "params": params}))
            .await
    }

    /// Presses keys where the keyboard is.
    pub(crate) async fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|way| json!({"type": way, "value": key})))
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("/actions", json!({"actions": [keyboard]})).await;
    }

    /// The text of each element that a selector finds, without a script in the page.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let asked = json!({"using": "css selector", "value": selector});
        let found = self.post("/elements", asked).await;
        let mut texts = Vec::new();
        for element in found.as_array().expect("elements") {
            let id = element[ELEMENT].as_str().expect("an element");
            let text = self.get(&format!("/element/{id}/text")).await;
            texts.push(text.as_str().expect("text").to_owned());
        }
        texts
    }

    /// What the browser said against the pages since it was last asked.
    pub(crate) async fn errors(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().expect("a log").iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    pub(crate) async fn save_picture(&self, file: &Path) {
        let whole = json!({"captureBeyondViewport": true});
        let picture = self.command("Page.captureScreenshot", whole).await;
        let bytes = STANDARD.decode(picture["data"].as_str().expect("a picture"));
        std::fs::write(file, bytes.expect("base64")).expect("the picture's file");
    }
}

/// A driver and its port, which it chose.
fn start_driver() -> (Child, u16) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver: run make setup");
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let port = lines.by_ref().find_map(|line| {
        let line = line.expect("a line");
        let port = line.split("started successfully on port ").nth(1)?;
        port.trim_end_matches('.').parse().ok()
    });
    // Read on, so that the pipe never fills.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (driver, port.expect("its port"))
}

/// Sends a signal to the driver's whole process group: whether anybody was there to get it.
fn signal_group(leader: u32, signal: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal, "--", &format!("-{leader}")]);
    kill.stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = self.driver.id();
        signal_group(group, "KILL");
        let _ = self.driver.wait();
        // The last of the browser's processes may still write its profile for a moment.
        for _ in 0..200 {
            if !signal_group(group, "0") {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
