//! Reading mail: profile, lists, messages, aliases, scopes.

use crate::world::{REP, World};
use local_gmail::{Generate, NewMessage, SCOPE_METADATA, SCOPE_READONLY};
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<String> {
    let messages = page["messages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    messages
        .iter()
        .map(|m| m["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// All ids of a listing, page by page, and the number of pages.
async fn walk(world: &World, path: &str) -> (Vec<String>, usize) {
    let (mut all, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let page = world.ok(&format!("{path}{token}")).await;
        all.extend(ids(&page));
        pages += 1;
        assert!(pages < 20, "the listing does not end");
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => return (all, pages),
        }
    }
}

#[tokio::test]
async fn a_listing_gives_each_message_once_newest_first_over_its_pages() {
    let world = World::new().await;
    world
        .gmail
        .generate(
            REP,
            Generate {
                count: 250,
                ..Generate::default()
            },
        )
        .expect("generates");
    let (all, pages) = walk(&world, "messages?maxResults=100").await;
    assert_eq!(pages, 3);
    assert_eq!(all, world.gmail.message_ids(REP).expect("exists"));
    let profile = world.ok("profile").await;
    assert_eq!(
        (&profile["messagesTotal"], &profile["threadsTotal"]),
        (&json!(250), &json!(84))
    );
    assert_eq!(profile["emailAddress"], REP);
    world.conforms();
}

#[tokio::test]
async fn a_page_stays_in_place_when_mail_comes_in_between() {
    let world = World::new().await;
    world
        .gmail
        .generate(
            REP,
            Generate {
                count: 20,
                ..Generate::default()
            },
        )
        .expect("generates");
    let before = world.gmail.message_ids(REP).expect("exists");
    let first = world.ok("messages?maxResults=10").await;
    world
        .gmail
        .add_message(REP, NewMessage::received("a@b.example", REP))
        .expect("added");
    let token = first["nextPageToken"].as_str().expect("a second page");
    let second = world
        .ok(&format!("messages?maxResults=10&pageToken={token}"))
        .await;
    assert_eq!([ids(&first), ids(&second)].concat(), before);
    world.conforms();
}

#[tokio::test]
async fn q_labels_and_spam_narrow_a_listing() {
    let world = World::new().await;
    let add = |seconds: i64, labels: &[&str]| {
        let message = NewMessage::received("ada@client.example", REP).labels(labels);
        world
            .gmail
            .add_message(REP, message.at_ms(seconds * 1000))
            .expect("added")
    };
    let old = add(1_000, &["INBOX"]);
    let new = add(2_000, &["INBOX", "STARRED"]);
    let sent = add(3_000, &["SENT"]);
    let spam = add(4_000, &["SPAM"]);
    for (query, expected) in [
        ("", vec![&sent, &new, &old]),
        ("q=after:2000", vec![&sent, &new]),
        ("q=after:1000%20before:2000", vec![&old]),
        ("q=in:sent", vec![&sent]),
        ("q=-in:sent%20from:ADA", vec![&new, &old]),
        ("q=in:spam", vec![&spam]),
        ("labelIds=INBOX&labelIds=STARRED", vec![&new]),
        ("includeSpamTrash=true", vec![&spam, &sent, &new, &old]),
    ] {
        let page = world.ok(&format!("messages?{query}")).await;
        assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{query}");
    }
    assert_eq!(world.refused("messages?q=has:attachment").await.0, 400);
    assert_eq!(world.refused("messages?pageToken=x").await.0, 400);
    world.conforms();
}

#[tokio::test]
async fn a_message_comes_in_four_formats() {
    let world = World::new().await;
    let message = NewMessage::received("Ada <ada@client.example>", REP)
        .subject("Renewal")
        .thread("deal")
        .at_ms(1_700_000_000_123);
    let message = NewMessage {
        body: "Hello?".to_owned(),
        ..message
    };
    let id = world.gmail.add_message(REP, message).expect("added");
    let path = |rest: &str| format!("messages/{id}?{rest}");

    let metadata = world
        .ok(&path(
            "format=metadata&metadataHeaders=subject&metadataHeaders=From",
        ))
        .await;
    assert_eq!(metadata["internalDate"], "1700000000123");
    assert_eq!(metadata["labelIds"], json!(["INBOX", "UNREAD"]));
    let headers = json!([
        {"name": "From", "value": "Ada <ada@client.example>"},
        {"name": "Subject", "value": "Renewal"},
    ]);
    assert_eq!(metadata["payload"]["headers"], headers);
    assert!(metadata["payload"].get("body").is_none());
    assert!(
        world
            .ok(&path("format=minimal"))
            .await
            .get("payload")
            .is_none()
    );
    let full = world.ok(&path("")).await;
    assert_eq!(
        full["payload"]["body"],
        json!({"size": 6, "data": "SGVsbG8_"})
    );
    assert_eq!(
        full["payload"]["headers"].as_array().map(Vec::len),
        Some(5),
        "Date, Message-ID too"
    );
    assert!(world.ok(&path("format=raw")).await["raw"].is_string());
    assert_eq!(
        world.refused("messages/18ffffffffffffff").await,
        (404, "notFound".to_owned())
    );
    world.conforms();
}

#[tokio::test]
async fn fields_and_pretty_print_shape_the_answer() {
    let world = World::new().await;
    let id = world
        .gmail
        .add_message(REP, NewMessage::received("a@b.example", REP))
        .expect("added");
    let fields = "id,payload/headers(name,value)";
    let path = format!("messages/{id}?format=metadata&prettyPrint=false&fields={fields}");
    let text = world
        .send(&path)
        .await
        .expect("answers")
        .text()
        .await
        .expect("text");
    assert!(
        text.starts_with(r#"{"id":""#) && !text.contains('\n'),
        "{text}"
    );
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value.as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(
        value["payload"].as_object().map(serde_json::Map::len),
        Some(1)
    );
    let page = world.ok("messages?fields=messages/id").await;
    assert_eq!(page, json!({ "messages": [{ "id": id }] }));
    let pretty = world
        .send("profile")
        .await
        .expect("answers")
        .text()
        .await
        .expect("text");
    assert!(pretty.contains("\n  \"emailAddress\": "), "{pretty}");
    world.conforms();
}

#[tokio::test]
async fn the_metadata_scope_forbids_q_bodies_and_aliases_even_beside_a_wider_one() {
    let world = World::new().await;
    let id = world
        .gmail
        .add_message(REP, NewMessage::received("a@b.example", REP))
        .expect("added");
    world
        .gmail
        .set_aliases(REP, &["sales@example.com"])
        .expect("exists");
    let aliases = world.ok("settings/sendAs").await;
    assert_eq!(aliases["sendAs"][1]["sendAsEmail"], "sales@example.com");

    world
        .gmail
        .set_scopes(REP, &[SCOPE_METADATA, SCOPE_READONLY])
        .expect("exists");
    let forbidden = (403, "forbidden".to_owned());
    assert_eq!(world.refused("messages?q=after:1").await, forbidden);
    assert_eq!(world.refused(&format!("messages/{id}")).await, forbidden);
    let scope = (403, "insufficientPermissions".to_owned());
    assert_eq!(world.refused("settings/sendAs").await, scope);
    assert_eq!(ids(&world.ok("messages").await), [id]);
    world.gmail.set_scopes(REP, &[]).expect("exists");
    assert_eq!(world.refused("profile").await, scope);
    world.conforms();
}

#[tokio::test]
async fn one_mailbox_cannot_read_another() {
    let world = World::new().await;
    world.gmail.add_mailbox("other@example.com").expect("new");
    let url = |user: &str| format!("{}/gmail/v1/users/{user}/profile", world.gmail.base_url());
    let status = async |user: &str| {
        let request = world.http.get(url(user)).bearer_auth(&world.token);
        request.send().await.expect("answers").status().as_u16()
    };
    assert_eq!(status("Rep%40example.com").await, 200);
    assert_eq!(status("other@example.com").await, 403);
    world.conforms();
}
