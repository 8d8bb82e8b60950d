//! The other end of a channel: takes posts, checks what Slack would check, and answers as it is told to.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use serde_json::Value;

/// How posts are answered.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    /// As all is well.
    Fine,
    /// With a status and a body.
    Status(u16, String),
    /// 429, wait so many seconds.
    Limited(u64),
    /// Elsewhere, please.
    Redirect(String),
    /// Not at all: the request is taken, and the answer never comes.
    Hang,
    /// With an error and a body that never ends.
    Endless,
}

/// A post that came.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// It was answered with 200.
    pub(crate) taken: bool,
}

impl Post {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"));
        value.to_str().expect("text").to_owned()
    }

    /// Ids of the notifications of a webhook's body.
    pub(crate) fn ids(&self) -> Vec<i64> {
        let json = self.json();
        let items = json["notifications"].as_array().expect("notifications");
        items
            .iter()
            .map(|i| i["id"].as_i64().expect("id"))
            .collect()
    }

    /// The texts of a Slack message's blocks.
    pub(crate) fn texts(&self) -> Vec<String> {
        let json = self.json();
        let blocks = json["blocks"].as_array().expect("blocks");
        let text = |b: &Value| b["text"]["text"].as_str().expect("text").to_owned();
        blocks.iter().map(text).collect()
    }
}

struct Inner {
    mood: Mutex<Mood>,
    posts: Mutex<Vec<Post>>,
}

pub(crate) struct Receiver {
    address: SocketAddr,
    inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner {
            mood: Mutex::new(Mood::Fine),
            posts: Mutex::default(),
        });
        let app = Router::new()
            .route("/{*path}", post(take))
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("its number");
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the receiver");
        });
        Self {
            address,
            inner,
            server,
        }
    }

    /// Posts to paths that begin with `slack` are held to Slack's rules.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.inner.mood.lock().expect("mood") = mood;
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.inner.posts.lock().expect("posts").clone()
    }

    pub(crate) fn taken(&self) -> Vec<Post> {
        self.posts().into_iter().filter(|p| p.taken).collect()
    }

    /// Waits for so many posts.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Post> {
        for _ in 0..1500 {
            let posts = self.posts();
            if posts.len() >= count {
                return posts;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} posts never came: {:#?}", self.posts());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(
    State(inner): State<Arc<Inner>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut mood = inner.mood.lock().expect("mood").clone();
    if path.starts_with("slack")
        && matches!(mood, Mood::Fine)
        && let Err(complaint) = check_slack(&body)
    {
        mood = Mood::Status(400, complaint);
    }
    inner.posts.lock().expect("posts").push(Post {
        path,
        headers,
        body,
        taken: matches!(mood, Mood::Fine),
    });
    let answer = |status: u16| Response::builder().status(status);
    let built = match mood {
        Mood::Fine => answer(200).body(Body::from("ok")),
        Mood::Status(status, text) => answer(status).body(Body::from(text)),
        Mood::Limited(seconds) => answer(429)
            .header("retry-after", seconds)
            .body(Body::from("rate_limited")),
        Mood::Redirect(to) => answer(307).header("location", to).body(Body::empty()),
        Mood::Hang => std::future::pending().await,
        Mood::Endless => {
            let chunks = futures::stream::repeat_with(|| {
                Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 65_536]))
            });
            answer(500).body(Body::from_stream(chunks))
        }
    };
    built.expect("a response")
}

/// What Slack documents of blocks: numbers, lengths, and that nothing is left to be read as markup.
pub(crate) fn check_slack(body: &[u8]) -> Result<(), String> {
    let json: Value = serde_json::from_slice(body).map_err(|e| format!("invalid_payload: {e}"))?;
    let known: BTreeSet<&str> = ["text", "blocks", "unfurl_links", "unfurl_media"].into();
    let object = json.as_object().ok_or("invalid_payload")?;
    if let Some(key) = object.keys().find(|k| !known.contains(k.as_str())) {
        return Err(format!("invalid_payload: {key}"));
    }
    check_text(json["text"].as_str().ok_or("no_text")?, 40_000)?;
    let blocks = json["blocks"].as_array().ok_or("no blocks")?;
    if blocks.is_empty() || blocks.len() > 50 {
        return Err(format!("{} blocks", blocks.len()));
    }
    for block in blocks {
        let most = match block["type"].as_str() {
            Some("header") => 150,
            Some("section") => 3_000,
            other => return Err(format!("a block of type {other:?}")),
        };
        if block["text"]["type"] != "plain_text" {
            return Err("text that is read as markup".to_owned());
        }
        check_text(block["text"]["text"].as_str().ok_or("no text")?, most)?;
    }
    Ok(())
}

fn check_text(text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length == 0 || length > most {
        return Err(format!("{length} characters, at most {most}"));
    }
    if text.contains(['<', '>']) {
        return Err(format!("not escaped: {text}"));
    }
    let bare = text.match_indices('&').any(|(at, _)| {
        !["&amp;", "&lt;", "&gt;"]
            .iter()
            .any(|e| text[at..].starts_with(e))
    });
    if bare {
        return Err(format!("not escaped: {text}"));
    }
    Ok(())
}
