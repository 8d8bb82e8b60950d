//! Who may do what: refresh tokens, access tokens and codes of the consent page.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::mix::mix;

/// The scope that a daemon should ask for.
pub const SCOPE_READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";
/// The scope that forbids `q` and aliases, even beside a wider one.
pub const SCOPE_METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";

const WIDE: [&str; 3] = [
    "https://mail.google.com/",
    "https://www.googleapis.com/auth/gmail.modify",
    SCOPE_READONLY,
];

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The mailbox.
    pub(crate) mailbox: String,
    /// The scopes, in the order of the consent.
    pub(crate) scopes: Vec<String>,
}

impl Grant {
    /// Whether it is bound by the limits of the metadata scope.
    pub(crate) fn metadata(&self) -> bool {
        self.scopes.iter().any(|scope| scope == SCOPE_METADATA)
    }

    /// Whether it may read mail at all.
    pub(crate) fn reads(&self) -> bool {
        self.metadata() || self.reads_settings()
    }

    /// Whether it may read bodies and settings, the metadata scope aside.
    pub(crate) fn reads_settings(&self) -> bool {
        self.scopes
            .iter()
            .any(|scope| WIDE.contains(&scope.as_str()))
    }
}

/// A code of the consent page, good for one exchange.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// What it stands for.
    pub(crate) grant: Grant,
    /// Where it was sent; the exchange must name the same.
    pub(crate) redirect_uri: String,
    /// PKCE's S256 challenge.
    pub(crate) challenge: Option<String>,
    /// Whether a refresh token goes with it.
    pub(crate) offline: bool,
}

impl Code {
    /// Whether the verifier is the challenge's (RFC 7636, section 4.6).
    pub(crate) fn verifies(&self, verifier: Option<&str>) -> bool {
        match (&self.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
            }
            _ => false,
        }
    }
}

/// All tokens and codes.
#[derive(Debug, Default)]
pub(crate) struct Auth {
    refresh: HashMap<String, Grant>,
    access: HashMap<String, (Grant, i64)>,
    codes: HashMap<String, Code>,
    issued: u64,
}

impl Auth {
    /// Makes a refresh token good.
    pub(crate) fn allow(&mut self, refresh_token: &str, grant: Grant) {
        self.refresh.insert(refresh_token.to_owned(), grant);
    }

    /// What a refresh token stands for.
    pub(crate) fn refresh_grant(&self, refresh_token: &str) -> Option<&Grant> {
        self.refresh.get(refresh_token)
    }

    /// A new refresh token.
    pub(crate) fn issue_refresh(&mut self, grant: Grant) -> String {
        let token = format!("1//0{}", self.opaque("refresh"));
        self.allow(&token, grant);
        token
    }

    /// A new access token, good until `expires_ms`; forgets those that are over.
    pub(crate) fn issue_access(&mut self, grant: Grant, now_ms: i64, expires_ms: i64) -> String {
        if self.access.len() >= 10_000 {
            self.access.retain(|_, (_, until)| *until > now_ms);
        }
        let token = format!("ya29.{}", self.opaque("access"));
        self.access.insert(token.clone(), (grant, expires_ms));
        token
    }

    /// A new code.
    pub(crate) fn issue_code(&mut self, code: Code) -> String {
        let name = format!("4/0{}", self.opaque("code"));
        self.codes.insert(name.clone(), code);
        name
    }

    /// Uses a code up.
    pub(crate) fn take_code(&mut self, name: &str) -> Option<Code> {
        self.codes.remove(name)
    }

    /// What an access token stands for, if it is good.
    pub(crate) fn access_grant(&self, token: &str, now_ms: i64) -> Option<Grant> {
        let (grant, until) = self.access.get(token)?;
        (*until > now_ms).then(|| grant.clone())
    }

    /// Ends the access tokens of a mailbox.
    pub(crate) fn expire_access(&mut self, mailbox: &str) {
        self.access.retain(|_, (grant, _)| grant.mailbox != mailbox);
    }

    /// Ends all tokens of a mailbox, as a user does who takes the permission away.
    pub(crate) fn revoke(&mut self, mailbox: &str) {
        self.expire_access(mailbox);
        self.refresh.retain(|_, grant| grant.mailbox != mailbox);
    }

    /// Replaces the scopes of all tokens of a mailbox.
    pub(crate) fn rescope(&mut self, mailbox: &str, scopes: &[String]) {
        let access = self.access.values_mut().map(|(grant, _)| grant);
        for grant in self.refresh.values_mut().chain(access) {
            if grant.mailbox == mailbox {
                grant.scopes = scopes.to_vec();
            }
        }
    }

    /// Ends one token and what hangs on it; false if it is unknown.
    pub(crate) fn revoke_token(&mut self, token: &str) -> bool {
        let access = self.access.get(token).map(|(grant, _)| grant);
        let owner = self
            .refresh
            .get(token)
            .or(access)
            .map(|grant| grant.mailbox.clone());
        owner.inspect(|mailbox| self.revoke(mailbox)).is_some()
    }

    fn opaque(&mut self, purpose: &str) -> String {
        self.issued += 1;
        let number = mix(self.issued);
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose} {number:x}")))
    }
}
