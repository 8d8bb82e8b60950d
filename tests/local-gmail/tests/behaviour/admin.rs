//! The admin side over HTTP, and fixtures.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{REP, World};

async fn admin(world: &World, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/__admin/{path}", world.gmail.base_url());
    let response = world
        .http
        .request(method, url)
        .json(&body)
        .send()
        .await
        .expect("answers");
    let status = response.status().as_u16();
    let text = response.text().await.expect("text");
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

async fn post(world: &World, path: &str, body: Value) -> Value {
    let (status, answer) = admin(world, Method::POST, path, body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn get(world: &World, path: &str) -> Value {
    admin(world, Method::GET, path, Value::Null).await.1
}

#[tokio::test]
async fn a_mailbox_is_built_and_changed_over_http() {
    let world = World::new().await;
    let mail = format!("mailboxes/{REP}/messages");
    let message = json!({
        "headers": [["From", "a@b.example"], ["Received", "one"], ["Received", "two"]],
        "labels": ["INBOX"],
        "hours_ago": 2,
        "thread": "deal",
    });
    let id = post(&world, &mail, message).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    post(
        &world,
        &format!("{mail}/{id}/labels"),
        json!({"add": ["STARRED"], "remove": ["INBOX"]}),
    )
    .await;
    let seen = world
        .ok(&format!(
            "messages/{id}?format=metadata&metadataHeaders=Received"
        ))
        .await;
    assert_eq!(seen["labelIds"], json!(["STARRED"]));
    assert_eq!(seen["payload"]["headers"].as_array().map(Vec::len), Some(2));
    let date_ms: i64 = seen["internalDate"]
        .as_str()
        .and_then(|d| d.parse().ok())
        .expect("a date");
    let age_ms = world.gmail.now_ms() - date_ms;
    assert!((7_200_000..7_260_000).contains(&age_ms), "{age_ms}");

    post(
        &world,
        &format!("mailboxes/{REP}/generate"),
        json!({"count": 9}),
    )
    .await;
    assert_eq!(get(&world, &mail).await.as_array().map(Vec::len), Some(10));
    assert_eq!(
        admin(&world, Method::DELETE, &format!("{mail}/{id}"), Value::Null)
            .await
            .0,
        200
    );
    assert_eq!(get(&world, "mailboxes").await[0]["messages"], 9);
    let start = world.gmail.history_id(REP).expect("exists");
    post(
        &world,
        &format!("mailboxes/{REP}/expire-history"),
        Value::Null,
    )
    .await;
    assert_eq!(
        world
            .refused(&format!("history?startHistoryId={start}"))
            .await
            .0,
        404
    );
    post(
        &world,
        &format!("mailboxes/{REP}/expire-tokens"),
        Value::Null,
    )
    .await;
    assert_eq!(world.refused("profile").await.0, 401);
    world.conforms();
}

#[tokio::test]
async fn faults_latency_quota_and_clock_are_set_over_http() {
    let world = World::new().await;
    let rule = json!({
        "endpoint": "profile",
        "fault": {"kind": "rate_limited", "retry_after_seconds": 3},
        "times": 1,
    });
    post(&world, "faults", rule).await;
    assert_eq!(
        world.refused("profile").await,
        (429, "rateLimitExceeded".to_owned())
    );
    assert_eq!(get(&world, "faults").await[0]["hits"], 1);
    assert_eq!(get(&world, "stats").await["calls"]["profile"]["refused"], 1);
    admin(&world, Method::DELETE, "faults", Value::Null).await;
    assert_eq!(get(&world, "faults").await, json!([]));

    let quota = json!({"per_user_per_minute": 0});
    assert_eq!(admin(&world, Method::PUT, "quota", quota).await.0, 200);
    assert_eq!(
        world.refused("profile").await,
        (403, "userRateLimitExceeded".to_owned())
    );
    let before_ms = world.gmail.now_ms();
    post(&world, "clock", json!({"advance_ms": 5_000_000})).await;
    assert!(world.gmail.now_ms() - before_ms >= 5_000_000);
    assert_eq!(get(&world, "violations").await, json!([]));
    let requests = get(&world, "requests").await;
    assert_eq!(requests[0]["target"], "/gmail/v1/users/me/profile");
    assert_eq!(requests[0]["mailbox"], REP);
    world.conforms();
}

#[tokio::test]
async fn a_fixture_brings_mailboxes_with_their_tokens_scopes_and_mail() {
    let world = World::new().await;
    let fixture = json!({"mailboxes": [{
        "address": "Sam@Example.com",
        "refresh_token": "sams-token",
        "aliases": ["sales@example.com"],
        "messages": [
            {"headers": {"From": "ada@client.example", "Subject": "Hi"}, "hours_ago": 30},
            {"headers": {"From": "sam@example.com"}, "labels": ["SENT"], "hours_ago": 1},
        ],
        "generate": {"count": 3, "correspondents": ["bo@client.example"], "span_hours": 0.5},
    }]});
    post(&world, "fixture", fixture.clone()).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "sams-token"),
    ];
    let (status, tokens) = world.token(&form).await;
    assert_eq!(status, 200, "{tokens}");
    let url = format!(
        "{}/gmail/v1/users/sam@example.com/messages?q=from:bo",
        world.gmail.base_url()
    );
    let token = tokens["access_token"].as_str().expect("a token");
    let page: Value = world
        .http
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .expect("answers")
        .json()
        .await
        .expect("JSON");
    assert_eq!(
        page["messages"].as_array().map(Vec::len),
        Some(2),
        "two of three are received"
    );
    assert_eq!(
        admin(&world, Method::POST, "fixture", fixture).await.0,
        409,
        "it exists already"
    );
    world.conforms();
}

#[tokio::test]
async fn mistakes_of_the_caller_are_told() {
    let world = World::new().await;
    for (path, body, status) in [
        ("mailboxes/nobody@example.com/messages", json!({}), 404),
        (
            "mailboxes/rep@example.com/messages",
            json!({"id": "not hex"}),
            400,
        ),
        (
            "mailboxes/rep@example.com/messages",
            json!({"label": []}),
            422,
        ),
        (
            "mailboxes/rep@example.com/messages/18/labels",
            json!({"add": ["X"]}),
            404,
        ),
        (
            "mailboxes/rep@example.com/generate",
            json!({"span_hours": 0}),
            400,
        ),
        (
            "mailboxes/rep@example.com/generate",
            json!({"draft_percent": 101}),
            400,
        ),
        ("mailboxes", json!({"address": REP}), 409),
        (
            "faults",
            json!({"endpoint": "nowhere", "fault": {"kind": "reset"}}),
            422,
        ),
    ] {
        let answer = admin(&world, Method::POST, path, body).await;
        assert_eq!(answer.0, status, "{path}: {}", answer.1);
    }
    let twice = json!({"id": "18aa"});
    post(&world, "mailboxes/rep@example.com/messages", twice.clone()).await;
    let path = "mailboxes/rep@example.com/messages";
    assert_eq!(admin(&world, Method::POST, path, twice).await.0, 409);
}
