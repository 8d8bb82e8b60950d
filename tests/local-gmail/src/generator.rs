//! Mail in bulk, the same from the same seed. A message is made when it is asked for, so that
//! 100,000 of them cost a mailbox a few megabytes.
//!
//! Threads have three messages; correspondent and subject belong to the thread, the direction
//! alternates within it. Messages are spread evenly over the span, newest last. The headers come
//! to about 6 KB a message, as in real mail.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::rfc2822;
use crate::error::AdminError;
use crate::message::{Header, Labels, Text};
use crate::mix::mix;

const THREAD_LENGTH: u32 = 3;
const SUBJECTS: [&str; 6] = [
    "Renewal terms",
    "Proposal for the second phase",
    "Security questionnaire",
    "Rollout plan",
    "Pricing for 250 seats",
    "Kick-off agenda",
];

/// What to generate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Generate {
    /// How many messages.
    pub count: u32,
    /// The same seed and settings give the same mail.
    pub seed: u64,
    /// Addresses on the other side; invented ones at `example.net` if empty.
    pub correspondents: Vec<String>,
    /// The time that the mail is spread over, in hours, above 0.
    pub span_hours: f64,
    /// The end of that time, in epoch milliseconds; the server's present if absent.
    pub until_ms: Option<i64>,
    /// Share of newsletters and the like among the received, in percent.
    pub automated_percent: u8,
    /// Share of drafts among the sent, in percent.
    pub draft_percent: u8,
}

impl Default for Generate {
    fn default() -> Self {
        Self {
            count: 50,
            seed: 1,
            correspondents: Vec::new(),
            span_hours: 24.0,
            until_ms: None,
            automated_percent: 0,
            draft_percent: 0,
        }
    }
}

/// A checked [`Generate`] for one mailbox, with the label sets that its messages share.
#[derive(Debug)]
pub(crate) struct Recipe {
    settings: Generate,
    owner: String,
    until_ms: i64,
    received: Labels,
    sent: Labels,
    draft: Labels,
}

/// What kind of message the recipe gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Received,
    Automated,
    Sent,
    Draft,
}

impl Recipe {
    /// Checks the settings.
    pub(crate) fn new(settings: Generate, owner: &str, now_ms: i64) -> Result<Self, AdminError> {
        if !settings.span_hours.is_finite() || settings.span_hours <= 0.0 {
            return Err(AdminError::BadRecipe("span_hours must be above 0"));
        }
        if settings.automated_percent > 100 || settings.draft_percent > 100 {
            return Err(AdminError::BadRecipe("a percentage is above 100"));
        }
        let set = |labels: &[&str]| labels.iter().map(|&l| l.to_owned()).collect::<Labels>();
        Ok(Self {
            until_ms: settings.until_ms.unwrap_or(now_ms),
            settings,
            owner: owner.to_owned(),
            received: set(&["INBOX", "UNREAD", "CATEGORY_PERSONAL"]),
            sent: set(&["SENT"]),
            draft: set(&["DRAFT"]),
        })
    }

    /// How many messages.
    pub(crate) fn count(&self) -> u32 {
        self.settings.count
    }

    /// The number of the message's thread.
    pub(crate) fn thread(&self, index: u32) -> u32 {
        index / THREAD_LENGTH
    }

    /// Epoch milliseconds of arrival, ascending with the index.
    pub(crate) fn internal_date_ms(&self, index: u32) -> i64 {
        let span_ms = self.settings.span_hours * 3_600_000.0;
        let left = f64::from(self.settings.count - index) / f64::from(self.settings.count + 1);
        self.until_ms - (span_ms * left) as i64
    }

    /// Its labels.
    pub(crate) fn labels(&self, index: u32) -> Labels {
        Arc::clone(match self.kind(index) {
            Kind::Received | Kind::Automated => &self.received,
            Kind::Sent => &self.sent,
            Kind::Draft => &self.draft,
        })
    }

    /// Headers and texts.
    pub(crate) fn text(&self, index: u32) -> Text {
        let subject = self.subject(index);
        let body = format!("{subject}: message {index} of {}.\r\n", self.settings.count);
        Text {
            headers: self.headers(index, &subject),
            snippet: body.trim().to_owned(),
            body,
        }
    }

    fn kind(&self, index: u32) -> Kind {
        let sent = index % THREAD_LENGTH == 1;
        let percent = (self.number(index, 1) % 100) as u8;
        match sent {
            true if percent < self.settings.draft_percent => Kind::Draft,
            true => Kind::Sent,
            false if percent < self.settings.automated_percent => Kind::Automated,
            false => Kind::Received,
        }
    }

    fn number(&self, index: u32, purpose: u64) -> u64 {
        mix(mix(self.settings.seed ^ (purpose << 40)) ^ u64::from(index))
    }

    fn subject(&self, index: u32) -> String {
        let thread = self.thread(index);
        let subject = SUBJECTS[(self.number(thread, 2) % SUBJECTS.len() as u64) as usize];
        let reply = if index.is_multiple_of(THREAD_LENGTH) {
            ""
        } else {
            "Re: "
        };
        format!("{reply}{subject} #{thread}")
    }

    fn correspondent(&self, index: u32) -> String {
        let number = self.number(self.thread(index), 3);
        match self.settings.correspondents.as_slice() {
            [] => format!("contact{}@example.net", number % 200),
            some => some[(number % some.len() as u64) as usize].clone(),
        }
    }

    fn message_id(&self, index: u32) -> String {
        format!("<{:016x}.{index}@mail.example.net>", self.number(index, 4))
    }

    fn headers(&self, index: u32, subject: &str) -> Vec<Header> {
        let (us, them) = (self.owner.clone(), self.correspondent(index));
        let kind = self.kind(index);
        let (from, to) = if matches!(kind, Kind::Sent | Kind::Draft) {
            (us, them)
        } else {
            (them, us)
        };
        let mut headers = self.transport_headers(index, &to);
        let mut push = |name: &str, value: String| headers.push((name.to_owned(), value));
        push("From", from);
        push("To", to);
        push("Subject", subject.to_owned());
        push("Date", rfc2822(self.internal_date_ms(index)));
        push("Message-ID", self.message_id(index));
        if !index.is_multiple_of(THREAD_LENGTH) {
            push("In-Reply-To", self.message_id(index - 1));
            push("References", self.message_id(index - index % THREAD_LENGTH));
        }
        if kind == Kind::Automated {
            push("List-Unsubscribe", "<mailto:leave@example.net>".to_owned());
            push("Precedence", "bulk".to_owned());
        }
        push("Content-Type", "text/plain; charset=UTF-8".to_owned());
        headers
    }

    /// The bulk of real headers: relays, signatures, verdicts.
    fn transport_headers(&self, index: u32, to: &str) -> Vec<Header> {
        let date = rfc2822(self.internal_date_ms(index));
        let blob = |purpose: u64, words: u64| -> String {
            (0..words)
                .map(|i| format!("{:016x}", self.number(index, purpose + i)))
                .collect()
        };
        let relay = |hop: u64| {
            format!(
                "by 2002:a17:{hop:04x} with SMTP id {}; {date}",
                blob(100 + hop, 3)
            )
        };
        let mut headers = vec![("Delivered-To".to_owned(), to.to_owned())];
        headers.extend((0..5).map(|hop| ("Received".to_owned(), relay(hop))));
        let signatures = [
            "DKIM-Signature",
            "X-Google-DKIM-Signature",
            "ARC-Message-Signature",
        ];
        for (n, name) in (0_u64..).zip(signatures) {
            let value = format!(
                "v=1; a=rsa-sha256; d=example.net; b={}",
                blob(200 + 100 * n, 50)
            );
            headers.push((name.to_owned(), value));
        }
        headers.push(("ARC-Seal".to_owned(), format!("i=1; b={}", blob(600, 40))));
        headers.push(("X-Gm-Message-State".to_owned(), blob(700, 30)));
        headers
    }
}
