//! Batches, quota and what is counted.

use local_gmail::{Config, Endpoint, Generate, Quota, UnitCosts};

use crate::world::{REP, World, checked};

async fn world(messages: u32, quota: Quota) -> (World, Vec<String>) {
    let world = World::with(Config { quota, ..checked() }).await;
    let mail = Generate {
        count: messages,
        ..Generate::default()
    };
    world.gmail.generate(REP, mail).expect("generates");
    let ids = world.gmail.message_ids(REP).expect("exists");
    let paths = ids
        .iter()
        .map(|id| format!("messages/{id}?format=minimal"))
        .collect();
    (world, paths)
}

#[tokio::test]
async fn a_batch_answers_every_part_by_its_content_id_in_another_order() {
    let (world, paths) = world(25, Quota::default()).await;
    let parts = world.batch(&paths).await;
    let order: Vec<usize> = parts.iter().map(|part| part.0).collect();
    assert_ne!(order, (0..25).collect::<Vec<_>>(), "shuffled");
    for (number, status, body) in &parts {
        let id = paths[*number].split(['/', '?']).nth(1).expect("an id");
        assert!(
            *status == 200 && body.contains(id),
            "{number}: {status} {body}"
        );
    }
    let distinct: std::collections::BTreeSet<usize> = order.into_iter().collect();
    assert_eq!(distinct.len(), 25);
    world.conforms();
}

#[tokio::test]
async fn a_missing_message_fails_its_own_part_only() {
    let (world, mut paths) = world(2, Quota::default()).await;
    paths.insert(1, "messages/18ffffffffffffff".to_owned());
    let mut parts = world.batch(&paths).await;
    parts.sort();
    assert_eq!(
        parts.iter().map(|part| part.1).collect::<Vec<_>>(),
        [200, 404, 200]
    );
    world.conforms();
}

#[tokio::test]
async fn a_batch_over_the_concurrency_limit_has_its_last_parts_refused() {
    let (world, paths) = world(60, Quota::default()).await;
    let parts = world.batch(&paths).await;
    assert_eq!(parts.iter().filter(|part| part.1 == 429).count(), 10);
    let again = world.batch(&paths[..25]).await;
    assert!(
        again.iter().all(|part| part.1 == 200),
        "the places are free again"
    );
    world.conforms();
}

#[tokio::test]
async fn a_batch_of_more_than_100_parts_is_refused_whole() {
    let (world, paths) = world(101, Quota::default()).await;
    assert_eq!(
        world.send_batch(&paths).await.expect("answers").status(),
        400
    );
    world.conforms();
}

#[tokio::test]
async fn units_and_requests_are_counted() {
    let (world, paths) = world(10, Quota::default()).await;
    world.ok("profile").await;
    world.ok("messages").await;
    let start = world.gmail.history_id(REP).expect("exists");
    world.ok(&format!("history?startHistoryId={start}")).await;
    world.batch(&paths).await;
    let stats = world.stats();
    assert_eq!(stats.units, 1 + 5 + 2 + 10 * 20);
    assert_eq!(stats.units_by_mailbox[REP], stats.units);
    assert_eq!(stats.http_requests, 4);
    let get = stats.of(Endpoint::Get);
    assert_eq!((get.single, get.parts, get.refused), (0, 10, 0));
    assert_eq!(stats.of(Endpoint::Batch).single, 1);
    assert!(
        stats.request_bytes > 1000 && stats.response_bytes > 2000,
        "{stats:?}"
    );
    world.conforms();
}

#[tokio::test]
async fn a_user_over_the_quota_is_told_when_to_come_again() {
    let costs = UnitCosts {
        profile: 10,
        ..UnitCosts::default()
    };
    let quota = Quota {
        costs,
        per_user_per_minute: Some(10),
        ..Quota::default()
    };
    let (world, _) = world(0, quota).await;
    // One minute of the server's clock holds one call: of three in a row two fall into the same.
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(world.call("profile").await);
    }
    let (status, body) = answers
        .iter()
        .find(|answer| answer.0 != 200)
        .expect("one is refused");
    let message = body["error"]["message"].as_str().unwrap_or_default();
    assert!(
        *status == 403 && message.contains("Retry after 20"),
        "{body}"
    );
    world.gmail.advance_clock_ms(60_000);
    world.ok("profile").await;
    world.conforms();
}

#[tokio::test]
async fn generated_messages_are_as_big_as_real_ones_and_the_same_again() {
    let (world, paths) = world(30, Quota::default()).await;
    let path = paths[7].replace("minimal", "metadata") + "&prettyPrint=false";
    let text = async |world: &World| {
        world
            .send(&path)
            .await
            .expect("answers")
            .text()
            .await
            .expect("text")
    };
    let all = text(&world).await;
    assert!((4_000..9_000).contains(&all.len()), "{} bytes", all.len());
    assert_eq!(all, text(&world).await);
    world.conforms();
}
