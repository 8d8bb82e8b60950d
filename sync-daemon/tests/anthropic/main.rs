//! The mood of mail, read by a language model: against a local stand-in for Anthropic's Messages API.

mod answers;
mod limits;
#[path = "../support/mod.rs"]
mod support;

use local_anthropic::{API_KEY, Fault, LocalAnthropic};
use local_gmail::NewMessage;
use support::{World, codes};

const REP: &str = "rep@acme.example";
const ADA: &str = "ada@client.example";

/// What is stored of each mail, oldest first: score, label, model, urgency, whether an answer is due.
const MOODS: &str = "SELECT string_agg(concat_ws('/', coalesce(sentiment_score::text, 'none'), sentiment_label,
        CASE WHEN ai_analyzed THEN replace(ai_model, 'claude-haiku-4-5', 'model') ELSE 'unread' END, urgency,
        CASE WHEN response_required THEN 'due' END), ' ' ORDER BY event_timestamp)
    FROM communication_events";
const BAD: &str = "-0.9/very_negative/model/high/due";
const PLAIN: &str = "none/model/low";

struct Setting {
    world: World,
    api: LocalAnthropic,
}

impl Setting {
    /// A mailbox with `mails`, a second apart, an hour ago. `settings`: of `[anthropic]`, then of others.
    async fn new(settings: &str, mails: Vec<NewMessage>) -> Self {
        let api = LocalAnthropic::start().await.expect("local Anthropic");
        let pace = if settings.contains("requests_per_minute") {
            ""
        } else {
            "requests_per_minute = 60000\n"
        };
        let mut world = World::with(&format!(
            "[anthropic]\nbase_url = '{}'\nbackoff_first_ms = 5\nbackoff_cap_ms = 20\n{pace}{settings}",
            api.base_url()
        ))
        .await;
        world.anthropic_key = Some(API_KEY.to_owned());
        world.stand_in_for_extension().await;
        let user = world.add_user(REP).await;
        world.add_contact(user, ADA).await;
        world.add_mails(REP, mails);
        Self { world, api }
    }

    async fn with_subjects(settings: &str, subjects: &[&str]) -> Self {
        Self::new(settings, subjects.iter().map(|s| from_ada(s)).collect()).await
    }

    /// A sync by a daemon of its own, which must succeed whatever the API does; then what is stored.
    async fn sync(&self) -> String {
        let report = self.world.sync().await;
        assert_eq!(codes(&report), Vec::<&str>::new(), "{report:?}");
        self.world.text(MOODS).await.unwrap_or_default()
    }

    fn asked(&self) -> usize {
        self.api.requests().len()
    }

    async fn usage(&self) -> String {
        let sql = "SELECT concat_ws('/', requests, input_tokens, output_tokens, round(spent_usd::numeric, 4), reserved_usd)
            FROM crm_health_sync.model_usage";
        self.world.text(sql).await.unwrap_or_default()
    }
}

fn from_ada(subject: &str) -> NewMessage {
    NewMessage::received(ADA, REP).subject(subject)
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_read_in_one_request_and_never_again() {
    let s = Setting::with_subjects("", &["Terrible service", "Meeting", "Das war wunderbar"]).await;
    let stored = format!("{BAD} {PLAIN} 0.8/very_positive/model/low");
    assert_eq!(s.sync().await, stored);
    assert_eq!(s.sync().await, stored);
    assert_eq!(s.asked(), 1);
    let topics = "SELECT count(*) FROM communication_events WHERE key_topics = '[\"service\"]'";
    assert_eq!(s.world.number(topics).await, 3);
    assert_eq!(s.usage().await, "1/1000/100/0.0015/0");
    let refreshed = "SELECT count(*) FROM calls WHERE what = 'relationships'";
    assert_eq!(s.world.number(refreshed).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_unread_is_read_by_a_later_run_and_scored() {
    let s = Setting::with_subjects("max_tries = 1", &["Terrible service"]).await;
    s.api
        .fail_next(Fault::Status(529, "overloaded_error", None));
    assert_eq!(s.sync().await, "none/unread");
    assert_eq!(s.sync().await, BAD);
    let refreshed = "SELECT count(*) FROM calls WHERE what = 'relationships'";
    assert_eq!(
        s.world.number(refreshed).await,
        2,
        "the second run scored what it read"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_redacted_text_leaves() {
    let mut mail =
        from_ada("Call ada@client.example on +49 171 1234567, see https://client.example/x");
    mail.snippet = "the snippet".to_owned();
    let s = Setting::new("", vec![mail]).await;
    s.sync().await;
    let request = s.api.requests().remove(0);
    let text = "Call [address] on +[number], see [link]";
    assert_eq!(
        request.mails,
        [serde_json::json!({ "id": 1, "direction": "inbound", "subject": text })]
    );
    let id = s.world.events().await.remove(0).0;
    for secret in [
        "client.example",
        "acme.example",
        "1234567",
        "the snippet",
        &id,
    ] {
        assert!(
            !request.body.contains(secret),
            "{secret} left: {}",
            request.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snippets_leave_only_if_the_settings_say_so() {
    let mut mail = from_ada("Meeting");
    mail.snippet = "It was terrible".to_owned();
    let s = Setting::new("[sentiment]\nread_snippets = true", vec![mail]).await;
    assert_eq!(s.sync().await, BAD);
    assert_eq!(s.api.requests()[0].mails[0]["snippet"], "It was terrible");
    let kept = "SELECT count(*) FROM communication_events e WHERE e::text LIKE '%was terrible%'";
    assert_eq!(s.world.number(kept).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_that_are_not_kept_are_read_from_memory_or_not_at_all() {
    for (setting, stored, asked) in [("true", BAD, 1), ("false", "none/unread", 0)] {
        let settings = format!(
            "[sync]\nkeep_subjects = false\n[sentiment]\nread_subjects_not_kept = {setting}"
        );
        let s = Setting::with_subjects(&settings, &["Terrible"]).await;
        assert_eq!(s.sync().await, stored);
        assert_eq!(s.asked(), asked);
        let kept = "SELECT count(subject) FROM communication_events";
        assert_eq!(s.world.number(kept).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn automated_and_old_mail_is_not_read() {
    let automated = from_ada("Terrible").header("Precedence", "bulk");
    let s = Setting::new("", vec![automated]).await;
    let days = 86_400_000;
    let old = from_ada("Terrible").at_ms(s.world.gmail.now_ms() - 31 * days);
    s.world.gmail.add_message(REP, old).expect("message");
    s.world
        .execute("UPDATE profiles SET last_login_at = now()")
        .await;
    assert!(s.sync().await.contains("none/unread"));
    assert_eq!(s.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_added_later_gets_what_was_found_before() {
    let mail = from_ada("Terrible").header("Cc", "bob@client.example");
    let s = Setting::new("", vec![mail]).await;
    s.sync().await;
    let user = s
        .world
        .text("SELECT id::text FROM profiles")
        .await
        .expect("a user");
    let user = user.parse().expect("an id");
    s.world.add_contact(user, "bob@client.example").await;
    let backfill = s.world.run_daemon(|command| {
        command.args(["backfill", "--all", "--days", "1"]);
    });
    assert!(backfill.await.status.success());
    assert_eq!(
        s.world.text(MOODS).await.unwrap_or_default(),
        format!("{BAD} {BAD}")
    );
    assert_eq!(s.asked(), 1);
}
