//! The failure table: each fault at each place, what is reported, and that nothing is lost by it.

mod cases;
#[path = "../support/mod.rs"]
mod support;

use local_gmail::{Endpoint, Fault, FaultRule, Place};
use support::{World, codes};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";
const MAIL: i64 = 12;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Profile,
    List,
    History,
    OnePart,
    Batch,
    Token,
}

impl At {
    fn rule(self, fault: Fault) -> FaultRule {
        let (endpoint, place) = match self {
            Self::Profile => (Endpoint::Profile, Place::Any),
            Self::List => (Endpoint::List, Place::Any),
            Self::History => (Endpoint::History, Place::Any),
            Self::OnePart => (Endpoint::Get, Place::Part),
            Self::Batch => (Endpoint::Batch, Place::Any),
            Self::Token => (Endpoint::Token, Place::Any),
        };
        FaultRule::always(endpoint, fault).place(place)
    }
}

/// A mailbox with mail, synced before if the history is to be used.
async fn mailbox(at: At) -> (World, Vec<String>) {
    let world = World::with("[sync]\nbatch_size = 5\n[google]\nmax_response_bytes = 1048576").await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let mut ids = Vec::new();
    if at == At::History {
        ids = world.receive(REP, ADA, 2);
        let report = world.sync().await;
        assert!(report.success, "{report:?}");
    }
    if at == At::Token {
        world
            .execute("UPDATE google_integrations SET access_token = NULL")
            .await;
    }
    ids.extend(world.receive(REP, ADA, MAIL));
    (world, ids)
}

fn server_error() -> Fault {
    Fault::ServerError {
        status: 503,
        html: true,
    }
}

fn limited(status: u16, reason: &str) -> Fault {
    Fault::RateLimited {
        status,
        reason: reason.to_owned(),
        retry_after_seconds: None,
        retry_in_text_seconds: None,
    }
}

fn forbidden(reason: &str) -> Fault {
    Fault::Forbidden {
        reason: reason.to_owned(),
    }
}

fn oauth(error: &str) -> Fault {
    Fault::Oauth {
        error: error.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_passes_costs_nothing() {
    use At::{Batch, History, List, OnePart, Profile, Token};
    let calls = [Profile, List, History, OnePart, Batch];
    let everywhere = [Profile, List, History, OnePart, Batch, Token];
    let rows: Vec<(Fault, &[At])> = vec![
        (server_error(), &everywhere),
        (Fault::Reset, &[Profile, List, History, Batch, Token]),
        (Fault::ResetMidBody, &[Profile, List, History, Batch, Token]),
        (
            Fault::Truncated { keep_percent: 60 },
            &[Profile, List, History, Batch, Token],
        ),
        (Fault::MalformedJson, &everywhere),
        (Fault::WrongTypes, &[List, History, OnePart]),
        (Fault::BrokenUtf8, &[OnePart]),
        (Fault::NulBytes, &[OnePart]),
        (
            Fault::CutRefusal {
                status: 403,
                reason: "userRateLimitExceeded".to_owned(),
            },
            &[Profile, List, History, Batch],
        ),
        (Fault::Unauthorized, &calls),
        (limited(429, "rateLimitExceeded"), &calls),
        (limited(403, "userRateLimitExceeded"), &calls),
        (
            Fault::Redirect {
                location: "http://127.0.0.1:9/".to_owned(),
            },
            &[Profile, List, History, Batch],
        ),
        (Fault::Missing { count: 2 }, &[Batch]),
        (Fault::Duplicated, &[Batch]),
        (Fault::Reversed, &[Batch]),
        (Fault::Delay { milliseconds: 300 }, &everywhere),
        (Fault::EmptyPage, &[List, History]),
    ];
    for (fault, places) in rows {
        for &at in places {
            println!("{fault:?} at {at:?}");
            let (world, ids) = mailbox(at).await;
            world.gmail.inject(at.rule(fault.clone()).times(1));
            let report = world.sync().await;
            assert!(report.success, "{fault:?} at {at:?}: {report:?}");
            world.assert_synced(&ids).await;
            let struck: u32 = world.gmail.faults().iter().map(|f| f.hits).sum();
            assert_eq!(struck, 1, "{fault:?} at {at:?} did not strike");
        }
    }
}

struct Row {
    fault: Fault,
    places: &'static [At],
    code: &'static str,
    state: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_stays_is_told_and_loses_nothing() {
    use At::{Batch, History, List, OnePart, Profile, Token};
    const CALLS: &[At] = &[Profile, List, History, OnePart, Batch];
    let row = |fault, places, code, state| Row {
        fault,
        places,
        code,
        state,
    };
    let rows = [
        row(Fault::Unauthorized, CALLS, "auth_rejected", "paused"),
        row(server_error(), CALLS, "backend_error", "failing"),
        row(
            Fault::Reset,
            &[Profile, List, History, Batch],
            "backend_error",
            "failing",
        ),
        row(
            Fault::Truncated { keep_percent: 40 },
            &[List, History],
            "backend_error",
            "failing",
        ),
        row(
            Fault::MalformedJson,
            &[Profile, List, History],
            "backend_error",
            "failing",
        ),
        row(
            limited(429, "rateLimitExceeded"),
            CALLS,
            "rate_limited",
            "paused",
        ),
        row(
            limited(403, "rateLimitExceeded"),
            CALLS,
            "rate_limited",
            "paused",
        ),
        row(
            forbidden("dailyLimitExceeded"),
            CALLS,
            "project_quota",
            "ok",
        ),
        row(forbidden("domainPolicy"), CALLS, "admin_blocked", "paused"),
        row(
            forbidden("insufficientPermissions"),
            CALLS,
            "scope_missing",
            "failing",
        ),
        row(forbidden("somethingNew"), CALLS, "forbidden", "failing"),
        row(
            Fault::Missing { count: 5 },
            &[Batch],
            "batch_short",
            "failing",
        ),
        row(
            oauth("invalid_grant"),
            &[Token],
            "reconnect_required",
            "reconnect_required",
        ),
        row(oauth("invalid_client"), &[Token], "operator_error", "ok"),
        row(
            oauth("unauthorized_client"),
            &[Token],
            "operator_error",
            "ok",
        ),
        row(server_error(), &[Token], "transient", "failing"),
        row(Fault::Hang, &[Token], "transient", "failing"),
    ];
    for Row {
        fault,
        places,
        code,
        state,
    } in rows
    {
        for &at in places {
            let label = format!("{fault:?} at {at:?}");
            let (world, ids) = mailbox(at).await;
            world.gmail.inject(at.rule(fault.clone()));
            let report = world.sync().await;
            assert_eq!(codes(&report), [code], "{label}: {report:?}");
            let now = world
                .text("SELECT state FROM crm_health_sync.mailboxes")
                .await;
            assert_eq!(now.as_deref(), Some(state), "{label}");
            let active = world
                .number("SELECT count(*) FROM google_integrations WHERE is_active")
                .await;
            assert_eq!(
                active,
                i64::from(code != "reconnect_required"),
                "{label}: who is active"
            );
            // When the fault is over, all of it comes in.
            world.gmail.clear_faults();
            world.end_pauses().await;
            world
                .execute(
                    "UPDATE crm_health_sync.project_quota SET paused_until = NULL;
                           UPDATE google_integrations SET is_active = true",
                )
                .await;
            let report = world.sync().await;
            assert!(report.success, "{label}, afterwards: {report:?}");
            world.assert_synced(&ids).await;
        }
    }
}
