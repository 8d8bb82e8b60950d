//! Faults that spoil what an answer says.

use local_gmail::{Endpoint, Fault, FaultRule, NewMessage};
use serde_json::Value;

use crate::faults::{single_calls, world};
use crate::world::{REP, World};

async fn spoiled(world: &World, endpoint: Endpoint, path: &str, fault: Fault) -> Vec<u8> {
    world.gmail.inject(FaultRule::once(endpoint, fault));
    let response = world.send(path).await.expect("answers");
    assert_eq!(response.status(), 200);
    response.bytes().await.expect("a whole body").to_vec()
}

#[tokio::test]
async fn bodies_are_spoiled_in_every_way() {
    let (world, id) = world().await;
    for (endpoint, path) in single_calls(&id) {
        let path = match endpoint {
            Endpoint::History => {
                format!(
                    "history?startHistoryId={}",
                    world.gmail.history_id(REP).expect("exists")
                )
            }
            _ => path,
        };
        let right = world.ok(&path).await;
        let body = |fault| spoiled(&world, endpoint, &path, fault);
        let text = body(Fault::MalformedJson).await;
        assert!(serde_json::from_slice::<Value>(&text).is_err(), "{path}");
        let wrong: Value = serde_json::from_slice(&body(Fault::WrongTypes).await).expect("JSON");
        assert!(wrong.is_object() && wrong != right, "{path}");
        let nul: Value = serde_json::from_slice(&body(Fault::NulBytes).await).expect("JSON");
        assert!(nul.to_string().contains("\\u0000"), "{path}: {nul}");
        let broken = body(Fault::BrokenUtf8).await;
        assert!(std::str::from_utf8(&broken).is_err(), "{path}");
        let half = body(Fault::Truncated { keep_percent: 50 }).await;
        assert!(serde_json::from_slice::<Value>(&half).is_err(), "{path}");
    }
    world.conforms();
}

#[tokio::test]
async fn a_header_may_have_ten_megabytes() {
    let (world, id) = world().await;
    let path = format!("messages/{id}?format=metadata&metadataHeaders=Subject");
    let fault = Fault::HugeHeader { bytes: 10_000_000 };
    let body = spoiled(&world, Endpoint::Get, &path, fault).await;
    let value: Value = serde_json::from_slice(&body).expect("JSON");
    let subject = value["payload"]["headers"][0]["value"]
        .as_str()
        .map(str::len);
    assert_eq!(subject, Some(10_000_000));
    world.conforms();
}

#[tokio::test]
async fn redirects_and_proxy_pages_are_no_json() {
    let (world, _) = world().await;
    let location = "http://127.0.0.1:1/elsewhere".to_owned();
    world.gmail.inject(FaultRule::once(
        Endpoint::Profile,
        Fault::Redirect { location },
    ));
    let response = world.send("profile").await.expect("answers");
    assert_eq!(response.status(), 302);
    assert_eq!(
        response.headers()["location"],
        "http://127.0.0.1:1/elsewhere"
    );
    let page = Fault::ServerError {
        status: 502,
        html: true,
    };
    world.gmail.inject(FaultRule::once(Endpoint::Profile, page));
    let response = world.send("profile").await.expect("answers");
    assert_eq!(response.status(), 502);
    assert!(
        response
            .text()
            .await
            .expect("text")
            .starts_with("<!DOCTYPE html>")
    );
    world.conforms();
}

#[tokio::test]
async fn an_empty_page_leads_on_to_the_same_place() {
    let (world, id) = world().await;
    let start = world.gmail.history_id(REP).expect("exists");
    world.gmail.delete_message(REP, &id).expect("deleted");
    let second = world
        .gmail
        .add_message(REP, NewMessage::sent(REP, "a@b.example"))
        .expect("added");
    let history = format!("history?startHistoryId={start}");
    for (endpoint, path, list) in [
        (Endpoint::List, "messages?maxResults=5", "messages"),
        (Endpoint::History, &history, "history"),
    ] {
        let right = world.ok(path).await;
        world
            .gmail
            .inject(FaultRule::once(endpoint, Fault::EmptyPage));
        let empty = world.ok(path).await;
        assert!(empty.get(list).is_none(), "{empty}");
        let token = empty["nextPageToken"].as_str().expect("a next page");
        assert_eq!(
            world.ok(&format!("{path}&pageToken={token}")).await[list],
            right[list]
        );
    }
    assert_eq!(world.gmail.message_ids(REP).expect("exists"), [second]);
    world.conforms();
}

#[tokio::test]
async fn the_json_of_one_part_or_of_every_part_is_spoiled() {
    let (world, id) = world().await;
    let paths = vec![format!("messages/{id}?format=metadata"); 2];
    for fault in [
        Fault::MalformedJson,
        Fault::BrokenUtf8,
        Fault::WrongTypes,
        Fault::NulBytes,
    ] {
        let right = world.batch(&paths).await[0].2.clone();
        for (endpoint, spoiled) in [(Endpoint::Get, 1), (Endpoint::Batch, 2)] {
            world.gmail.inject(FaultRule::once(endpoint, fault.clone()));
            let parts = world.batch(&paths).await;
            let wrong = parts
                .iter()
                .filter(|part| part.1 == 200 && part.2 != right)
                .count();
            assert_eq!(wrong, spoiled, "{fault:?} {endpoint:?}");
        }
    }
    world.conforms();
}
