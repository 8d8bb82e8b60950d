//! Answers that come late or never.

use std::time::Duration;

use local_gmail::{Endpoint, Fault, FaultRule, Latency};

use crate::faults::world;

/// Longer than any test waits.
const AGES_MS: u64 = 3_600_000;

#[tokio::test]
async fn a_hang_outlasts_the_client_and_a_delay_ends_in_the_right_answer() {
    let (world, _) = world().await;
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Profile, Fault::Hang));
    let hanging = tokio::time::timeout(Duration::from_millis(200), world.send("profile"));
    assert!(hanging.await.is_err(), "no answer comes");
    let delay = Fault::Delay {
        milliseconds: AGES_MS,
    };
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Profile, delay));
    let early = tokio::time::timeout(Duration::from_millis(200), world.send("profile"));
    assert!(early.await.is_err(), "not at once");
    world.gmail.inject(FaultRule::once(
        Endpoint::Profile,
        Fault::Delay { milliseconds: 1 },
    ));
    world.ok("profile").await;
    world.conforms();
}

/// Whether a request hangs: what should come is awaited as long as it takes.
async fn hangs<T>(request: impl Future<Output = reqwest::Result<T>>, expected: bool) -> bool {
    if expected {
        return tokio::time::timeout(Duration::from_millis(200), request)
            .await
            .is_err();
    }
    request.await.expect("an answer");
    false
}

#[tokio::test]
async fn latency_falls_on_the_requests_it_is_set_for() {
    let (world, id) = world().await;
    let paths = [format!("messages/{id}?format=minimal")];
    let url = world.gmail.token_url();
    let off = Latency::default();
    for (latency, [single, batch, token]) in [
        (off, [false, false, false]),
        (
            Latency {
                service_ms: AGES_MS,
                ..off
            },
            [true, false, false],
        ),
        (
            Latency {
                batch_ms: AGES_MS,
                ..off
            },
            [false, true, false],
        ),
        (
            Latency {
                round_trip_ms: AGES_MS,
                ..off
            },
            [true, true, true],
        ),
    ] {
        world.gmail.set_latency(latency);
        assert_eq!(
            hangs(world.send("profile"), single).await,
            single,
            "{latency:?}"
        );
        assert_eq!(
            hangs(world.send_batch(&paths), batch).await,
            batch,
            "{latency:?}"
        );
        assert_eq!(
            hangs(world.http.post(&url).send(), token).await,
            token,
            "{latency:?}"
        );
    }
    world.conforms();
}
