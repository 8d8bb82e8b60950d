//! Faults that want an answer of their own.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn gmails_own_wish_to_wait_is_kept() {
    for (header, text) in [(Some(90), None), (None, Some(90))] {
        let (world, _) = mailbox(At::List).await;
        world.gmail.inject(At::List.rule(Fault::RateLimited {
            status: 429,
            reason: "rateLimitExceeded".to_owned(),
            retry_after_seconds: header,
            retry_in_text_seconds: text,
        }));
        let report = world.sync().await;
        assert_eq!(codes(&report), ["rate_limited"]);
        let left = "SELECT extract(epoch FROM next_attempt_at - now())::bigint FROM crm_health_sync.mailboxes";
        let left = world.number(left).await;
        assert!((80..=91).contains(&left), "paused for {left} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_deleted_before_it_is_fetched_is_gone_and_no_more() {
    for fault in [Fault::NotFound, Fault::Gone] {
        let (world, ids) = mailbox(At::OnePart).await;
        world.gmail.inject(At::OnePart.rule(fault).message(&ids[0]));
        let report = world.sync().await;
        assert!(report.success, "{report:?}");
        assert_eq!(report.details.messages_gone, 1);
        world.assert_synced(&ids[1..]).await;
        assert_eq!(
            world
                .number("SELECT count(*) FROM crm_health_sync.pending")
                .await,
            0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_is_set_aside_and_the_rest_goes_on() {
    let huge = Fault::HugeHeader { bytes: 10_000_000 };
    for fault in [
        Fault::BadRequest,
        Fault::MalformedJson,
        Fault::WrongTypes,
        huge,
    ] {
        let (world, ids) = mailbox(At::OnePart).await;
        world
            .gmail
            .inject(At::OnePart.rule(fault.clone()).message(&ids[3]));
        let report = world.sync().await;
        assert!(report.success, "{fault:?}: {report:?}");
        assert_eq!(report.details.messages_poison, 1, "{fault:?}");
        let rest: Vec<String> = ids.iter().filter(|id| **id != ids[3]).cloned().collect();
        world.assert_synced(&rest).await;
        let poison = "SELECT message_id FROM crm_health_sync.pending WHERE state = 'poison'";
        assert_eq!(
            world.text(poison).await.as_ref(),
            Some(&ids[3]),
            "{fault:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_damaged_text_comes_in_all_the_same() {
    for fault in [Fault::NulBytes, Fault::BrokenUtf8, Fault::LoneSurrogates] {
        let (world, ids) = mailbox(At::OnePart).await;
        world
            .gmail
            .inject(At::OnePart.rule(fault.clone()).message(&ids[3]));
        let report = world.sync().await;
        assert!(report.success, "{fault:?}: {report:?}");
        assert_eq!(report.details.messages_poison, 0, "{fault:?}");
        world.assert_synced(&ids).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_history_is_listed_again_at_most_once_an_hour() {
    let (world, mut ids) = mailbox(At::History).await;
    let old = "UPDATE crm_health_sync.mailboxes SET last_full_at = now() - interval '2 hours'";
    world.execute(old).await;
    world.gmail.expire_history(REP).expect("expired");
    let report = world.sync().await;
    assert!(report.success, "{report:?}");
    world.assert_synced(&ids).await;
    ids.extend(world.receive(REP, ADA, 1));
    world.gmail.expire_history(REP).expect("expired");
    assert_eq!(codes(&world.sync().await), ["history_expired"]);
    world.end_pauses().await;
    world.execute(old).await;
    assert!(world.sync().await.success);
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_without_search_is_listed_without_it() {
    let (world, ids) = mailbox(At::List).await;
    world
        .gmail
        .set_scopes(REP, &[local_gmail::SCOPE_METADATA])
        .expect("scopes");
    let report = world.sync().await;
    assert!(report.success, "{report:?}");
    world.assert_synced(&ids).await;
    let switched = "SELECT count(*) FROM crm_health_sync.mailboxes WHERE list_without_query";
    assert_eq!(world.number(switched).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_grant_is_told_once() {
    let (world, _) = mailbox(At::Token).await;
    world.make_outbox().await;
    let mut listener = sqlx::postgres::PgListener::connect(&world.url)
        .await
        .expect("listener");
    listener.listen("crm_health").await.expect("listen");
    world.gmail.revoke(REP).expect("revoked");
    assert_eq!(codes(&world.sync().await), ["reconnect_required"]);
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), listener.recv()).await;
    let told = told.expect("a notice").expect("a notice");
    assert!(
        told.payload().contains("mailbox_reconnect"),
        "{}",
        told.payload()
    );
    let status = world
        .text("SELECT token_status FROM google_integrations")
        .await;
    assert_eq!(status.as_deref(), Some("needs_reconnect"));
    assert_eq!(
        codes(&world.sync().await),
        Vec::<&str>::new(),
        "it is not told every day"
    );
    let row = "SELECT concat_ws('|', kind, n.user_id = g.user_id, subject_type, subject_id = g.id::text, severity, title)
               FROM crm_health.notifications n, google_integrations g";
    assert_eq!(
        world.text(row).await,
        Some(format!(
            "mailbox_reconnect|t|mailbox|t|warning|The mailbox {REP} must be connected again"
        ))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_grant_is_switched_off_also_where_nobody_can_be_told() {
    for outbox in [false, true] {
        let (world, _) = mailbox(At::Token).await;
        if outbox {
            world.make_outbox().await;
            world
                .execute("CREATE OR REPLACE FUNCTION crm_health.require_trusted() RETURNS void LANGUAGE plpgsql
                          AS 'BEGIN RAISE insufficient_privilege; END'")
                .await;
        }
        world.gmail.revoke(REP).expect("revoked");
        assert_eq!(codes(&world.sync().await), ["reconnect_required"]);
        let status = "SELECT token_status FROM google_integrations WHERE NOT is_active";
        assert_eq!(
            world.text(status).await.as_deref(),
            Some("needs_reconnect"),
            "with an outbox: {outbox}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_hundred_users_failing_fails_alone() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    for i in 0..100 {
        let email = format!("rep{i}@acme.example");
        let user = world.add_user(&email).await;
        world.add_contact(user, ADA).await;
        world.receive(&email, ADA, 1);
    }
    world.gmail.inject(
        At::List
            .rule(forbidden("domainPolicy"))
            .mailbox("rep7@acme.example"),
    );
    let report = world.sync().await;
    assert_eq!(codes(&report), ["admin_blocked"]);
    assert_eq!((report.users_processed, report.emails_synced), (100, 99));
    assert_eq!(world.events().await.len(), 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_leads_back_to_a_page_it_had_is_given_up() {
    for at in [At::List, At::History] {
        let (world, ids) = mailbox(at).await;
        world.gmail.inject(at.rule(Fault::EmptyPage));
        let run = tokio::time::timeout(std::time::Duration::from_secs(30), world.sync());
        let report = run.await.expect("it turns the same page for ever");
        assert_eq!(codes(&report), ["backend_error"], "{at:?}: {report:?}");
        world.gmail.clear_faults();
        world.end_pauses().await;
        assert!(world.sync().await.success);
        world.assert_synced(&ids).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_gmail_refuses_every_message_none_is_set_aside() {
    for fault in [Fault::BadRequest, Fault::MalformedJson] {
        let (world, ids) = mailbox(At::OnePart).await;
        world.gmail.inject(At::OnePart.rule(fault.clone()));
        let report = world.sync().await;
        assert_eq!(codes(&report), ["backend_error"], "{fault:?}: {report:?}");
        assert_eq!(report.details.messages_poison, 0, "{fault:?}");
        world.gmail.clear_faults();
        world.end_pauses().await;
        let report = world.sync().await;
        assert!(report.success, "{fault:?}: {report:?}");
        world.assert_synced(&ids).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_refused_alone_is_set_aside_in_the_end_and_read_with_a_backfill() {
    let (world, ids) = mailbox(At::History).await;
    assert!(world.sync().await.success);
    let bad = world.receive(REP, ADA, 1);
    world
        .gmail
        .inject(At::OnePart.rule(Fault::BadRequest).message(&bad[0]));
    let poison = "SELECT count(*) FROM crm_health_sync.pending WHERE state = 'poison'";
    for aside in [0, 0, 1] {
        world.sync().await;
        assert_eq!(world.number(poison).await, aside);
        world.end_pauses().await;
    }
    assert!(world.sync().await.success, "it is over");
    world.gmail.clear_faults();
    let output = world
        .run_daemon(|c| {
            c.args(["backfill", "--all", "--days", "2"]);
        })
        .await;
    assert!(output.status.success(), "{output:?}");
    world.assert_synced(&[ids, bad].concat()).await;
    assert_eq!(
        world
            .number("SELECT count(*) FROM crm_health_sync.pending")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_of_another_client_stops_its_own_mailbox_alone() {
    let (world, ids) = mailbox(At::Token).await;
    let other = "other@acme.example";
    let user = world.add_user(other).await;
    world.add_contact(user, ADA).await;
    let stranger = oauth("unauthorized_client");
    world.gmail.inject(At::Token.rule(stranger).mailbox(other));
    for _ in 0..2 {
        let report = world.sync().await;
        assert_eq!(codes(&report), ["foreign_grant"], "{report:?}");
        assert_eq!(report.errors[0].user_id, Some(user));
        world.assert_synced(&ids).await;
    }
    let active = "SELECT count(*) FROM google_integrations WHERE is_active";
    assert_eq!(world.number(active).await, 2, "nobody is switched off");
}
