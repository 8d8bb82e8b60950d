//! What is read of the mood of mail, and by which model.

use secrecy::SecretString;
use serde::Deserialize;

use super::Config;

/// `[sentiment]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentiment {
    /// Whether mail is read for its mood.
    pub enabled: bool,
    /// Whether mail that the user sent is read too.
    pub sent_mail: bool,
    /// Whether subjects are read where `sync.keep_subjects` says that none is kept.
    pub read_subjects_not_kept: bool,
    /// Whether Gmail's snippet is read beside the subject.
    pub read_snippets: bool,
}

/// `[anthropic]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anthropic {
    /// Base of the API, without a trailing slash.
    pub base_url: String,
    /// The header `anthropic-version`.
    pub version: String,
    /// The model.
    pub model: String,
    /// USD for a million tokens sent.
    pub input_usd_per_million: f64,
    /// USD for a million tokens received.
    pub output_usd_per_million: f64,
    /// USD that a day (UTC) may cost, over all daemons of the database.
    pub daily_cap_usd: f64,
    /// Requests a minute, over all daemons of the database.
    pub requests_per_minute: u32,
    /// Mails in one request.
    pub batch_size: usize,
    /// Mails of one mailbox in one run.
    pub max_mails_per_run: u32,
    /// Days; older mail is not read.
    pub max_age_days: i32,
    /// Seconds that reading may hold one mailbox.
    pub max_seconds_per_mailbox: u64,
    /// Seconds for one request.
    pub request_timeout_seconds: u64,
    /// Tries for one request.
    pub max_tries: u32,
    /// First backoff in milliseconds.
    pub backoff_first_ms: u64,
    /// Largest backoff in milliseconds.
    pub backoff_cap_ms: u64,
    /// Whether the lexicon reads while the API fails or the day's cost is used up.
    pub lexicon_stands_in: bool,
}

impl Anthropic {
    /// What tokens cost, USD.
    #[must_use]
    pub fn price(&self, usage: crate::anthropic::Usage) -> f64 {
        let price = |tokens: u64, per_million: f64| tokens as f64 * per_million / 1e6;
        price(usage.input_tokens, self.input_usd_per_million)
            + price(usage.output_tokens, self.output_usd_per_million)
    }
}

impl Config {
    /// Whether subjects are asked for at all: to be stored, or to be read and forgotten.
    #[must_use]
    pub fn reads_subjects(&self) -> bool {
        self.sync.keep_subjects || self.sentiment.enabled && self.sentiment.read_subjects_not_kept
    }

    /// The key of the language model that reads mail; none if the lexicon does, or nobody.
    #[must_use]
    pub fn anthropic_key(&self) -> Option<&SecretString> {
        let key = self.secrets.anthropic_key.as_ref();
        key.filter(|_| self.sentiment.enabled)
    }

    /// Whether snippets are asked for: to be read and forgotten.
    #[must_use]
    pub fn reads_snippets(&self) -> bool {
        self.sentiment.enabled && self.sentiment.read_snippets
    }
}
