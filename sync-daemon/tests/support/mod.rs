//! The world of a test: a database, a local Gmail, a configuration, and the daemon inside or outside this process.
#![expect(dead_code, reason = "each test binary uses its own part")]

mod cluster;
pub(crate) mod outbox;
pub(crate) mod receiver;
pub(crate) mod service;
pub(crate) mod site;
pub(crate) mod webdriver;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use crm_health_sync::config::{Config, ConfigError, Environment};
use crm_health_sync::run::{Engine, Report, RunKind, RunRequest};
use local_gmail::{Config as GmailConfig, LocalGmail, NewMessage};
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use cluster::Cluster;

/// 32 bytes in base64.
pub(crate) const TOKEN_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Everything the daemon must never print.
pub(crate) const CRON_SECRET: &str = "cron-secret-of-the-tests";

pub(crate) struct World {
    pub(crate) gmail: LocalGmail,
    pub(crate) pool: PgPool,
    pub(crate) url: String,
    pub(crate) database: String,
    config_file: PathBuf,
    /// Of the language model, where a test has one.
    pub(crate) anthropic_key: Option<String>,
    variables: Vec<(String, String)>,
}

/// Google's own description of the API: `CRM_HEALTH_TEST_DATA`, or beside the repository.
pub(crate) fn discovery() -> PathBuf {
    let data = std::env::var("CRM_HEALTH_TEST_DATA").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let file = data.join("gmail.v1.json");
    assert!(
        file.exists(),
        "{} is missing: set CRM_HEALTH_TEST_DATA",
        file.display()
    );
    file
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// `settings`: TOML over the defaults of the tests, which have short waits.
    pub(crate) async fn with(settings: &str) -> Self {
        let gmail = LocalGmail::start(GmailConfig::checked(discovery()))
            .await
            .expect("local Gmail");
        Self::with_gmail(settings, gmail).await
    }

    pub(crate) async fn with_gmail(settings: &str, gmail: LocalGmail) -> Self {
        let cluster = Cluster::shared();
        let database = cluster.database().await;
        let url = cluster.url(&database);
        Self::in_database(settings, gmail, &database, &url, url.clone()).await
    }

    /// In a database made elsewhere: the test works in it as `owner_url`, the daemon as `url`.
    pub(crate) async fn in_database(
        settings: &str,
        gmail: LocalGmail,
        database: &str,
        owner_url: &str,
        url: String,
    ) -> Self {
        let pool = PgPool::connect(owner_url).await.expect("database");
        let config_file =
            std::env::temp_dir().join(format!("{database}-{}.toml", std::process::id()));
        let mut table: toml::Table = format!(
            "listen = '127.0.0.1:0'\n[google]\ngmail_base_url = '{}'\ntoken_url = '{}'\n\
             consent_url = '{}'\nclient_id = '{}'\nbackoff_first_ms = 5\nbackoff_cap_ms = 20\n\
             request_timeout_seconds = 2\nmax_rate_wait_seconds = 1\n[sync]\njitter_seconds = 0\n",
            gmail.base_url(),
            gmail.token_url(),
            gmail.auth_url(),
            gmail.client_id()
        )
        .parse()
        .expect("TOML");
        let over: toml::Table = settings.parse().expect("TOML");
        for (section, values) in over {
            match (
                table.get_mut(&section).and_then(toml::Value::as_table_mut),
                values,
            ) {
                (Some(below), toml::Value::Table(above)) => below.extend(above),
                (_, values) => {
                    table.insert(section, values);
                }
            }
        }
        std::fs::write(&config_file, table.to_string()).expect("configuration");
        Self {
            gmail,
            pool,
            url,
            database: database.to_owned(),
            config_file,
            anthropic_key: None,
            variables: Vec::new(),
        }
    }

    /// A variable of the daemon's environment, for instance the URL of a channel.
    pub(crate) fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    fn environment(&self) -> Vec<(String, String)> {
        let known = [
            ("CRM_HEALTH_DATABASE_URL", self.url.as_str()),
            (
                "CRM_HEALTH_GOOGLE_CLIENT_SECRET",
                self.gmail.client_secret(),
            ),
            ("CRM_HEALTH_CRON_SECRET", CRON_SECRET),
            ("CRM_HEALTH_TOKEN_KEY", TOKEN_KEY),
        ];
        let key = self.anthropic_key.iter();
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned()));
        known
            .into_iter()
            .chain(self.variables.iter().cloned())
            .chain(key.map(|key| ("CRM_HEALTH_ANTHROPIC_API_KEY".to_owned(), key.clone())))
            .collect()
    }

    pub(crate) fn config(&self) -> Config {
        self.try_config().expect("configuration")
    }

    pub(crate) fn try_config(&self) -> Result<Config, ConfigError> {
        let environment = self.environment();
        let pairs = environment.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        Config::load(Some(&self.config_file), &Environment::from_pairs(pairs))
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        let engine = Engine::new(Arc::new(self.config()), Arc::default(), Arc::default());
        Arc::new(engine.expect("engine"))
    }

    /// One run in this process, as by a daemon of its own.
    pub(crate) async fn sync(&self) -> Report {
        self.sync_by(&self.engine()).await
    }

    pub(crate) async fn sync_by(&self, engine: &Arc<Engine>) -> Report {
        let request = RunRequest {
            triggered_by: "test".to_owned(),
            kind: RunKind::Now,
            users: None,
            since: None,
        };
        engine
            .run(&request, &CancellationToken::new(), Arc::new(|_| {}))
            .await
    }

    /// Writes the configuration file anew, as an operator does before SIGHUP.
    pub(crate) fn rewrite_config(&self, change: impl FnOnce(String) -> String) {
        let old = std::fs::read_to_string(&self.config_file).expect("configuration");
        std::fs::write(&self.config_file, change(old)).expect("configuration");
    }

    /// The binary, ready to be given arguments.
    pub(crate) fn daemon(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm-health-sync"));
        command
            .env_clear()
            .envs(self.environment())
            .env("PATH", "/usr/bin:/bin");
        command.arg("--config").arg(&self.config_file);
        command
    }

    /// Runs the binary to its end, without holding up the local Gmail.
    pub(crate) async fn run_daemon(&self, adjust: impl FnOnce(&mut Command) + Send) -> Output {
        let mut command = self.daemon();
        adjust(&mut command);
        tokio::task::spawn_blocking(move || command.output().expect("the daemon"))
            .await
            .expect("join")
    }

    /// A user who logged in just now, with a connected mailbox.
    pub(crate) async fn add_user(&self, email: &str) -> Uuid {
        let refresh = self.gmail.add_mailbox(email).expect("mailbox");
        let user = Uuid::new_v4();
        self.execute(&format!(
            "INSERT INTO profiles (id, email, last_login_at) VALUES ('{user}', '{email}', now());
             INSERT INTO google_integrations (user_id, email, refresh_token)
             VALUES ('{user}', '{email}', '{refresh}')"
        ))
        .await;
        user
    }

    pub(crate) async fn add_contact(&self, owner: Uuid, email: &str) -> Uuid {
        let id = Uuid::new_v4();
        self.execute(&format!(
            "INSERT INTO contacts (id, email, owner_id) VALUES ('{id}', '{email}', '{owner}')"
        ))
        .await;
        id
    }

    /// `count` mails from `from`, a minute apart, oldest first; their ids.
    pub(crate) fn receive(&self, mailbox: &str, from: &str, count: i64) -> Vec<String> {
        let now = self.gmail.now_ms();
        let mail = |i: i64| {
            let message = NewMessage::received(from, mailbox).subject(&format!("mail {i}"));
            self.gmail
                .add_message(mailbox, message.at_ms(now - (count - i) * 60_000))
                .expect("message")
        };
        (0..count).map(mail).collect()
    }

    /// Mails of an hour ago, a second apart.
    pub(crate) fn add_mails(&self, mailbox: &str, mails: Vec<NewMessage>) {
        let start = self.gmail.now_ms() - 3_600_000;
        for (at, mail) in (start..).step_by(1000).zip(mails) {
            self.gmail
                .add_message(mailbox, mail.at_ms(at))
                .expect("message");
        }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&self.pool)
            .await
            .expect(sql);
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&self.pool)
            .await
            .expect(sql)
    }

    pub(crate) async fn text(&self, sql: &str) -> Option<String> {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&self.pool)
            .await
            .expect(sql)
    }

    /// All events as (message, contact), each as often as it is there.
    pub(crate) async fn events(&self) -> Vec<(String, Uuid)> {
        let sql = "SELECT external_id, contact_id FROM communication_events ORDER BY 1, 2";
        sqlx::query_as(sql)
            .fetch_all(&self.pool)
            .await
            .expect("events")
    }

    /// The table holds exactly one event for each of `ids`.
    pub(crate) async fn assert_synced(&self, ids: &[String]) {
        let found: Vec<String> = self.events().await.into_iter().map(|(id, _)| id).collect();
        let wanted: BTreeSet<String> = ids.iter().cloned().collect();
        let once: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(once, wanted, "messages missing or from nowhere");
        assert_eq!(found.len(), once.len(), "an event was written twice");
    }

    /// The daemon spoke only as Google's description allows.
    pub(crate) fn assert_conforming(&self) {
        assert_eq!(self.gmail.violations(), []);
    }

    /// Ends all pauses, as time would.
    pub(crate) async fn end_pauses(&self) {
        self.execute("UPDATE crm_health_sync.mailboxes SET next_attempt_at = NULL")
            .await;
    }

    /// Ends all leases, as time would.
    pub(crate) async fn end_leases(&self) {
        self.execute("UPDATE crm_health_sync.mailboxes SET lease_until = now() WHERE lease_until IS NOT NULL").await;
    }

    /// Functions in place of the extension's: they note who was refreshed.
    pub(crate) async fn stand_in_for_extension(&self) {
        self.execute(
            "CREATE SCHEMA IF NOT EXISTS crm_health;
             CREATE TABLE public.calls (what text, user_id uuid);
             CREATE FUNCTION crm_health.link_replies(p_user_id uuid) RETURNS bigint LANGUAGE sql AS
                 $$ INSERT INTO public.calls VALUES ('link', p_user_id); SELECT 0::bigint $$;
             CREATE FUNCTION public.refresh_deal_health_scores(p uuid, h integer)
                 RETURNS TABLE (deal_id uuid, health_score integer, health_status text, updated boolean)
                 LANGUAGE sql AS $$ INSERT INTO public.calls VALUES ('deals', p);
                     SELECT p, 1, 'healthy', true $$;
             CREATE FUNCTION public.refresh_relationship_health_scores(p uuid, h integer)
                 RETURNS TABLE (contact_id uuid, health_score integer, health_status text, updated boolean)
                 LANGUAGE sql AS $$ INSERT INTO public.calls VALUES ('relationships', p);
                     SELECT p, 1, 'healthy', true $$;
             CREATE PROCEDURE crm_health.refresh_active_users(
                 p_triggered_by text, p_max_age_hours integer, p_as_of timestamptz, INOUT p_result jsonb)
                 LANGUAGE plpgsql AS $$
                 DECLARE
                     v_deals bigint;
                     v_relationships bigint;
                     v_users bigint;
                 BEGIN
                     SELECT count(*), sum((SELECT count(*) FROM public.refresh_deal_health_scores(p.id, 24))),
                            sum((SELECT count(*) FROM public.refresh_relationship_health_scores(p.id, 24)))
                     INTO v_users, v_deals, v_relationships
                     FROM public.profiles p WHERE p.last_login_at > now() - interval '7 days';
                     COMMIT;
                     p_result := jsonb_build_object('usersProcessed', v_users, 'dealsRefreshed', v_deals,
                         'relationshipsRefreshed', v_relationships, 'errors', '[]'::jsonb, 'triggeredBy', p_triggered_by);
                 END $$",
        )
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A leftover file in the temporary folder harms nobody.
        let _ = std::fs::remove_file(&self.config_file);
    }
}

/// The codes of a report's errors.
pub(crate) fn codes(report: &Report) -> Vec<&str> {
    report.errors.iter().map(|e| e.code.as_str()).collect()
}
