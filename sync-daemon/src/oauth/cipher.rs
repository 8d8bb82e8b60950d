//! Tokens at rest: `enc:v1:<key id>:<base64 of nonce and ciphertext>`, XChaCha20-Poly1305, bound to user and column.
//!
//! Without a key tokens are stored as they are. Rows that an application wrote in the clear are read, and sealed with
//! the next write.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const MARK: &str = "enc:v1:";
const NONCE_LENGTH: usize = 24;

/// Why a token cannot be opened, or a key not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// The key is not 32 bytes in base64.
    #[error(
        "CRM_HEALTH_TOKEN_KEY must be 32 bytes in base64 (several: the current one first, separated by commas); make one with: openssl rand -base64 32"
    )]
    BadKey,
    /// Sealed under a key that is not configured.
    #[error("it is sealed under key {0}, which is not among the configured keys")]
    UnknownKey(String),
    /// Not in the format, cut, or moved from another row.
    #[error("it is damaged or belongs to another row")]
    Damaged,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// Which of the two tokens of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `access_token`
    Access,
    /// `refresh_token`
    Refresh,
}

/// The configured keys: the first seals, all open.
#[derive(Default)]
pub struct Cipher {
    keys: Vec<Key>,
}

impl Cipher {
    /// Reads the keys; `None` stores in the clear.
    ///
    /// # Errors
    /// [`CipherError::BadKey`]
    pub fn new(keys: Option<&SecretString>) -> Result<Self, CipherError> {
        let Some(keys) = keys else {
            return Ok(Self::default());
        };
        let text = keys.expose_secret();
        let parts = text
            .split([',', '\n'])
            .map(str::trim)
            .filter(|p| !p.is_empty());
        let keys = parts.map(read_key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            Err(CipherError::BadKey)
        } else {
            Ok(Self { keys })
        }
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn current_key(&self) -> Option<&str> {
        self.keys.first().map(|k| k.id.as_str())
    }

    /// Seals a token for its row and column.
    #[must_use]
    pub fn seal(&self, user: Uuid, field: Field, token: &SecretString) -> String {
        let Some(key) = self.keys.first() else {
            return token.expose_secret().to_owned();
        };
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let bound = binding(user, field);
        let payload = Payload {
            msg: token.expose_secret().as_bytes(),
            aad: &bound,
        };
        match key.cipher.encrypt(&XNonce::from(nonce), payload) {
            Ok(sealed) => {
                let bytes = [nonce.as_slice(), &sealed].concat();
                format!("{MARK}{}:{}", key.id, STANDARD.encode(bytes))
            }
            // Only a message of 256 GB makes this cipher fail.
            Err(_) => String::new(),
        }
    }

    /// Opens a stored token; what is not sealed is returned as it is.
    ///
    /// # Errors
    /// An unknown key, or a value that was changed or moved.
    pub fn open(
        &self,
        user: Uuid,
        field: Field,
        stored: &str,
    ) -> Result<SecretString, CipherError> {
        let Some(rest) = stored.strip_prefix(MARK) else {
            return Ok(stored.to_owned().into());
        };
        let (id, text) = rest.split_once(':').ok_or(CipherError::Damaged)?;
        let key = self.keys.iter().find(|k| k.id == id);
        let key = key.ok_or_else(|| CipherError::UnknownKey(id.chars().take(16).collect()))?;
        let bytes = STANDARD.decode(text).map_err(|_| CipherError::Damaged)?;
        let (nonce, sealed) = bytes
            .split_at_checked(NONCE_LENGTH)
            .ok_or(CipherError::Damaged)?;
        let nonce: [u8; NONCE_LENGTH] = nonce.try_into().map_err(|_| CipherError::Damaged)?;
        let bound = binding(user, field);
        let opened = key.cipher.decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: sealed,
                aad: &bound,
            },
        );
        let opened = opened.map_err(|_| CipherError::Damaged)?;
        String::from_utf8(opened)
            .map(SecretString::from)
            .map_err(|_| CipherError::Damaged)
    }

    /// Whether a stored value should be rewritten: a key is configured and it is not sealed under the current one.
    #[must_use]
    pub fn is_outdated(&self, stored: &str) -> bool {
        self.current_key()
            .is_some_and(|id| !stored.starts_with(&format!("{MARK}{id}:")))
    }
}

fn read_key(text: &str) -> Result<Key, CipherError> {
    let bytes = STANDARD.decode(text).map_err(|_| CipherError::BadKey)?;
    let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| CipherError::BadKey)?;
    let digest = Sha256::digest(&bytes);
    let id = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    Ok(Key { id, cipher })
}

fn binding(user: Uuid, field: Field) -> Vec<u8> {
    let name = match field {
        Field::Access => "access_token",
        Field::Refresh => "refresh_token",
    };
    format!("crm-health:{user}:{name}").into_bytes()
}
