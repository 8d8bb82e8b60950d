//! The mood of mail, read by the lexicon in the binary: what gets a score, what gets none, and that nothing is harmed.

mod support;

use local_gmail::NewMessage;
use support::{World, codes};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

/// What is stored of each mail's mood, oldest mail first.
const MOODS: &str =
    "SELECT string_agg(concat_ws('/', coalesce(sentiment_score::text, 'none'), sentiment_label,
        CASE WHEN ai_analyzed THEN ai_model ELSE 'unanalysed' END), ' ' ORDER BY event_timestamp)
    FROM communication_events";

async fn world_with_mail(settings: &str, mails: Vec<NewMessage>) -> World {
    let world = World::with(settings).await;
    world.stand_in_for_extension().await;
    let user = world.add_user(REP).await;
    world.add_contact(user, ADA).await;
    world.add_mails(REP, mails);
    world
}

fn from_ada(subject: &str) -> NewMessage {
    NewMessage::received(ADA, REP).subject(subject)
}

async fn moods(world: &World) -> String {
    let report = world.sync().await;
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
    world.assert_conforming();
    world.text(MOODS).await.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_get_the_score_and_label_of_their_words() {
    let mails = [
        "Terrible service, very disappointed",
        "Re: Great meeting!",
        "problem",
        "Re: meeting",
    ];
    let world = world_with_mail("", mails.map(from_ada).to_vec()).await;
    assert_eq!(
        moods(&world).await,
        "-0.76/very_negative/vader-3.3.2+business-2 0.66/very_positive/vader-3.3.2+business-2 \
         -0.4/negative/vader-3.3.2+business-2 none/vader-3.3.2+business-2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn automated_mail_is_not_read() {
    let mail = from_ada("Great offer, amazing!").header("List-Unsubscribe", "<mailto:x@y.example>");
    let world = world_with_mail("", vec![mail]).await;
    assert_eq!(moods(&world).await, "none/unanalysed");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_language_gets_no_score() {
    let world = world_with_mail("", vec![from_ada("Die Rechnung ist leider falsch, super")]).await;
    assert_eq!(moods(&world).await, "none/vader-3.3.2+business-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_mail_is_read_unless_the_settings_leave_it_out() {
    for (settings, found) in [
        ("", "0.62/very_positive/vader-3.3.2+business-2"),
        ("[sentiment]\nsent_mail = false", "none/unanalysed"),
    ] {
        let sent = NewMessage::sent(REP, ADA).subject("Great meeting");
        let world = world_with_mail(settings, vec![sent]).await;
        assert_eq!(moods(&world).await, found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_it_reads_nothing() {
    let world = world_with_mail("[sentiment]\nenabled = false", vec![from_ada("terrible")]).await;
    assert_eq!(moods(&world).await, "none/unanalysed");
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_that_are_not_kept_are_read_only_if_that_is_asked_for() {
    for (setting, found) in [
        ("false", "none/unanalysed"),
        ("true", "-0.48/negative/vader-3.3.2+business-2"),
    ] {
        let settings = format!(
            "[sync]\nkeep_subjects = false\n[sentiment]\nread_subjects_not_kept = {setting}"
        );
        let world = world_with_mail(&settings, vec![from_ada("terrible")]).await;
        assert_eq!(moods(&world).await, found);
        let kept = world
            .number("SELECT count(subject) FROM communication_events")
            .await;
        assert_eq!(kept, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snippets_are_read_only_if_that_is_asked_for_and_never_kept() {
    for (setting, found) in [
        ("false", "none/vader-3.3.2+business-2"),
        ("true", "-0.48/negative/vader-3.3.2+business-2"),
    ] {
        let mut mail = from_ada("meeting");
        mail.snippet = "This was terrible".to_owned();
        let settings = format!("[sentiment]\nread_snippets = {setting}");
        let world = world_with_mail(&settings, vec![mail]).await;
        assert_eq!(moods(&world).await, found);
        let asked = world
            .gmail
            .requests()
            .iter()
            .any(|r| r.target.contains("snippet"));
        assert_eq!(asked, setting == "true");
        let kept =
            "SELECT count(*) FROM communication_events e WHERE e::text LIKE '%was terrible%'";
        assert_eq!(world.number(kept).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_places_for_moods_gets_its_mail_all_the_same() {
    let world = world_with_mail("", vec![from_ada("terrible")]).await;
    world
        .execute("ALTER TABLE communication_events DROP COLUMN sentiment_label")
        .await;
    let report = world.sync().await;
    assert_eq!(report.emails_synced, 1, "{report:?}");
    let untouched = "SELECT count(*) FROM communication_events WHERE sentiment_score IS NULL AND NOT ai_analyzed";
    assert_eq!(world.number(untouched).await, 1);
    let findings = world
        .engine()
        .store
        .inspect(&world.config())
        .await
        .expect("checked");
    assert!(
        findings
            .iter()
            .any(|f| f.problem.contains("sentiment_label")),
        "{findings:?}"
    );
    let mut off = world.config();
    off.sentiment.enabled = false;
    let findings = world.engine().store.inspect(&off).await.expect("checked");
    assert!(
        findings
            .iter()
            .all(|f| !f.problem.contains("sentiment_label")),
        "{findings:?}"
    );
}
