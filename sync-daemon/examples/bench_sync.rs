//! Benchmark of the sync against the local Gmail: 50 ms round trip, 40 ms service, 80 ms a batch.
//!
//! `CRM_HEALTH_DATABASE_URL=… cargo run --release --example bench_sync [-- mailboxes messages]`: a database with the CRM
//! tables (`make cluster`), which is filled with made-up users. Prints a table of medians of five, the old way (one
//! list, then full gets in turn) beside ours; then the throughput of one daemon over many mailboxes, and its memory; then
//! one mailbox with many messages, 10,000 by 10,000. No mailboxes: the last part alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_health_sync::config::{Config, Environment};
use crm_health_sync::mailbox::Step;
use crm_health_sync::run::{Engine, OnStep, RunKind, RunRequest};
use local_gmail::{Config as GmailConfig, Generate, Latency, LocalGmail, Quota};
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Failed = Box<dyn std::error::Error>;

const LATENCY: Latency = Latency {
    round_trip_ms: 50,
    service_ms: 40,
    batch_ms: 80,
};
const CONTACTS: [&str; 3] = [
    "ada@client.example",
    "bob@client.example",
    "eve@client.example",
];
const ROUNDS: usize = 5;

struct Bench {
    gmail: LocalGmail,
    pool: PgPool,
    url: String,
    users: u32,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let mailboxes: u32 = arguments.next().map_or(Ok(1000), |a| a.parse())?;
    let messages: u32 = arguments.next().map_or(Ok(100_000), |a| a.parse())?;
    let url = std::env::var("CRM_HEALTH_DATABASE_URL")?;
    let gmail = LocalGmail::start(GmailConfig {
        latency: LATENCY,
        ..GmailConfig::default()
    })
    .await?;
    gmail.set_quota(Quota::older_project());
    let pool = PgPool::connect(&url).await?;
    let mut bench = Bench {
        gmail,
        pool,
        url,
        users: 0,
    };
    if mailboxes > 0 {
        bench.single_mailboxes().await?;
        bench.many(mailboxes).await?;
    }
    bench.huge(messages).await
}

impl Bench {
    /// The settings of an older project: it has the units for 1,000 messages in a few seconds.
    fn engine(&self, settings: &str) -> Result<Arc<Engine>, Failed> {
        let file = std::env::temp_dir().join(format!("bench-{}.toml", std::process::id()));
        let (base, token) = (self.gmail.base_url(), self.gmail.token_url());
        std::fs::write(
            &file,
            format!(
                "[google]\ngmail_base_url = '{base}'\ntoken_url = '{token}'\nclient_id = '{}'\n\
             [quota]\n{settings}\n[sync]\nmax_messages_per_run = 1000000\nrefresh_scores = false\n\
             concurrent_mailboxes = 16\n[database]\nmax_connections = 16\n",
                self.gmail.client_id()
            ),
        )?;
        let secret = self.gmail.client_secret();
        let environment = Environment::from_pairs([
            ("CRM_HEALTH_DATABASE_URL", self.url.as_str()),
            ("CRM_HEALTH_GOOGLE_CLIENT_SECRET", secret),
        ]);
        let config = Config::load(Some(&file), &environment)?;
        Ok(Arc::new(Engine::new(
            Arc::new(config),
            Arc::default(),
            Arc::default(),
        )?))
    }

    async fn user(&mut self) -> Result<(Uuid, String), Failed> {
        self.users += 1;
        let user = Uuid::new_v4();
        let email = format!("bench{}.{}@acme.example", self.users, user.simple());
        let refresh = self.gmail.add_mailbox(&email)?;
        let contacts: Vec<String> = CONTACTS
            .iter()
            .map(|c| format!("('{c}', '{user}')"))
            .collect();
        let sql = format!(
            "INSERT INTO profiles (id, email, last_login_at) VALUES ('{user}', '{email}', now());
             INSERT INTO google_integrations (user_id, email, refresh_token) VALUES ('{user}', '{email}', '{refresh}');
             INSERT INTO contacts (email, owner_id) VALUES {}",
            contacts.join(", ")
        );
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await?;
        Ok((user, email))
    }

    fn mail(&self, mailbox: &str, count: u32) -> Result<(), Failed> {
        if count > 0 {
            let correspondents = CONTACTS.map(str::to_owned).to_vec();
            self.gmail.generate(
                mailbox,
                Generate {
                    count,
                    correspondents,
                    ..Generate::default()
                },
            )?;
        }
        Ok(())
    }

    async fn sync(
        &self,
        engine: &Arc<Engine>,
        users: Vec<Uuid>,
    ) -> Result<(Duration, i64), Failed> {
        self.sync_watched(engine, users, Arc::new(|_| {})).await
    }

    async fn sync_watched(
        &self,
        engine: &Arc<Engine>,
        users: Vec<Uuid>,
        on_step: OnStep,
    ) -> Result<(Duration, i64), Failed> {
        let request = RunRequest {
            triggered_by: "bench".to_owned(),
            kind: RunKind::Now,
            users: Some(users),
            since: None,
        };
        let clock = Instant::now();
        let report = engine
            .run(&request, &CancellationToken::new(), on_step)
            .await;
        let time = clock.elapsed();
        let faults: Vec<_> = report
            .errors
            .iter()
            .filter(|e| e.code != "extension_missing")
            .collect();
        if !faults.is_empty() {
            return Err(format!("the sync failed: {faults:?}").into());
        }
        Ok((time, report.details.messages_seen))
    }

    async fn single_mailboxes(&mut self) -> Result<(), Failed> {
        let engine = self.engine("user_units_per_minute = 15000\nmessage_units = 5")?;
        println!("| one mailbox | median | bound | old way | ratio |\n|---|---|---|---|---|");
        for (count, bound) in [(0, 0.2), (20, 0.35), (50, 0.6), (1000, 7.0)] {
            let mut times = Vec::new();
            for _ in 0..ROUNDS {
                let (user, mailbox) = self.user().await?;
                // The first sync of the mailbox is not what is measured.
                self.sync(&engine, vec![user]).await?;
                self.mail(&mailbox, count)?;
                let (time, seen) = self.sync(&engine, vec![user]).await?;
                if seen != i64::from(count) {
                    return Err(format!("{seen} messages instead of {count}").into());
                }
                times.push(time.as_secs_f64());
            }
            let ours = median(&mut times);
            let old = self.old_way(count.min(20)).await?;
            let shown = if count > 20 {
                "–".to_owned()
            } else {
                format!("{old:.2} s")
            };
            let ratio = if count > 20 {
                "–".to_owned()
            } else {
                format!("{:.1}", old / ours)
            };
            println!("| {count} new messages | {ours:.2} s | {bound:.2} s | {shown} | {ratio} |");
        }
        Ok(())
    }

    /// One list, then each message in full, one after another.
    async fn old_way(&mut self, count: u32) -> Result<f64, Failed> {
        let (_, mailbox) = self.user().await?;
        self.mail(&mailbox, count)?;
        let http = reqwest::Client::new();
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.gmail.refresh_token(&mailbox)),
            ("client_id", self.gmail.client_id()),
            ("client_secret", self.gmail.client_secret()),
        ];
        let token = http.post(self.gmail.token_url()).form(&form).send().await?;
        let token: serde_json::Value = serde_json::from_slice(&token.bytes().await?)?;
        let token = token["access_token"].as_str().ok_or("no token")?.to_owned();
        let messages = format!("{}/gmail/v1/users/me/messages", self.gmail.base_url());
        let clock = Instant::now();
        let list = http.get(&messages).bearer_auth(&token).send().await?;
        let list: serde_json::Value = serde_json::from_slice(&list.bytes().await?)?;
        for message in list["messages"].as_array().into_iter().flatten() {
            let id = message["id"].as_str().ok_or("no id")?;
            let get = http
                .get(format!("{messages}/{id}?format=full"))
                .bearer_auth(&token);
            get.send().await?.error_for_status()?.bytes().await?;
        }
        Ok(clock.elapsed().as_secs_f64())
    }

    async fn many(&mut self, mailboxes: u32) -> Result<(), Failed> {
        // The published quota of a new project, which is what bounds the throughput.
        self.gmail.set_quota(Quota::new_project());
        let engine = self.engine("")?;
        let mut users = Vec::new();
        for _ in 0..mailboxes {
            let (user, mailbox) = self.user().await?;
            self.mail(&mailbox, 50)?;
            users.push(user);
        }
        let before = database_calls(&self.pool).await?;
        let (time, seen) = self.sync(&engine, users).await?;
        let calls = database_calls(&self.pool).await? - before;
        let per_hour = f64::from(mailboxes) / time.as_secs_f64() * 3600.0;
        println!(
            "\n{mailboxes} mailboxes with 50 new messages: {seen} messages in {:.1} s, {per_hour:.0} mailboxes an hour \
            (bound 57,000), {:.1} transactions a mailbox, {} units, process {} MB (with the local Gmail in it)",
            time.as_secs_f64(),
            calls as f64 / f64::from(mailboxes.max(1)),
            self.gmail.stats().units,
            resident_mb()?
        );
        Ok(())
    }

    async fn huge(&mut self, messages: u32) -> Result<(), Failed> {
        self.gmail.set_quota(Quota {
            concurrent_per_user: Some(50),
            ..Quota::default()
        });
        self.gmail.set_latency(Latency::default());
        let engine = self
            .engine("user_units_per_minute = 4000000000\nproject_units_per_minute = 4000000000")?;
        let (user, mailbox) = self.user().await?;
        self.mail(&mailbox, messages)?;
        let before = resident_mb()?;
        let (time, seen) = self
            .sync_watched(&engine, vec![user], every_10_000())
            .await?;
        println!(
            "one mailbox of {messages} messages, no latency: {seen} in {:.1} s; memory {before} → {} MB",
            time.as_secs_f64(),
            resident_mb()?
        );
        Ok(())
    }
}

/// Prints how long each 10,000 messages took.
fn every_10_000() -> OnStep {
    const PORTION: i64 = 10_000;
    let state = Mutex::new((0_i64, Instant::now()));
    Arc::new(move |step| {
        let Step::Stored(count) = step else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (stored, since) = *state;
        let now = stored + count;
        if now / PORTION > stored / PORTION {
            println!("{now} messages: {:.1} s", since.elapsed().as_secs_f64());
            state.1 = Instant::now();
        }
        state.0 = now;
    })
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

async fn database_calls(pool: &PgPool) -> Result<i64, Failed> {
    let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    // The counters of other backends arrive within a second.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}

/// Peak memory of this process.
fn resident_mb() -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .ok_or("no VmHWM")?;
    let kb: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kb / 1024)
}
