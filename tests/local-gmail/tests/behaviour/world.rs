//! A server with one mailbox and a client for it.

use std::path::PathBuf;

use local_gmail::{Config, LocalGmail, Stats};
use reqwest::{Client, Response};
use serde_json::Value;

/// The mailbox of the tests.
pub(crate) const REP: &str = "rep@example.com";

/// Google's API description, which is not part of this repository.
pub(crate) fn discovery() -> PathBuf {
    let data = std::env::var_os("CRM_HEALTH_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    data.join("gmail.v1.json")
}

/// Settings with the description's checks on.
pub(crate) fn checked() -> Config {
    Config::checked(discovery())
}

/// A server with the mailbox [`REP`], and an access token for it.
pub(crate) struct World {
    pub(crate) gmail: LocalGmail,
    pub(crate) http: Client,
    pub(crate) token: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(checked()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let gmail = LocalGmail::start(config).await.expect("the server starts");
        gmail.add_mailbox(REP).expect("a new mailbox");
        // Built with the daemon, the client has TLS without a provider, and wants one though it speaks none here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let mut world = Self {
            gmail,
            http: http.expect("a client"),
            token: String::new(),
        };
        world.token = world.refresh(REP).await;
        world.gmail.reset_stats();
        world
    }

    /// A new access token.
    pub(crate) async fn refresh(&self, address: &str) -> String {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.gmail.refresh_token(address)),
        ];
        let (status, body) = self.token(&form).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    /// A request to the token endpoint as the known client.
    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let mut form = form.to_vec();
        form.extend([
            ("client_id", "local-client"),
            ("client_secret", "local-secret"),
        ]);
        let response = self
            .http
            .post(self.gmail.token_url())
            .form(&form)
            .send()
            .await;
        let response = response.expect("an answer");
        (
            response.status().as_u16(),
            response.json().await.expect("JSON"),
        )
    }

    /// A call of the API, path below `users/me`.
    pub(crate) async fn send(&self, path: &str) -> reqwest::Result<Response> {
        let url = format!("{}/gmail/v1/users/me/{path}", self.gmail.base_url());
        self.http.get(url).bearer_auth(&self.token).send().await
    }

    /// The same, with status and JSON of the answer.
    pub(crate) async fn call(&self, path: &str) -> (u16, Value) {
        let response = self.send(path).await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.expect("JSON"))
    }

    /// The same, which must succeed.
    pub(crate) async fn ok(&self, path: &str) -> Value {
        let (status, body) = self.call(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The same, which must fail; gives status and reason.
    pub(crate) async fn refused(&self, path: &str) -> (u16, String) {
        let (status, body) = self.call(path).await;
        let reason = body["error"]["errors"][0]["reason"]
            .as_str()
            .unwrap_or_default();
        (status, reason.to_owned())
    }

    /// A batch of GETs below `users/me`, with Content-IDs `<0>`, `<1>`, …; gives the response.
    pub(crate) async fn send_batch(&self, paths: &[String]) -> reqwest::Result<Response> {
        let mut body = String::new();
        for (n, path) in paths.iter().enumerate() {
            body += &format!(
                "--frontier\r\nContent-Type: application/http\r\nContent-ID: <{n}>\r\n\r\n\
                 GET /gmail/v1/users/me/{path}\r\n\r\n"
            );
        }
        body += "--frontier--\r\n";
        let request = self
            .http
            .post(format!("{}/batch/gmail/v1", self.gmail.base_url()));
        let request = request.header("content-type", "multipart/mixed; boundary=\"frontier\"");
        request.bearer_auth(&self.token).body(body).send().await
    }

    /// The same, with the parts of the answer: number, status, body.
    pub(crate) async fn batch(&self, paths: &[String]) -> Vec<(usize, u16, String)> {
        let response = self.send_batch(paths).await.expect("an answer");
        assert_eq!(response.status(), 200);
        parts(response).await
    }

    pub(crate) fn stats(&self) -> Stats {
        self.gmail.stats()
    }

    /// Ends the test: nothing may have deviated from the description.
    pub(crate) fn conforms(&self) {
        assert_eq!(self.gmail.violations(), []);
    }
}

/// The parts of a multipart answer in their order: number from the Content-ID, status, body.
pub(crate) async fn parts(response: Response) -> Vec<(usize, u16, String)> {
    let kind = response.headers()["content-type"]
        .to_str()
        .expect("text")
        .to_owned();
    let boundary = kind
        .split_once("boundary=")
        .expect("a boundary")
        .1
        .to_owned();
    let body = response.bytes().await.expect("a whole body");
    let body = String::from_utf8_lossy(&body).into_owned();
    let pieces = body
        .split(&format!("--{boundary}"))
        .skip(1)
        .map(str::to_owned)
        .collect::<Vec<_>>();
    pieces
        .iter()
        .filter(|piece| !piece.starts_with("--"))
        .map(|piece| part(piece))
        .collect()
}

fn part(piece: &str) -> (usize, u16, String) {
    let mut sections = piece.splitn(3, "\r\n\r\n");
    let (outer, inner) = (
        sections.next().expect("outer headers"),
        sections.next().expect("inner"),
    );
    let id = outer
        .split("Content-ID: <response-")
        .nth(1)
        .and_then(|rest| rest.split('>').next());
    let status = inner
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok());
    let body = sections.next().unwrap_or_default().trim_end().to_owned();
    (
        id.and_then(|id| id.parse().ok()).expect("a Content-ID"),
        status.expect("a status"),
        body,
    )
}
