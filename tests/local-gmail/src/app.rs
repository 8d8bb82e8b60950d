//! The state that all requests share, and what the admin side does to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::auth::{Auth, Grant, SCOPE_READONLY};
use crate::clock::Clock;
use crate::config::{Config, Latency, Quota};
use crate::discovery::Discovery;
use crate::error::{AdminError, StartError};
use crate::fault_book::FaultBook;
use crate::generator::{Generate, Recipe};
use crate::ids::{parse_id, write_id};
use crate::lock::locked;
use crate::mailbox::Mailbox;
use crate::message::NewMessage;
use crate::meter::Meter;
use crate::stats::{Journal, Violation};

/// One server.
#[derive(Debug)]
pub(crate) struct App {
    /// What does not change while it runs.
    pub(crate) config: Config,
    /// Its time.
    pub(crate) clock: Clock,
    /// Waiting, as it stands now.
    pub(crate) latency: Mutex<Latency>,
    /// Costs and limits, as they stand now.
    pub(crate) quota: Mutex<Quota>,
    /// Tokens.
    pub(crate) auth: Mutex<Auth>,
    /// Units and calls under way.
    pub(crate) meter: Meter,
    /// Faults to come.
    pub(crate) faults: FaultBook,
    /// What was asked.
    pub(crate) journal: Mutex<Journal>,
    /// The API description, if there is one to check against.
    pub(crate) discovery: Option<Discovery>,
    mailboxes: Mutex<BTreeMap<String, Arc<Mutex<Mailbox>>>>,
}

impl App {
    /// A server without mailboxes.
    pub(crate) fn new(config: Config) -> Result<Self, StartError> {
        let load = |path: &std::path::PathBuf| {
            Discovery::load(path).map_err(|reason| StartError::Discovery {
                path: path.clone(),
                reason,
            })
        };
        Ok(Self {
            discovery: config.discovery.as_ref().map(load).transpose()?,
            clock: Clock::default(),
            latency: Mutex::new(config.latency),
            quota: Mutex::new(config.quota),
            auth: Mutex::default(),
            meter: Meter::default(),
            faults: FaultBook::default(),
            journal: Mutex::default(),
            mailboxes: Mutex::default(),
            config,
        })
    }

    /// A mailbox, if there is one; addresses do not mind case.
    pub(crate) fn find(&self, address: &str) -> Option<Arc<Mutex<Mailbox>>> {
        locked(&self.mailboxes)
            .get(&address.to_lowercase())
            .cloned()
    }

    /// All addresses, in order.
    pub(crate) fn addresses(&self) -> Vec<String> {
        locked(&self.mailboxes).keys().cloned().collect()
    }

    /// Adds a mailbox and gives its refresh token.
    pub(crate) fn add_mailbox(&self, address: &str) -> Result<String, AdminError> {
        let address = address.to_lowercase();
        let mut mailboxes = locked(&self.mailboxes);
        if mailboxes.contains_key(&address) {
            return Err(AdminError::TakenMailbox(address));
        }
        let token = default_refresh_token(&address);
        let grant = Grant {
            mailbox: address.clone(),
            scopes: vec![SCOPE_READONLY.to_owned()],
        };
        locked(&self.auth).allow(&token, grant);
        mailboxes.insert(
            address.clone(),
            Arc::new(Mutex::new(Mailbox::new(&address))),
        );
        Ok(token)
    }

    /// Works on a mailbox.
    pub(crate) fn with<T>(
        &self,
        address: &str,
        work: impl FnOnce(&mut Mailbox) -> T,
    ) -> Result<T, AdminError> {
        let mailbox = self.find(address);
        let mailbox = mailbox.ok_or_else(|| AdminError::UnknownMailbox(address.to_owned()))?;
        let mut mailbox = locked(&mailbox);
        Ok(work(&mut mailbox))
    }

    /// Puts a message into a mailbox and gives its id.
    pub(crate) fn add_message(&self, address: &str, new: NewMessage) -> Result<String, AdminError> {
        let now_ms = self.clock.now_ms();
        self.with(address, |mailbox| mailbox.add(new, now_ms))?
            .map(write_id)
    }

    /// Fills a mailbox; gives the ids, newest first, of the whole mailbox's last `count`.
    pub(crate) fn generate(&self, address: &str, settings: Generate) -> Result<(), AdminError> {
        let now_ms = self.clock.now_ms();
        self.with(address, |mailbox| {
            let recipe = Arc::new(Recipe::new(settings, &mailbox.address, now_ms)?);
            mailbox.generate(&recipe);
            Ok(())
        })?
    }

    /// Adds and removes labels.
    pub(crate) fn change_labels(
        &self,
        address: &str,
        id: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<(), AdminError> {
        let id = known_id(id)?;
        self.with(address, |mailbox| mailbox.change_labels(id, add, remove))?
    }

    /// Deletes a message for good.
    pub(crate) fn delete_message(&self, address: &str, id: &str) -> Result<(), AdminError> {
        let id = known_id(id)?;
        self.with(address, |mailbox| mailbox.delete(id))?
    }

    /// Replaces the scopes of a mailbox's tokens.
    pub(crate) fn set_scopes(&self, address: &str, scopes: &[String]) -> Result<(), AdminError> {
        let mailbox = self.with(address, |mailbox| mailbox.address.clone())?;
        locked(&self.auth).rescope(&mailbox, scopes);
        Ok(())
    }

    /// Ends the access tokens of a mailbox.
    pub(crate) fn expire_tokens(&self, address: &str) -> Result<(), AdminError> {
        let mailbox = self.with(address, |mailbox| mailbox.address.clone())?;
        locked(&self.auth).expire_access(&mailbox);
        Ok(())
    }

    /// Ends all tokens of a mailbox.
    pub(crate) fn revoke(&self, address: &str) -> Result<(), AdminError> {
        let mailbox = self.with(address, |mailbox| mailbox.address.clone())?;
        locked(&self.auth).revoke(&mailbox);
        Ok(())
    }

    /// Deviations so far; without an API description that itself is one, so that no test can
    /// pass for want of a check.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        if self.discovery.is_none() {
            return vec![Violation {
                request: String::new(),
                fault: "no API description was given, so nothing was checked".to_owned(),
            }];
        }
        locked(&self.journal).violations.clone()
    }
}

/// The refresh token that a mailbox has from the start.
pub(crate) fn default_refresh_token(address: &str) -> String {
    format!("1//0local-{}", address.to_lowercase())
}

fn known_id(id: &str) -> Result<u64, AdminError> {
    parse_id(id).ok_or_else(|| AdminError::BadId(id.to_owned()))
}
