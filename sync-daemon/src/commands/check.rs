//! `check-config`: everything a run needs, tried; each problem with its mend.

use super::{channels, engine};
use crate::cli::{CheckArgs, Exit};
use crate::config::Config;
use crate::oauth::endpoint::{self, Refusal};
use crate::run::Engine;
use crate::sentiment::LEXICON_MODEL;
use crate::store::Finding;

pub(crate) async fn check(config: Config, args: &CheckArgs) -> Exit {
    let engine = match engine(config) {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    println!("the mood of mail: {}", sentiment(&engine.config));
    let mut findings = settings(&engine.config);
    let database = database(&engine).await;
    let database_usable = database.is_ok();
    findings.extend(database.unwrap_or_else(|finding| vec![finding]));
    findings.extend(token_endpoint(&engine).await);
    findings.extend(reader(&engine).await);
    findings.extend(channels::check_settings(&engine.config));
    if database_usable {
        findings.extend(channels::check_state(&engine).await);
    }
    if args.send_test {
        findings.extend(channels::send_tests(&engine.config).await);
    }
    for Finding { problem, mend } in &findings {
        println!("wrong: {problem}\n mend: {mend}");
    }
    match (findings.is_empty(), database_usable) {
        (true, _) => {
            println!("everything is in order");
            Exit::Success
        }
        (false, true) => Exit::SomeFailed,
        (false, false) => Exit::Database,
    }
}

fn finding(problem: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding {
        problem: problem.into(),
        mend: mend.into(),
    }
}

/// Which model is on.
fn sentiment(config: &Config) -> String {
    let a = &config.anthropic;
    if config.anthropic_key().is_some() {
        format!(
            "read by {} at {}, for at most {:.2} USD a day",
            a.model, a.base_url, a.daily_cap_usd
        )
    } else if config.sentiment.enabled {
        format!("read by the lexicon in this binary ({LEXICON_MODEL}, English)")
    } else {
        "not read".to_owned()
    }
}

fn settings(config: &Config) -> Vec<Finding> {
    let secrets = &config.secrets;
    let missing = [
        (
            config.google.client_id.is_empty(),
            "CRM_HEALTH_GOOGLE_CLIENT_ID",
            "the id of your OAuth client in the Google Cloud console",
        ),
        (
            secrets.client_secret.is_none(),
            "CRM_HEALTH_GOOGLE_CLIENT_SECRET",
            "the secret of your OAuth client, best as a credential file",
        ),
        (
            secrets.cron_secret.is_none(),
            "CRM_HEALTH_CRON_SECRET",
            "openssl rand -hex 32; without it the cron endpoints are closed",
        ),
        (
            secrets.token_key.is_none(),
            "CRM_HEALTH_TOKEN_KEY",
            "openssl rand -base64 32; without it tokens are stored in the clear",
        ),
    ];
    missing
        .into_iter()
        .filter(|(is_missing, ..)| *is_missing)
        .map(|(_, name, mend)| finding(format!("{name} is not set"), mend))
        .collect()
}

async fn database(engine: &Engine) -> Result<Vec<Finding>, Finding> {
    let mend = "check CRM_HEALTH_DATABASE_URL and that the server is up";
    engine
        .store
        .ping()
        .await
        .map_err(|e| finding(e.to_string(), mend))?;
    let mut findings = engine
        .store
        .inspect(&engine.config)
        .await
        .map_err(|e| finding(e.to_string(), "see the server's log"))?;
    // Where a table is missing, that is found already.
    let hidden = engine.store.hidden_mailboxes().await.unwrap_or_default();
    if hidden > 0 {
        findings.push(Finding::integrations_hidden(hidden));
    }
    Ok(findings)
}

/// Asks the language model's API about the model, which costs nothing.
async fn reader(engine: &Engine) -> Option<Finding> {
    let problem = engine.reader.as_ref()?.check().await.err()?;
    let mend = "mail is synced without it; see docs/sentiment.md";
    Some(finding(problem, mend))
}

/// Whether the token endpoint accepts our client.
async fn token_endpoint(engine: &Engine) -> Option<Finding> {
    let tried = endpoint::try_client(engine.client.http(), &engine.config).await;
    match tried.err()? {
        Refusal::Operator(reason) => Some(finding(
            format!("the token endpoint refuses the OAuth client: {reason}"),
            "check CRM_HEALTH_GOOGLE_CLIENT_ID and CRM_HEALTH_GOOGLE_CLIENT_SECRET",
        )),
        other => Some(finding(
            other.into_failure().to_string(),
            "check google.token_url and the way out of this network",
        )),
    }
}
