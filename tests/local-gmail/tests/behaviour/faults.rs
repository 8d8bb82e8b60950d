//! Faults on demand: each kind on each endpoint, how often, and for whom.

use local_gmail::{Endpoint, Fault, FaultRule, NewMessage, Place};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{REP, World, parts};

/// A path for each endpoint that a single call can reach.
pub(crate) fn single_calls(id: &str) -> [(Endpoint, String); 5] {
    [
        (Endpoint::Profile, "profile".to_owned()),
        (Endpoint::List, "messages".to_owned()),
        (Endpoint::Get, format!("messages/{id}?format=metadata")),
        (Endpoint::History, "history?startHistoryId=1".to_owned()),
        (Endpoint::SendAs, "settings/sendAs".to_owned()),
    ]
}

/// A server with one message, and its id.
pub(crate) async fn world() -> (World, String) {
    let world = World::new().await;
    let message = NewMessage::received("Ada <ada@client.example>", REP).subject("Renewal");
    let id = world.gmail.add_message(REP, message).expect("added");
    (world, id)
}

fn rate_limited(status: u16) -> Fault {
    Fault::RateLimited {
        status,
        reason: "userRateLimitExceeded".to_owned(),
        retry_after_seconds: Some(7),
        retry_in_text_seconds: Some(30),
    }
}

fn forbidden(reason: &str) -> Fault {
    Fault::Forbidden {
        reason: reason.to_owned(),
    }
}

/// Faults that answer with Google's error body, its status and its reason.
fn refusals() -> Vec<(Fault, u16, &'static str)> {
    vec![
        (Fault::Unauthorized, 401, "authError"),
        (forbidden("domainPolicy"), 403, "domainPolicy"),
        (forbidden("dailyLimitExceeded"), 403, "dailyLimitExceeded"),
        (
            forbidden("insufficientPermissions"),
            403,
            "insufficientPermissions",
        ),
        (forbidden("somethingNew"), 403, "somethingNew"),
        (rate_limited(403), 403, "userRateLimitExceeded"),
        (rate_limited(429), 429, "userRateLimitExceeded"),
        (Fault::NotFound, 404, "notFound"),
        (Fault::Gone, 410, "deleted"),
        (Fault::BadRequest, 400, "failedPrecondition"),
        (
            Fault::ServerError {
                status: 500,
                html: false,
            },
            500,
            "backendError",
        ),
        (
            Fault::ServerError {
                status: 503,
                html: false,
            },
            503,
            "backendError",
        ),
    ]
}

#[tokio::test]
async fn every_refusal_comes_from_every_endpoint_once() {
    let (world, id) = world().await;
    for (endpoint, path) in single_calls(&id) {
        for (fault, status, reason) in refusals() {
            world.gmail.inject(FaultRule::once(endpoint, fault));
            assert_eq!(
                world.refused(&path).await,
                (status, reason.to_owned()),
                "{path}"
            );
        }
    }
    assert!(world.gmail.faults().iter().all(|fault| fault.hits == 1));
    world.ok("profile").await;
    world.conforms();
}

#[tokio::test]
async fn every_refusal_strikes_one_part_or_the_whole_batch() {
    let (world, id) = world().await;
    let paths = [
        format!("messages/{id}?format=minimal"),
        "profile".to_owned(),
    ];
    for (fault, status, reason) in refusals() {
        world
            .gmail
            .inject(FaultRule::once(Endpoint::Get, fault.clone()).place(Place::Part));
        let mut parts = world.batch(&paths).await;
        parts.sort();
        assert_eq!((parts[0].1, parts[1].1), (status, 200));
        assert!(parts[0].2.contains(reason), "{}", parts[0].2);
        world.gmail.inject(FaultRule::once(Endpoint::Batch, fault));
        assert_eq!(
            world.send_batch(&paths).await.expect("answers").status(),
            status
        );
    }
    world.conforms();
}

#[tokio::test]
async fn a_rate_limit_says_when_in_a_header_and_in_the_text() {
    let (world, _) = world().await;
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Profile, rate_limited(429)));
    let before_ms = world.gmail.now_ms();
    let response = world.send("profile").await.expect("answers");
    assert_eq!(response.headers()["retry-after"], "7");
    let body: Value = response.json().await.expect("JSON");
    let message = body["error"]["message"].as_str().expect("a text");
    let instant = message.split("Retry after ").nth(1).expect("an instant");
    let at_ms = instant
        .parse::<jiff::Timestamp>()
        .expect("RFC 3339")
        .as_millisecond();
    let wait_ms = at_ms - before_ms;
    assert!((30_000..60_000).contains(&wait_ms), "{message}");
    world.conforms();
}

#[tokio::test]
async fn connections_are_reset_before_and_amid_answers() {
    let (world, id) = world().await;
    let paths = [format!("messages/{id}?format=minimal")];
    for (endpoint, path) in single_calls(&id) {
        world.gmail.inject(FaultRule::once(endpoint, Fault::Reset));
        assert!(world.send(&path).await.is_err(), "{path}: no answer at all");
        world
            .gmail
            .inject(FaultRule::once(endpoint, Fault::ResetMidBody));
        let response = world.send(&path).await.expect("a head");
        assert!(response.bytes().await.is_err(), "{path}: no whole body");
    }
    for endpoint in [Endpoint::Batch, Endpoint::Get] {
        world.gmail.inject(FaultRule::once(endpoint, Fault::Reset));
        assert!(world.send_batch(&paths).await.is_err());
    }
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Batch, Fault::ResetMidBody));
    assert!(
        world
            .send_batch(&paths)
            .await
            .expect("a head")
            .bytes()
            .await
            .is_err()
    );
    world.ok("profile").await;
    world.conforms();
}

#[tokio::test]
async fn batches_come_short_doubled_reversed_and_truncated() {
    let (world, id) = world().await;
    let paths = vec![format!("messages/{id}?format=minimal"); 4];
    let numbers = async |endpoint: Endpoint, fault: Fault| -> Vec<usize> {
        world.gmail.inject(FaultRule::once(endpoint, fault));
        let parts = parts(world.send_batch(&paths).await.expect("answers")).await;
        parts.into_iter().map(|part| part.0).collect()
    };
    assert_eq!(
        numbers(Endpoint::Batch, Fault::Missing { count: 3 })
            .await
            .len(),
        1
    );
    let without_first = numbers(Endpoint::Get, Fault::Missing { count: 1 }).await;
    assert!(
        without_first.len() == 3 && !without_first.contains(&0),
        "{without_first:?}"
    );
    let mut doubled = numbers(Endpoint::Batch, Fault::Duplicated).await;
    doubled.sort_unstable();
    assert_eq!(doubled, [0, 0, 1, 1, 2, 2, 3, 3]);
    assert_eq!(
        numbers(Endpoint::Batch, Fault::Reversed).await,
        [3, 2, 1, 0]
    );

    let truncated = Fault::Truncated { keep_percent: 60 };
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Batch, truncated));
    let text = world
        .send_batch(&paths)
        .await
        .expect("answers")
        .text()
        .await
        .expect("a body");
    assert!(
        !text.trim_end().ends_with("--") && text.contains("Content-ID"),
        "{text}"
    );
    world.conforms();
}

#[tokio::test]
async fn a_rule_waits_for_its_turn_its_mailbox_and_its_message() {
    let (world, id) = world().await;
    let other = world
        .gmail
        .add_message(REP, NewMessage::sent(REP, "a@b.example"))
        .expect("added");
    let get = |id: &str| format!("messages/{id}?format=minimal");
    world.gmail.inject(
        FaultRule::once(Endpoint::Get, Fault::Gone)
            .message(&id)
            .after(1)
            .times(2),
    );
    world
        .gmail
        .inject(FaultRule::always(Endpoint::Get, Fault::NotFound).mailbox("x@example.com"));
    world.ok(&get(&other)).await;
    world.ok(&get(&id)).await;
    for _ in 0..2 {
        assert_eq!(world.refused(&get(&id)).await.0, 410);
        world.ok(&get(&other)).await;
    }
    world.ok(&get(&id)).await;
    let hits: Vec<u32> = world
        .gmail
        .faults()
        .iter()
        .map(|report| report.hits)
        .collect();
    assert_eq!(hits, [2, 0]);

    world
        .gmail
        .inject(FaultRule::always(Endpoint::Profile, Fault::Gone).mailbox("Rep@Example.com"));
    assert_eq!(world.refused("profile").await.0, 410);
    world.gmail.clear_faults();
    world.ok("profile").await;
    world.conforms();
}

#[tokio::test]
async fn a_rule_that_could_never_strike_is_refused() {
    let (world, id) = world().await;
    let empty_page = FaultRule::once(Endpoint::Get, Fault::EmptyPage);
    let gone = || FaultRule::once(Endpoint::Profile, Fault::Gone);
    for rule in [
        empty_page,
        gone().message(&id),
        FaultRule::once(Endpoint::Token, Fault::Gone).place(Place::Part),
        FaultRule::once(Endpoint::Get, Fault::Duplicated),
        FaultRule::once(Endpoint::Get, Fault::Missing { count: 1 }).place(Place::Single),
        FaultRule::once(
            Endpoint::List,
            Fault::Oauth {
                error: "invalid_grant".to_owned(),
            },
        ),
        FaultRule::once(Endpoint::Consent, Fault::WrongTypes),
    ] {
        let url = format!("{}/__admin/faults", world.gmail.base_url());
        let response = world
            .http
            .post(url)
            .json(&rule)
            .send()
            .await
            .expect("answers");
        assert_eq!(response.status(), 400, "{rule:?}");
    }
    assert!(world.gmail.faults().is_empty());
}

#[tokio::test]
async fn a_reset_is_one_on_the_wire_too_and_no_early_end() {
    let (world, _) = world().await;
    let host = world.gmail.base_url().replace("http://", "");
    let request = format!(
        "GET /gmail/v1/users/me/profile HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\r\n",
        world.token
    );
    for fault in [Fault::Reset, Fault::ResetMidBody] {
        world
            .gmail
            .inject(FaultRule::once(Endpoint::Profile, fault));
        let mut stream = tokio::net::TcpStream::connect(&host)
            .await
            .expect("connects");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let error = stream
            .read_to_end(&mut Vec::new())
            .await
            .expect_err("a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    world.conforms();
}
