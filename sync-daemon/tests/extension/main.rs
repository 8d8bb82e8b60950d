//! The real extension behind the daemon: replies linked and scores refreshed, by a role that may do no more than its
//! grants. The server is the one that `make test` starts, with the extension installed.

mod dashboard;
mod jobs;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use crm_health_sync::run::{HealthReport, refresh_health};
use local_gmail::{Config as GmailConfig, LocalGmail, NewMessage};
use serde_json::{Value, json};
use support::World;
use support::outbox::round;
use support::receiver::Receiver;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const REP: &str = "rep@acme.example";
const QUIET: &str = "quiet@acme.example";
const ADA: &str = "ada@client.example";
const HOUR_MS: i64 = 3_600_000;

/// A copy of the template with the extension, and the daemon's role in it; both go with the test.
struct Home {
    server: String,
    database: String,
    role: String,
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: this test needs a server with the extension; run it by `make test` or scripts/test.sh")
    })
}

impl Home {
    fn new() -> Self {
        let name = Uuid::new_v4().simple().to_string();
        let home = Self {
            server: setting("CRM_HEALTH_TEST_SERVER"),
            database: format!("test_{name}"),
            role: format!("sync_{name}"),
        };
        let (database, role) = (&home.database, &home.role);
        home.psql(
            "postgres",
            &[
                "-c",
                &format!("CREATE DATABASE {database} TEMPLATE crm_template"),
            ],
        );
        home.psql("postgres", &["-c", &format!("CREATE ROLE {role} LOGIN")]);
        home
    }

    fn psql(&self, database: &str, arguments: &[&str]) {
        let mut command = Command::new(PathBuf::from(setting("CRM_HEALTH_PG_BIN")).join("psql"));
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"]);
        command
            .arg(format!("{}{database}", self.server))
            .args(arguments);
        let output = command.output().expect("psql");
        assert!(output.status.success(), "{command:?}: {output:?}");
    }

    fn owner_url(&self) -> String {
        format!("{}{}", self.server, self.database)
    }

    /// The same place, as the daemon's role.
    fn daemon_url(&self) -> String {
        self.owner_url()
            .replacen("postgres@", &format!("{}@", self.role), 1)
    }

    /// What an operator does, as docs/daemon.md tells: the owner migrates, then grants.
    async fn install(&self, world: &World) {
        let owner = self.owner_url();
        let output = world
            .run_daemon(|c| {
                c.arg("migrate").env("CRM_HEALTH_DATABASE_URL", owner);
            })
            .await;
        assert!(output.status.success(), "{output:?}");
        self.grant("grants.sql");
    }

    /// Runs a script of `sql/sync` for the daemon's role.
    fn grant(&self, script: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../sql/sync")
            .join(script);
        let role = format!("role={}", self.role);
        self.psql(
            &self.database,
            &["-v", &role, "-f", &file.display().to_string()],
        );
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A failing test has said enough; the server itself goes with the run.
        if std::thread::panicking() {
            return;
        }
        let database = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        self.psql("postgres", &["-c", &database]);
        self.psql("postgres", &["-c", &format!("DROP ROLE {}", self.role)]);
    }
}

async fn world(home: &Home) -> World {
    world_with(home, "").await
}

async fn world_with(home: &Home, settings: &str) -> World {
    let gmail = LocalGmail::start(GmailConfig::checked(support::discovery()));
    let gmail = gmail.await.expect("local Gmail");
    let (owner, daemon) = (home.owner_url(), home.daemon_url());
    let world = World::in_database(settings, gmail, &home.database, &owner, daemon).await;
    home.install(&world).await;
    world
}

/// A user with a mailbox, a contact, and an active deal with that contact.
async fn add_rep(world: &World, email: &str) -> Uuid {
    let user = world.add_user(email).await;
    let contact = world.add_contact(user, ADA).await;
    world
        .execute(&format!(
            "INSERT INTO deals (name, owner_id, status, stage_id, primary_contact_id)
             SELECT 'Deal', '{user}', 'active', s.id, '{contact}' FROM deal_stages s LIMIT 1"
        ))
        .await;
    user
}

/// A mail that waits in the mailbox, so many hours old.
fn mail(world: &World, mailbox: &str, message: NewMessage, hours: i64) -> String {
    let at = world.gmail.now_ms() - hours * HOUR_MS;
    let message = message.thread("talk").at_ms(at);
    world.gmail.add_message(mailbox, message).expect("message")
}

/// `sync` as an operator runs it: no errors, and its JSON.
async fn sync(world: &World) -> Value {
    let output = world
        .run_daemon(|c| {
            c.arg("sync");
        })
        .await;
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(report["errors"], json!([]), "{output:?}");
    assert_eq!(
        (output.status.code(), &report["success"]),
        (Some(0), &true.into())
    );
    report
}

/// Whose scores are there, deals before relationships.
async fn scored(world: &World) -> Vec<(String, Uuid)> {
    let sql = "SELECT 'deal', user_id FROM deal_health_scores
               UNION ALL SELECT 'relationship', user_id FROM relationship_health_scores ORDER BY 1, 2";
    sqlx::query_as(sql)
        .fetch_all(&world.pool)
        .await
        .expect("scores")
}

fn both(user: Uuid) -> Vec<(String, Uuid)> {
    vec![("deal".to_owned(), user), ("relationship".to_owned(), user)]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unprivileged_daemon_brings_mail_links_replies_and_scores_their_users_alone() {
    let home = Home::new();
    let world = world(&home).await;
    let busy = add_rep(&world, REP).await;
    let quiet = add_rep(&world, QUIET).await;
    let sent = mail(&world, REP, NewMessage::sent(REP, ADA), 5);
    let answer = mail(&world, REP, NewMessage::received(ADA, REP), 2);
    mail(
        &world,
        QUIET,
        NewMessage::received("stranger@nowhere.example", QUIET),
        1,
    );

    let report = sync(&world).await;
    assert_eq!(
        (&report["usersProcessed"], &report["emailsSynced"]),
        (&2.into(), &2.into()),
        "{report}"
    );
    world.assert_synced(&[sent, answer]).await;
    let replied = "SELECT string_agg(concat_ws('|', direction, was_replied, response_time_hours::float8), ',' ORDER BY direction)
                   FROM communication_events";
    assert_eq!(
        world.text(replied).await.as_deref(),
        Some("inbound|f|3,outbound|t")
    );
    assert_eq!(scored(&world).await, both(busy));
    let details = &report["details"];
    assert_eq!(
        ["usersRefreshed", "dealsRefreshed", "relationshipsRefreshed"].map(|key| &details[key]),
        [&json!(1), &json!(1), &json!(1)]
    );

    // The other one's first mail: the scores of the first stay as they were.
    world
        .execute("CREATE TABLE before AS SELECT * FROM relationship_health_scores")
        .await;
    mail(&world, QUIET, NewMessage::received(ADA, QUIET), 1);
    let report = sync(&world).await;
    assert_eq!(report["details"]["usersRefreshed"], 1, "{report}");
    let untouched = format!(
        "SELECT count(*) FROM before JOIN relationship_health_scores USING (id, last_calculated_at)
         WHERE before.user_id = '{busy}'"
    );
    assert_eq!(world.number(&untouched).await, 1);
    let quiet_scored = scored(&world)
        .await
        .into_iter()
        .filter(|(_, user)| *user == quiet);
    assert_eq!(quiet_scored.collect::<Vec<_>>(), both(quiet));
    world.assert_conforming();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_grants_are_all_that_check_config_asks_for() {
    let home = Home::new();
    let world = world(&home).await;
    add_rep(&world, REP).await;
    let output = world
        .run_daemon(|c| {
            c.arg("check-config");
        })
        .await;
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_among_the_trusted_roles_mail_comes_in_and_the_run_says_what_is_refused() {
    let home = Home::new();
    let world = world(&home).await;
    let user = add_rep(&world, REP).await;
    let ids = [mail(&world, REP, NewMessage::received(ADA, REP), 1)];
    world
        .execute(
            "UPDATE crm_health.settings SET value = 'service_role' WHERE name = 'trusted_roles'",
        )
        .await;
    let output = world
        .run_daemon(|c| {
            c.arg("sync");
        })
        .await;
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(report["errors"][0]["code"], "link_failed", "{report}");
    assert_eq!(report["errors"][0]["userId"], user.to_string());
    world.assert_synced(&ids).await;
    assert_eq!(scored(&world).await, []);
}
