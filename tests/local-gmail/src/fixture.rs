//! Mailboxes from a JSON file.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Grant;
use crate::error::AdminError;
use crate::generator::Generate;
use crate::lock::locked;
use crate::message::NewMessage;

/// The content of a fixture file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fixture {
    /// Mailboxes, none of which may exist yet.
    pub mailboxes: Vec<MailboxFixture>,
}

/// One mailbox of a fixture.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxFixture {
    /// Its address.
    pub address: String,
    /// One more refresh token that is good for it, besides the one that every mailbox has.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// The scopes of its tokens; `gmail.readonly` if absent.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Other addresses that its owner sends from.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Mail, put in in this order.
    #[serde(default)]
    pub messages: Vec<NewMessage>,
    /// Mail in bulk, put in behind the rest.
    #[serde(default)]
    pub generate: Option<Generate>,
}

/// Adds the mailboxes of a fixture.
pub(crate) fn load(app: &App, fixture: Fixture) -> Result<(), AdminError> {
    fixture
        .mailboxes
        .into_iter()
        .try_for_each(|mailbox| add(app, mailbox))
}

/// Adds one mailbox.
pub(crate) fn add(app: &App, fixture: MailboxFixture) -> Result<(), AdminError> {
    let address = fixture.address.to_lowercase();
    let standard_token = app.add_mailbox(&address)?;
    if let Some(token) = fixture.refresh_token {
        let grant = locked(&app.auth).refresh_grant(&standard_token).cloned();
        let scopes = grant.map(|grant| grant.scopes).unwrap_or_default();
        locked(&app.auth).allow(
            &token,
            Grant {
                mailbox: address.clone(),
                scopes,
            },
        );
    }
    if let Some(scopes) = fixture.scopes {
        app.set_scopes(&address, &scopes)?;
    }
    app.with(&address, |mailbox| mailbox.aliases = fixture.aliases)?;
    for message in fixture.messages {
        app.add_message(&address, message)?;
    }
    fixture
        .generate
        .map_or(Ok(()), |settings| app.generate(&address, settings))
}
