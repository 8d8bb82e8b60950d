//! The check against Google's API description: it must see what is wrong.

use local_gmail::{Config, NewMessage};

use crate::world::{REP, World};

#[tokio::test]
async fn a_request_that_the_description_does_not_know_is_refused_and_reported() {
    let world = World::new().await;
    for (path, fault) in [
        (
            "messages?limit=5",
            "gmail.users.messages.list has no query parameter limit",
        ),
        (
            "messages?maxResults=many",
            "parameter maxResults: \"many\" is not of type integer",
        ),
        (
            "messages?maxResults=-1",
            "parameter maxResults: \"-1\" is no \"uint32\"",
        ),
        (
            "messages?q=in:sent&q=in:inbox",
            "parameter q is not repeatable",
        ),
        (
            "messages?includeSpamTrash=yes",
            "parameter includeSpamTrash: \"yes\" is not of type boolean",
        ),
        (
            "messages/18?format=short",
            "parameter format: \"short\" is not among",
        ),
        (
            "history?maxResults=5",
            "gmail.users.history.list needs parameter startHistoryId",
        ),
        (
            "history?startHistoryId=-5",
            "parameter startHistoryId: \"-5\" is no \"uint64\"",
        ),
        (
            "history?startHistoryId=5&historyTypes=added",
            "parameter historyTypes: \"added\" is not among",
        ),
        (
            "profile?fields=emailAddress,mail",
            "Invalid field selection mail",
        ),
        (
            "messages?fields=messages/payload/header",
            "Invalid field selection header",
        ),
    ] {
        let before = world.gmail.violations().len();
        assert_eq!(world.refused(path).await.0, 400, "{path}");
        let violations = world.gmail.violations();
        let new: Vec<&str> = violations[before..]
            .iter()
            .map(|v| v.fault.as_str())
            .collect();
        assert!(
            new.iter().any(|new| new.starts_with(fault)),
            "{path}: {new:?}"
        );
    }
}

#[tokio::test]
async fn a_call_of_another_method_is_reported() {
    let world = World::new().await;
    assert_eq!(world.refused("labels").await.0, 404);
    assert_eq!(world.gmail.violations().len(), 1);
}

#[tokio::test]
async fn a_part_of_a_batch_is_checked_as_well() {
    let world = World::new().await;
    let parts = world.batch(&["profile?page=1".to_owned()]).await;
    assert_eq!(parts[0].1, 400);
    assert_eq!(world.gmail.violations().len(), 1);
}

#[tokio::test]
async fn without_a_description_no_test_can_pass_its_check() {
    let world = World::with(Config::default()).await;
    world
        .gmail
        .add_message(REP, NewMessage::received("a@b.example", REP))
        .expect("added");
    world.ok("messages").await;
    assert_eq!(world.gmail.violations().len(), 1);
}

#[tokio::test]
async fn no_token_is_written_down() {
    let world = World::new().await;
    let path = format!("profile?access_token={}&page=1", world.token);
    world.call(&path).await;
    world
        .call(&format!("profile?access_token={}", world.token))
        .await;
    let written = format!(
        "{:?} {:?}",
        world.gmail.violations(),
        world.gmail.requests()
    );
    assert!(
        written.contains("profile") && !written.contains(&world.token),
        "{written}"
    );
}
