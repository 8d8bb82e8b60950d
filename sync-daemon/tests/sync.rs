//! A sync against a local Gmail and a real PostgreSQL: what comes in, and what does not.

mod support;

use local_gmail::NewMessage;
use support::{World, codes};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

#[tokio::test(flavor = "multi_thread")]
async fn first_sync_brings_in_matched_mail_and_nothing_else() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, "Ada <ADA@Client.example>", 3);
    world.receive(REP, "stranger@nowhere.example", 2);
    let report = world.sync().await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    assert_eq!(
        (
            report.users_processed,
            report.emails_synced,
            report.contacts_with_emails
        ),
        (1, 3, 1)
    );
    assert_eq!(report.details.messages_unmatched, 2);
    world.assert_synced(&ids).await;
    assert_eq!(
        world
            .number("SELECT count(*) FROM crm_health_sync.pending")
            .await,
        0
    );
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_reads_the_history_only() {
    let world = World::new().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let mut ids = world.receive(REP, ADA, 3);
    world.sync().await;
    ids.extend(world.receive(REP, ADA, 2));
    world.gmail.reset_stats();
    let report = world.sync().await;
    assert_eq!(report.emails_synced, 2, "{report:?}");
    let stats = world.gmail.stats();
    assert_eq!(stats.of(local_gmail::Endpoint::List).total(), 0);
    assert_eq!(stats.of(local_gmail::Endpoint::Get).total(), 2);
    world.assert_synced(&ids).await;
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_spam_trash_and_chat_stay_out_until_they_leave_it() {
    let world = World::new().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let labelled = |labels: &[&str]| {
        let message = NewMessage::received(ADA, REP).labels(labels);
        world.gmail.add_message(REP, message).expect("message")
    };
    let skipped = ["DRAFT", "SPAM", "TRASH", "CHAT"].map(|label| labelled(&[label]));
    let report = world.sync().await;
    assert_eq!(report.emails_synced, 0, "{report:?}");
    world
        .gmail
        .change_labels(REP, &skipped[1], &["INBOX"], &["SPAM"])
        .expect("rescued");
    world
        .gmail
        .change_labels(REP, &skipped[2], &["INBOX"], &["TRASH"])
        .expect("rescued");
    world.sync().await;
    world.assert_synced(&skipped[1..3]).await;
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_says_what_the_mail_says() {
    let world = World::new().await;
    let user = world.add_user(REP).await;
    let contact = world.add_contact(user, ADA).await;
    world.execute(&format!(
        "INSERT INTO companies (id, name, owner_id) VALUES ('{user}', 'Client', '{user}');
         UPDATE contacts SET company_id = '{user}';
         INSERT INTO deals (id, name, stage_id, owner_id, status, primary_contact_id)
         SELECT '{contact}', 'Deal', s.id, '{user}', 'active', '{contact}' FROM deal_stages s LIMIT 1"
    )).await;
    world
        .gmail
        .set_aliases(REP, &["sales@acme.example"])
        .expect("alias");
    let sent = NewMessage::default()
        .labels(&["INBOX"])
        .header("From", "Rep <sales@acme.example>")
        .header("Cc", "=?utf-8?q?Ad=C3=A4?= <ada+news@client.example>")
        .header("Message-ID", "<one@acme.example>")
        .subject("=?utf-8?b?R3LDvMOfZQ==?=")
        .thread("talk")
        .at_ms(1_700_000_000_123);
    world.gmail.add_message(REP, sent).expect("message");
    let reply = NewMessage::received(ADA, REP)
        .header("List-Unsubscribe", "<mailto:x@y.example>")
        .thread("talk")
        .at_ms(1_700_000_100_000);
    world.gmail.add_message(REP, reply).expect("message");
    world
        .execute("UPDATE profiles SET last_login_at = now()")
        .await;
    let engine = world.engine();
    let request = crm_health_sync::run::RunRequest {
        triggered_by: "test".to_owned(),
        kind: crm_health_sync::run::RunKind::Now,
        users: Some(vec![user]),
        since: Some(std::time::Duration::from_secs(40 * 365 * 86_400)),
    };
    let stop = tokio_util::sync::CancellationToken::new();
    engine
        .run(&request, &stop, std::sync::Arc::new(|_| {}))
        .await;
    let row = world.text(
        "SELECT concat_ws('|', event_type, direction, subject, company_id IS NOT NULL, deal_id IS NOT NULL,
            thread_position, is_thread_start, previous_event_id IS NULL, external_source, sync_source,
            to_char(event_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'),
            event_timestamp = communication_date,
            metadata->>'role', metadata->>'automated', metadata->>'rfc822_message_id', snippet)
         FROM communication_events WHERE direction = 'outbound'",
    ).await;
    assert_eq!(
        row.as_deref(),
        Some(
            "email_sent|outbound|Grüße|t|t|1|t|t|gmail|gmail|2023-11-14 22:13:20.123|t|cc|false|<one@acme.example>"
        )
    );
    let row = world
        .text(
            "SELECT concat_ws('|', e.event_type, e.thread_position, e.is_thread_start, p.direction,
            e.metadata->>'automated')
         FROM communication_events e JOIN communication_events p ON p.id = e.previous_event_id",
        )
        .await;
    assert_eq!(row.as_deref(), Some("email_received|2|f|outbound|true"));
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_are_refreshed_of_exactly_the_users_with_new_events() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let busy = world.add_user(REP).await;
    let quiet = world.add_user("quiet@acme.example").await;
    world.add_contact(busy, ADA).await;
    world.add_contact(quiet, ADA).await;
    world.receive(REP, ADA, 1);
    let report = world.sync().await;
    let calls = world
        .text("SELECT string_agg(what, ',' ORDER BY what) FROM public.calls")
        .await;
    assert_eq!(calls.as_deref(), Some("deals,link,relationships"));
    let others = format!("SELECT count(*) FROM public.calls WHERE user_id <> '{busy}'");
    assert_eq!(world.number(&others).await, 0);
    assert_eq!(
        (
            report.details.users_refreshed,
            report.details.deals_refreshed
        ),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_have_not_logged_in_lately_are_left_alone() {
    let world = World::new().await;
    let user = world.add_user(REP).await;
    world
        .execute("UPDATE profiles SET last_login_at = now() - interval '8 days'")
        .await;
    world.add_contact(user, ADA).await;
    world.receive(REP, ADA, 1);
    let report = world.sync().await;
    assert_eq!(
        (report.users_processed, report.success),
        (0, true),
        "{report:?}"
    );
    assert_eq!(world.gmail.stats().http_requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_cap_waits_in_the_ledger_and_is_reported() {
    let world = World::with("[sync]\nmax_messages_per_run = 10").await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let ids = world.receive(REP, ADA, 25);
    let report = world.sync().await;
    assert_eq!(
        (report.emails_synced, report.details.mailboxes_capped),
        (10, 1),
        "{report:?}"
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM crm_health_sync.pending")
            .await,
        15
    );
    world.sync().await;
    world.sync().await;
    world.assert_synced(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mail_in_two_mailboxes_of_a_user_is_one_event() {
    let world = World::new().await;
    let user = world.add_user(REP).await;
    let other = "rep.private@acme.example";
    let refresh = world.gmail.add_mailbox(other).expect("mailbox");
    world.execute(&format!(
        "INSERT INTO google_integrations (user_id, email, refresh_token) VALUES ('{user}', '{other}', '{refresh}')"
    )).await;
    world.add_contact(user, ADA).await;
    for mailbox in [REP, other] {
        let message =
            NewMessage::received(ADA, mailbox).header("Message-ID", "<same@client.example>");
        world.gmail.add_message(mailbox, message).expect("message");
    }
    let report = world.sync().await;
    assert_eq!(codes(&report), ["extension_missing"]);
    assert_eq!(world.events().await.len(), 1);
    let synced = "SELECT count(*) FROM crm_health_sync.mailboxes WHERE state = 'ok'";
    assert_eq!(
        world.number(synced).await,
        2,
        "both mailboxes have their turn in one run"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_from_one_mailbox_of_a_user_is_the_users_own_in_the_other() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    let other = "rep.private@acme.example";
    let refresh = world.gmail.add_mailbox(other).expect("mailbox");
    // The other one's turn comes last: what it sent is found in the first.
    world
        .execute(&format!(
            "UPDATE google_integrations SET id = '00000000-0000-4000-8000-000000000001';
             INSERT INTO google_integrations (id, user_id, email, refresh_token)
             VALUES ('ffffffff-0000-4000-8000-000000000001', '{user}', '{other}', '{refresh}')"
        ))
        .await;
    world
        .gmail
        .set_aliases(other, &["alias@acme.example"])
        .expect("alias");
    assert!(world.sync().await.success);
    for from in [other, "alias@acme.example"] {
        let mail = NewMessage::received(from, ADA).header("Cc", REP);
        world.gmail.add_message(REP, mail).expect("message");
    }
    assert!(world.sync().await.success);
    let sent = "SELECT count(*) FROM communication_events
                WHERE direction = 'outbound' AND event_type = 'email_sent'";
    assert_eq!(world.number(sent).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_added_later_gets_its_mail_with_a_backfill() {
    let world = World::new().await;
    let user = world.add_user(REP).await;
    let ids = world.receive(REP, ADA, 30);
    world.sync().await;
    assert_eq!(world.events().await, []);
    world.add_contact(user, ADA).await;
    let output = world
        .run_daemon(|c| {
            c.args(["backfill", "--all", "--days", "20"]);
        })
        .await;
    assert!(
        output.status.code() == Some(1),
        "the extension is missing: {output:?}"
    );
    world.assert_synced(&ids).await;
    assert_eq!(
        world
            .number("SELECT count(*) FROM crm_health_sync.backfills")
            .await,
        0
    );
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_are_not_even_asked_for_when_they_are_not_kept() {
    let world = World::with("[sync]\nkeep_subjects = false").await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    world.receive(REP, ADA, 1);
    world.sync().await;
    assert_eq!(
        world
            .number("SELECT count(*) FROM communication_events WHERE subject IS NULL")
            .await,
        1
    );
    let asked = world
        .gmail
        .requests()
        .iter()
        .any(|r| r.target.contains("Subject"));
    assert!(!asked, "the subject was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mail_twice_in_a_mailbox_is_one_event() {
    // Together in one batch, and one after the other.
    for batch_size in [25, 1] {
        let world = World::with(&format!("[sync]\nbatch_size = {batch_size}")).await;
        let user = world.add_user(REP).await;
        world.add_contact(user, ADA).await;
        for id in [
            "<one@client.example>",
            "<one@client.example>",
            "<two@client.example>",
        ] {
            let mail = NewMessage::received(ADA, REP)
                .header("Message-ID", id)
                .thread("talk");
            world.gmail.add_message(REP, mail).expect("message");
        }
        let report = world.sync().await;
        assert_eq!(report.details.events_written, 2, "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_the_applications_own_types_is_written_as_it_is() {
    let world = World::new().await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    world
        .execute(
            "CREATE TYPE kind AS ENUM ('email_sent', 'email_received');
             CREATE TYPE way AS ENUM ('outbound', 'inbound', 'system');
             CREATE TYPE source AS ENUM ('gmail', 'manual');
             CREATE TYPE mood AS ENUM ('very_negative', 'negative', 'neutral', 'positive', 'very_positive');
             DROP INDEX communication_events_contact_time_idx, communication_events_deal_idx,
                 communication_events_company_idx, communication_events_time_idx, communication_events_automated_idx,
                 communication_events_thread_idx, communication_events_opened_idx;
             ALTER TABLE communication_events
                 DROP CONSTRAINT communication_events_event_type_known,
                 DROP CONSTRAINT communication_events_direction_known,
                 DROP CONSTRAINT communication_events_sync_source_known,
                 DROP CONSTRAINT communication_events_sentiment_label_known,
                 ALTER event_type TYPE kind USING event_type::kind,
                 ALTER direction TYPE way USING direction::way,
                 ALTER sync_source TYPE source USING sync_source::source,
                 ALTER sentiment_label TYPE mood USING sentiment_label::mood,
                 ALTER subject TYPE varchar(20)",
        )
        .await;
    for subject in [
        "We love it, thank you!",
        "A subject that is longer than the column",
    ] {
        let mail = NewMessage::received(ADA, REP).subject(subject);
        world.gmail.add_message(REP, mail).expect("message");
    }
    let report = world.sync().await;
    assert!(report.success, "{report:?}");
    let written = "SELECT string_agg(concat_ws('|', event_type, direction, sync_source, sentiment_label, subject), ';' ORDER BY subject)
                   FROM communication_events";
    assert_eq!(
        world.text(written).await.as_deref(),
        Some(
            "email_received|inbound|gmail|A subject that is lo;\
             email_received|inbound|gmail|very_positive|We love it, thank yo"
        )
    );
}
