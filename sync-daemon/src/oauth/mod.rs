//! Access tokens: opened from the row, refreshed ahead of expiry, stored by compare and set.
//!
//! Contract: one refresh at a time for a mailbox (the lease keeps other daemons away, a mutex keeps this one's tasks
//! apart, the compare keeps an application's own refresh), and only `invalid_grant` ever disables a mailbox.

pub mod cipher;
pub mod consent;
pub mod endpoint;

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::config::Config;
use crate::failpoint;
use crate::failure::Failure;
use crate::store::{MailboxKey, Store, StoredToken};
use cipher::{Cipher, CipherError, Field};
use endpoint::{Grant, Refusal};

/// The token of one mailbox during one sync.
pub struct TokenSource {
    store: Store,
    http: reqwest::Client,
    config: Arc<Config>,
    cipher: Arc<Cipher>,
    key: MailboxKey,
    held: Mutex<Held>,
}

/// What is known of the token, opened and as stored.
struct Held {
    stored: StoredToken,
    access: Option<SecretString>,
    valid_until: Instant,
}

impl TokenSource {
    /// Opens the tokens of a row.
    ///
    /// # Errors
    /// [`Failure::Token`] when it cannot be opened.
    pub fn new(
        store: Store,
        http: reqwest::Client,
        config: Arc<Config>,
        cipher: Arc<Cipher>,
        key: MailboxKey,
        stored: StoredToken,
    ) -> Result<Self, Failure> {
        let held = Held::open(&cipher, key.user_id, stored)?;
        Ok(Self {
            store,
            http,
            config,
            cipher,
            key,
            held: Mutex::new(held),
        })
    }

    /// A token that is good for the next request.
    ///
    /// # Errors
    /// Why none can be had.
    pub async fn access(&self) -> Result<SecretString, Failure> {
        let mut held = self.held.lock().await;
        let ahead = Duration::from_secs(self.config.google.refresh_ahead_seconds);
        if let Some(token) = held.usable(ahead) {
            return Ok(token);
        }
        self.refresh(&mut held).await
    }

    /// Another token than `rejected`.
    ///
    /// # Errors
    /// Why none can be had.
    pub async fn renew(&self, rejected: &SecretString) -> Result<SecretString, Failure> {
        let mut held = self.held.lock().await;
        match held.usable(Duration::ZERO) {
            Some(token) if token.expose_secret() != rejected.expose_secret() => Ok(token),
            _ => self.refresh(&mut held).await,
        }
    }

    async fn refresh(&self, held: &mut Held) -> Result<SecretString, Failure> {
        let mut reread = false;
        loop {
            match self.ask(held).await {
                Ok(grant) => return self.keep(held, grant).await,
                Err(Refusal::InvalidGrant) if !reread && !self.switch_off(held).await? => {
                    reread = true;
                    *held = self.read_again().await?;
                }
                Err(refusal) => return Err(refusal.into_failure()),
            }
        }
    }

    /// Asks the endpoint, patiently: a passing fault costs a mailbox nothing.
    async fn ask(&self, held: &Held) -> Result<Grant, Refusal> {
        let refresh_token = held.refresh_token(&self.cipher, self.key.user_id)?;
        let mut tries = 0;
        loop {
            match endpoint::refresh(&self.http, &self.config, refresh_token.expose_secret()).await {
                Err(Refusal::Passing(_)) if tries + 1 < self.config.google.max_tries.min(4) => {
                    tokio::time::sleep(self.config.google.backoff(tries)).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Stores a new token unless someone else stored one meanwhile; then theirs counts.
    async fn keep(&self, held: &mut Held, grant: Grant) -> Result<SecretString, Failure> {
        let user = self.key.user_id;
        let access = self.cipher.seal(user, Field::Access, &grant.access_token);
        let refresh = match (&grant.refresh_token, &held.stored.refresh_token) {
            (Some(rotated), _) => Some(self.cipher.seal(user, Field::Refresh, rotated)),
            (None, Some(stored)) if self.cipher.is_outdated(stored) => {
                let opened = self
                    .cipher
                    .open(user, Field::Refresh, stored)
                    .map_err(|e| unreadable(&e))?;
                Some(self.cipher.seal(user, Field::Refresh, &opened))
            }
            _ => None,
        };
        let saved = self.store.save_token(
            self.key,
            &held.stored,
            &access,
            grant.expires_in,
            refresh.as_deref(),
        );
        if !saved.await? {
            *held = self.read_again().await?;
            if let Some(token) = held.usable(Duration::from_secs(5)) {
                return Ok(token);
            }
        }
        failpoint::pass("token_refreshed");
        held.stored.access_token = Some(access);
        held.stored.refresh_token = refresh.or_else(|| held.stored.refresh_token.take());
        held.valid_until = Instant::now() + Duration::from_secs_f64(grant.expires_in);
        held.access = Some(grant.access_token.clone());
        Ok(grant.access_token)
    }

    /// True when the integration was switched off now; false when someone reconnected it meanwhile.
    async fn switch_off(&self, held: &Held) -> Result<bool, Failure> {
        let stored = held.stored.refresh_token.as_deref();
        self.store.need_reconnect(self.key, stored).await
    }

    async fn read_again(&self) -> Result<Held, Failure> {
        let stored = self
            .store
            .read_token(self.key)
            .await?
            .ok_or(Failure::Deactivated)?;
        Held::open(&self.cipher, self.key.user_id, stored)
    }
}

impl Held {
    fn open(cipher: &Cipher, user: Uuid, stored: StoredToken) -> Result<Self, Failure> {
        let access = match stored.access_token.as_deref() {
            None | Some("") => None,
            Some(text) => Some(
                cipher
                    .open(user, Field::Access, text)
                    .map_err(|e| unreadable(&e))?,
            )
            .filter(|token| !token.expose_secret().is_empty()),
        };
        let left = stored.seconds_left.unwrap_or(0.0).clamp(0.0, 86_400.0);
        let valid_until = Instant::now() + Duration::from_secs_f64(left);
        Ok(Self {
            stored,
            access,
            valid_until,
        })
    }

    fn usable(&self, ahead: Duration) -> Option<SecretString> {
        let fresh = self.valid_until > Instant::now() + ahead;
        self.access.clone().filter(|_| fresh)
    }

    /// A row without a refresh token, or with a sealed nothing, can only be reconnected.
    fn refresh_token(&self, cipher: &Cipher, user: Uuid) -> Result<SecretString, Refusal> {
        let stored = self.stored.refresh_token.as_deref().unwrap_or_default();
        let opened = cipher
            .open(user, Field::Refresh, stored)
            .map_err(|e| Refusal::Unreadable(e.to_string()))?;
        if opened.expose_secret().is_empty() {
            return Err(Refusal::InvalidGrant);
        }
        Ok(opened)
    }
}

fn unreadable(error: &CipherError) -> Failure {
    Failure::Token(error.to_string())
}
