//! A call of the Gmail API as it came in.

use crate::app::App;
use crate::auth::Grant;
use crate::faults::{Endpoint, Place};
use crate::lock::locked;

/// A call as it came in.
#[derive(Debug)]
pub(crate) struct Call {
    /// GET, …
    pub(crate) verb: String,
    /// The path, without the query.
    pub(crate) path: String,
    /// The query, decoded, in order.
    pub(crate) query: Vec<(String, String)>,
    /// The access token.
    pub(crate) token: Option<String>,
    /// Alone or in a batch.
    pub(crate) place: Place,
    /// Whether it comes while too many others of its mailbox run.
    pub(crate) crowded: bool,
}

impl Call {
    /// Reads path and query of a request target.
    pub(crate) fn new(verb: &str, target: &str, token: Option<String>, place: Place) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let in_query = query.iter().find(|(name, _)| name == "access_token");
        let token = token.or_else(|| in_query.map(|(_, token)| token.clone()));
        let (verb, path) = (verb.to_owned(), path.to_owned());
        Self {
            verb,
            path,
            query,
            token,
            place,
            crowded: false,
        }
    }

    /// Path and query for the journal, without a token.
    pub(crate) fn target(&self) -> String {
        let open = self.query.iter().filter(|(name, _)| name != "access_token");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(open)
            .finish();
        if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{query}", self.path)
        }
    }

    /// The endpoint, the user and the message of the path.
    pub(crate) fn route(&self) -> Option<(Endpoint, &str, Option<&str>)> {
        if self.verb != "GET" {
            return None;
        }
        let parts: Vec<&str> = self
            .path
            .strip_prefix("/gmail/v1/users/")?
            .split('/')
            .collect();
        Some(match parts.as_slice() {
            [user, "profile"] => (Endpoint::Profile, user, None),
            [user, "messages"] => (Endpoint::List, user, None),
            [user, "messages", id] => (Endpoint::Get, user, Some(id)),
            [user, "history"] => (Endpoint::History, user, None),
            [user, "settings", "sendAs"] => (Endpoint::SendAs, user, None),
            _ => return None,
        })
    }

    /// What the call's token stands for, if it is good.
    pub(crate) fn grant(&self, app: &App) -> Option<Grant> {
        locked(&app.auth).access_grant(self.token.as_deref()?, app.clock.now_ms())
    }
}
