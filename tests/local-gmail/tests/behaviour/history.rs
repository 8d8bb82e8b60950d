//! History: order, types, pages, expiry.

use local_gmail::{Generate, NewMessage};
use serde_json::json;

use crate::world::{REP, World};

#[tokio::test]
async fn history_tells_what_happened_since_and_in_order() {
    let world = World::new().await;
    let start = world.gmail.history_id(REP).expect("exists");
    let first = world
        .gmail
        .add_message(REP, NewMessage::received("a@b.example", REP))
        .expect("added");
    let second = world
        .gmail
        .add_message(REP, NewMessage::received("c@d.example", REP))
        .expect("added");
    world
        .gmail
        .change_labels(REP, &first, &["STARRED", "INBOX"], &["UNREAD", "SPAM"])
        .expect("changed");
    world.gmail.delete_message(REP, &second).expect("deleted");

    let answer = world.ok(&format!("history?startHistoryId={start}")).await;
    let records = answer["history"].as_array().expect("records");
    let kinds: Vec<&str> = records
        .iter()
        .flat_map(|r| r.as_object().expect("an object").keys())
        .map(String::as_str)
        .filter(|key| !["id", "messages"].contains(key))
        .collect();
    let expected = [
        "messagesAdded",
        "messagesAdded",
        "labelsAdded",
        "labelsRemoved",
        "messagesDeleted",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        records[2]["labelsAdded"][0]["labelIds"],
        json!(["STARRED"]),
        "real changes only"
    );
    assert_eq!(
        records[3]["labelsRemoved"][0]["labelIds"],
        json!(["UNREAD"])
    );
    assert_eq!(
        records[4]["messagesDeleted"][0]["message"]["id"],
        second.as_str()
    );
    let numbers: Vec<u64> = records
        .iter()
        .map(|r| {
            r["id"]
                .as_str()
                .and_then(|id| id.parse().ok())
                .expect("a number")
        })
        .collect();
    assert!(
        numbers.is_sorted() && numbers[4] - numbers[0] > 4,
        "ascending with gaps: {numbers:?}"
    );
    assert_eq!(answer["historyId"], numbers[4].to_string());

    let path = format!(
        "history?startHistoryId={}&historyTypes=labelAdded",
        numbers[0]
    );
    assert_eq!(
        world.ok(&path).await["history"].as_array().map(Vec::len),
        Some(1)
    );
    let idle = world
        .ok(&format!("history?startHistoryId={}", numbers[4]))
        .await;
    assert!(
        idle.get("history").is_none() && idle.get("nextPageToken").is_none(),
        "{idle}"
    );
    let profile = world.ok("profile").await;
    assert_eq!(
        (&profile["messagesTotal"], &profile["threadsTotal"]),
        (&json!(1), &json!(1))
    );
    world.conforms();
}

#[tokio::test]
async fn a_history_page_may_be_empty_and_not_the_last() {
    let world = World::new().await;
    let start = world.gmail.history_id(REP).expect("exists");
    let id = world
        .gmail
        .add_message(REP, NewMessage::received("a@b.example", REP))
        .expect("added");
    world.gmail.delete_message(REP, &id).expect("deleted");
    let path = format!("history?startHistoryId={start}&maxResults=1&historyTypes=messageDeleted");
    let first = world.ok(&path).await;
    assert!(first.get("history").is_none(), "{first}");
    let token = first["nextPageToken"].as_str().expect("a second page");
    let second = world.ok(&format!("{path}&pageToken={token}")).await;
    assert_eq!(second["history"].as_array().map(Vec::len), Some(1));
    assert!(second.get("nextPageToken").is_none());
    world.conforms();
}

#[tokio::test]
async fn labels_stand_in_the_history_only_sometimes() {
    let world = World::new().await;
    let start = world.gmail.history_id(REP).expect("exists");
    world
        .gmail
        .generate(
            REP,
            Generate {
                count: 100,
                ..Generate::default()
            },
        )
        .expect("generates");
    let answer = world.ok(&format!("history?startHistoryId={start}")).await;
    let records = answer["history"].as_array().expect("records");
    let labelled = records
        .iter()
        .filter(|r| r["messagesAdded"][0]["message"].get("labelIds").is_some())
        .count();
    assert!(
        (20..=80).contains(&labelled),
        "{labelled} of {}",
        records.len()
    );
    world.conforms();
}

#[tokio::test]
async fn expired_and_unknown_history_ids_are_not_found() {
    let world = World::new().await;
    let start = world.gmail.history_id(REP).expect("exists");
    world.gmail.expire_history(REP).expect("exists");
    let not_found = (404, "notFound".to_owned());
    assert_eq!(
        world
            .refused(&format!("history?startHistoryId={start}"))
            .await,
        not_found
    );
    assert_eq!(
        world
            .refused("history?startHistoryId=18446744073709551615")
            .await,
        not_found
    );
    let now = world.gmail.history_id(REP).expect("exists");
    world.ok(&format!("history?startHistoryId={now}")).await;
    world.conforms();
}
