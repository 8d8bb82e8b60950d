//! The generic webhook: JSON with a stable schema, signed.

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use super::message::Outgoing;
use crate::store::{Attention, Notification};

/// When the post was signed, in seconds of the epoch.
pub(super) const TIMESTAMP: &str = "x-crm-health-timestamp";
/// The signature.
pub(super) const SIGNATURE: &str = "x-crm-health-signature";
/// Id of the message: the same when it is repeated.
pub(super) const DELIVERY: &str = "x-crm-health-delivery";

/// The body.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    /// Of this schema: a greater one may lack what this one has.
    version: u8,
    delivery_id: Uuid,
    channel: &'a str,
    sent_at: DateTime<Utc>,
    #[serde(rename = "type")]
    kind: &'static str,
    notifications: &'a [Notification],
    attention: &'a [Attention],
}

impl<'a> Body<'a> {
    pub(super) fn new(
        outgoing: &Outgoing<'a>,
        channel: &'a str,
        delivery_id: Uuid,
        sent_at: DateTime<Utc>,
    ) -> Self {
        let (kind, notifications, attention): (_, &[Notification], &[Attention]) = match *outgoing {
            Outgoing::Batch(batch) => ("notifications", &batch.items, &[]),
            Outgoing::Digest { listed, .. } => ("daily_digest", &[], listed),
            Outgoing::Test => ("test", &[], &[]),
        };
        Self {
            version: 1,
            delivery_id,
            channel,
            sent_at,
            kind,
            notifications,
            attention,
        }
    }
}

/// The signature of a body sent at `timestamp` (seconds of the epoch): `v1=` and the HMAC-SHA256 of
/// `timestamp.body` in hexadecimal digits.
#[must_use]
pub fn sign(secret: &SecretString, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let digits: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("v1={digits}")
}
