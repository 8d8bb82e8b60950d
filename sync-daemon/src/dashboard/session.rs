//! Who is signed in: a cookie that this process signed, and a budget for wrong secrets.
//!
//! Contract: the secret is never stored, sent or logged; a session ends after twelve hours, with a sign-out, with another
//! secret, and with the process. A cookie is worth nothing to another daemon.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// Name of the cookie.
pub(super) const COOKIE: &str = "crm_health_dashboard";

/// Life of a session.
pub(super) const LIFE: Duration = Duration::from_secs(12 * 3600);

/// Wrong secrets that may be tried at once.
const BUDGET: f64 = 10.0;

/// Seconds after which one more may be tried.
const SECONDS_A_TRY: f64 = 6.0;

/// The signing key of this process, and the sessions that ended early.
pub(super) struct Sessions {
    key: [u8; 32],
    ended: Mutex<HashMap<String, u64>>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            key: rand::random(),
            ended: Mutex::default(),
        }
    }

    /// The value of a cookie that is good until `now` + [`LIFE`]. `now`: seconds since 1970.
    pub(super) fn issue(&self, secret: &str, now: u64) -> String {
        let nonce: [u8; 16] = rand::random();
        let claim = format!("{}.{}", now + LIFE.as_secs(), URL_SAFE_NO_PAD.encode(nonce));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(secret, &claim).finalize().into_bytes());
        format!("{claim}.{signature}")
    }

    /// Whether the cookie is one of ours, for the current secret, and not over.
    pub(super) fn is_good(&self, secret: &str, cookie: &str, now: u64) -> bool {
        let Some((claim, signature)) = cookie.rsplit_once('.') else {
            return false;
        };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        // In constant time.
        let is_ours = self.mac(secret, claim).verify_slice(&signature).is_ok();
        is_ours && expiry(claim).is_some_and(|at| at > now) && !self.ended().contains_key(claim)
    }

    /// Ends a session that is good.
    pub(super) fn end(&self, secret: &str, cookie: &str, now: u64) {
        if !self.is_good(secret, cookie, now) {
            return;
        }
        let mut ended = self.ended();
        ended.retain(|_, expiry| *expiry > now);
        if let Some((claim, _)) = cookie.rsplit_once('.') {
            ended.insert(claim.to_owned(), expiry(claim).unwrap_or_default());
        }
    }

    fn ended(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.ended
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The secret is part of the key: another one ends all sessions.
    fn mac(&self, secret: &str, claim: &str) -> Hmac<Sha256> {
        let key = Sha256::new()
            .chain_update(self.key)
            .chain_update(secret)
            .finalize();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
        mac.update(claim.as_bytes());
        mac
    }
}

fn expiry(claim: &str) -> Option<u64> {
    claim.split_once('.')?.0.parse().ok()
}

/// How many wrong secrets may still be tried, whoever tries: an address would not tell people apart behind a proxy.
pub(super) struct Attempts(Mutex<(f64, Instant)>);

impl Attempts {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new((BUDGET, now)))
    }

    /// Takes one try, or says after how long there will be one.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (left, since) = *state;
        let gained = now.saturating_duration_since(since).as_secs_f64() / SECONDS_A_TRY;
        let left = (left + gained).min(BUDGET);
        let taken = left >= 1.0;
        *state = (if taken { left - 1.0 } else { left }, now);
        if taken {
            Ok(())
        } else {
            Err(Duration::from_secs_f64((1.0 - left) * SECONDS_A_TRY))
        }
    }

    /// A right secret costs nothing.
    pub(super) fn give_back(&self) {
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        state.0 = (state.0 + 1.0).min(BUDGET);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-of-the-tests";

    #[test]
    fn a_cookie_is_good_until_it_is_over() {
        let sessions = Sessions::new();
        let cookie = sessions.issue(SECRET, 1000);
        assert!(sessions.is_good(SECRET, &cookie, 1000 + LIFE.as_secs() - 1));
        assert!(!sessions.is_good(SECRET, &cookie, 1000 + LIFE.as_secs()));
    }

    #[test]
    fn a_cookie_that_was_changed_or_comes_from_elsewhere_is_refused() {
        let sessions = Sessions::new();
        let cookie = sessions.issue(SECRET, 1000);
        let later = cookie.replacen(|c: char| c.is_ascii_digit(), "9", 1);
        let (claim, _) = cookie.rsplit_once('.').expect("a signature");
        for wrong in [
            "",
            ".",
            "..",
            &later,
            claim,
            &format!("{claim}."),
            &format!("{claim}.AAAA"),
        ] {
            assert!(!sessions.is_good(SECRET, wrong, 1000), "{wrong}");
        }
        assert!(!sessions.is_good("another-secret-of-tests", &cookie, 1000));
        assert!(!Sessions::new().is_good(SECRET, &cookie, 1000));
    }

    #[test]
    fn a_session_that_was_ended_stays_ended_and_others_go_on() {
        let sessions = Sessions::new();
        let (one, other) = (sessions.issue(SECRET, 1000), sessions.issue(SECRET, 1000));
        sessions.end(SECRET, &one, 1001);
        assert!(!sessions.is_good(SECRET, &one, 1002));
        assert!(sessions.is_good(SECRET, &other, 1002));
    }

    #[test]
    fn tries_run_out_and_come_back_one_by_one() {
        let start = Instant::now();
        let attempts = Attempts::new(start);
        for _ in 0..10 {
            assert_eq!(attempts.take(start), Ok(()));
        }
        let wait = attempts.take(start).expect_err("none is left");
        assert_eq!(wait.as_secs(), 6);
        assert!(attempts.take(start + Duration::from_secs(5)).is_err());
        assert_eq!(attempts.take(start + Duration::from_secs(7)), Ok(()));
        assert!(attempts.take(start + Duration::from_secs(7)).is_err());
        attempts.give_back();
        assert_eq!(attempts.take(start + Duration::from_secs(7)), Ok(()));
    }
}
