//! A running server, in the hands of the test that started it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{App, default_refresh_token};
use crate::config::{Config, Latency, Quota};
use crate::error::{AdminError, StartError};
use crate::fault_book::FaultReport;
use crate::faults::FaultRule;
use crate::fixture::{self, Fixture};
use crate::generator::Generate;
use crate::ids::write_id;
use crate::lock::locked;
use crate::mailbox::Mailbox;
use crate::message::NewMessage;
use crate::server;
use crate::stats::{SeenRequest, Stats, Violation};

/// A running server. It ends with [`LocalGmail::stop`], or when this is dropped.
#[derive(Debug)]
pub struct LocalGmail {
    app: Arc<App>,
    address: SocketAddr,
    /// True tells the accept loop to end.
    stop: watch::Sender<bool>,
    serving: Option<JoinHandle<()>>,
}

impl LocalGmail {
    /// Starts a server on the running tokio runtime.
    ///
    /// # Errors
    /// If the port cannot be had, or the API description cannot be read.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let app = Arc::new(App::new(config)?);
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(server::serve(listener, Arc::clone(&app), stopped));
        Ok(Self {
            app,
            address,
            stop,
            serving: Some(serving),
        })
    }

    /// Ends the server and cuts its connections.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take() {
            // It ends by returning; a panic in it has been printed already.
            let _ = serving.await;
        }
    }

    /// Base of the Gmail API, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.base_url())
    }

    /// The consent page.
    pub fn auth_url(&self) -> String {
        format!("{}/o/oauth2/v2/auth", self.base_url())
    }

    /// The OAuth client's id.
    pub fn client_id(&self) -> &str {
        &self.app.config.client_id
    }

    /// The OAuth client's secret.
    pub fn client_secret(&self) -> &str {
        &self.app.config.client_secret
    }

    /// The server's present, in epoch milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.app.clock.now_ms()
    }

    /// Moves the server's clock, backwards if negative.
    pub fn advance_clock_ms(&self, by_ms: i64) {
        self.app.clock.advance(by_ms);
    }

    /// Adds an empty mailbox and gives a refresh token for it.
    ///
    /// # Errors
    /// If it exists.
    pub fn add_mailbox(&self, address: &str) -> Result<String, AdminError> {
        self.app.add_mailbox(address)
    }

    /// The refresh token that a mailbox has from the start, whether it exists yet or not.
    pub fn refresh_token(&self, address: &str) -> String {
        default_refresh_token(address)
    }

    /// Sets the other addresses that a mailbox's owner sends from.
    ///
    /// # Errors
    /// If there is no such mailbox.
    pub fn set_aliases(&self, address: &str, aliases: &[&str]) -> Result<(), AdminError> {
        let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
        self.app.with(address, |mailbox| mailbox.aliases = aliases)
    }

    /// Replaces the scopes of all tokens of a mailbox.
    ///
    /// # Errors
    /// If there is no such mailbox.
    pub fn set_scopes(&self, address: &str, scopes: &[&str]) -> Result<(), AdminError> {
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.app.set_scopes(address, &scopes)
    }

    /// Puts a message into a mailbox and gives its id.
    ///
    /// # Errors
    /// If there is no such mailbox, or the id is malformed or taken.
    pub fn add_message(&self, address: &str, message: NewMessage) -> Result<String, AdminError> {
        self.app.add_message(address, message)
    }

    /// Fills a mailbox in bulk.
    ///
    /// # Errors
    /// If there is no such mailbox, or the settings make no sense.
    pub fn generate(&self, address: &str, settings: Generate) -> Result<(), AdminError> {
        self.app.generate(address, settings)
    }

    /// Adds and removes labels; what changes enters the history.
    ///
    /// # Errors
    /// If there is no such mailbox or message.
    pub fn change_labels(
        &self,
        address: &str,
        id: &str,
        add: &[&str],
        remove: &[&str],
    ) -> Result<(), AdminError> {
        let owned = |labels: &[&str]| -> Vec<String> {
            labels.iter().map(|&label| label.to_owned()).collect()
        };
        self.app
            .change_labels(address, id, &owned(add), &owned(remove))
    }

    /// Deletes a message for good.
    ///
    /// # Errors
    /// If there is no such mailbox or message.
    pub fn delete_message(&self, address: &str, id: &str) -> Result<(), AdminError> {
        self.app.delete_message(address, id)
    }

    /// Forgets the history so far: every history id handed out until now answers 404.
    ///
    /// # Errors
    /// If there is no such mailbox.
    pub fn expire_history(&self, address: &str) -> Result<(), AdminError> {
        self.app.with(address, Mailbox::expire_history)
    }

    /// Ends the access tokens of a mailbox; its refresh tokens stay good.
    ///
    /// # Errors
    /// If there is no such mailbox.
    pub fn expire_tokens(&self, address: &str) -> Result<(), AdminError> {
        self.app.expire_tokens(address)
    }

    /// Ends all tokens of a mailbox, as its owner can in the account's settings.
    ///
    /// # Errors
    /// If there is no such mailbox.
    pub fn revoke(&self, address: &str) -> Result<(), AdminError> {
        self.app.revoke(address)
    }

    /// The ids of all messages of a mailbox, newest first.
    ///
    /// # Errors
    /// If there is no such mailbox.
    pub fn message_ids(&self, address: &str) -> Result<Vec<String>, AdminError> {
        self.app
            .with(address, |mailbox| mailbox.ids().map(write_id).collect())
    }

    /// The present history id of a mailbox.
    ///
    /// # Errors
    /// If there is no such mailbox.
    pub fn history_id(&self, address: &str) -> Result<u64, AdminError> {
        self.app.with(address, |mailbox| mailbox.history_id())
    }

    /// Adds the mailboxes of a fixture.
    ///
    /// # Errors
    /// If one of its mailboxes exists, or one of its settings makes no sense.
    pub fn load_fixture(&self, fixture: Fixture) -> Result<(), AdminError> {
        fixture::load(&self.app, fixture)
    }

    /// Adds the mailboxes of a fixture file.
    ///
    /// # Errors
    /// As [`LocalGmail::load_fixture`], or if the file cannot be read as a [`Fixture`].
    pub fn load_fixture_file(&self, path: &Path) -> Result<(), AdminError> {
        let text = std::fs::read(path).map_err(|source| AdminError::File {
            path: path.to_owned(),
            source,
        })?;
        self.load_fixture(serde_json::from_slice(&text)?)
    }

    /// Adds a fault behind those that wait.
    ///
    /// # Panics
    /// If the rule could never strike, such as a missing part of the token endpoint's answer.
    pub fn inject(&self, rule: FaultRule) {
        if let Err(error) = self.app.faults.add(rule) {
            panic!("{error}");
        }
    }

    /// Drops all faults.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// All faults since the last clearing, and how often each has struck.
    pub fn faults(&self) -> Vec<FaultReport> {
        self.app.faults.reports()
    }

    /// Replaces the artificial waiting.
    pub fn set_latency(&self, latency: Latency) {
        *locked(&self.app.latency) = latency;
    }

    /// Replaces costs and limits.
    pub fn set_quota(&self, quota: Quota) {
        *locked(&self.app.quota) = quota;
    }

    /// What was asked since the start or the last reset.
    pub fn stats(&self) -> Stats {
        locked(&self.app.journal).stats.clone()
    }

    /// Sets the counts to nothing and forgets the requests; violations stay.
    pub fn reset_stats(&self) {
        locked(&self.app.journal).reset();
    }

    /// The latest requests, oldest first.
    pub fn requests(&self) -> Vec<SeenRequest> {
        locked(&self.app.journal).seen.iter().cloned().collect()
    }

    /// Where requests or answers have deviated from the API description. A server that was given
    /// none reports that as a violation.
    pub fn violations(&self) -> Vec<Violation> {
        self.app.violations()
    }
}

impl Drop for LocalGmail {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}
