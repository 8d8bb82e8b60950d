//! How the events of a user are reached.

use pgrx::prelude::*;

use super::template::Template;
use crate::crm::Crm;
use crate::error::Result;

/// What the scores are made of, beside the user and the time: an index with all of it spares the
/// look at the rows. Not the subject, which may be longer than an index takes.
const COVERED: [&str; 13] = [
    "contact_id",
    "company_id",
    "id",
    "event_type",
    "direction",
    "was_replied",
    "was_opened",
    "response_time_hours",
    "sentiment_score",
    "thread_id",
    "thread_position",
    "external_id",
    "external_source",
];

/// The predicate of the index that finds automated mail.
const AUTOMATED: &str = "((metadata ->> 'automated'::text) = 'true'::text)";

/// By which index the events of a user's last 90 days are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// One on user and time that holds [`COVERED`], and one of automated mail: the rows are looked
    /// at for those subjects alone that a score tells.
    Covered,
    /// One on user and time: in one scan.
    ByTime,
    /// One on user, contact and time: contact by contact.
    ByContact,
    /// None: all events of the user are read.
    All,
}

/// A btree index.
struct Index {
    keys: Vec<String>,
    included: Vec<String>,
    predicate: Option<String>,
}

impl Index {
    fn begins(&self, with: &[&str]) -> bool {
        self.keys.len() >= with.len() && self.keys.iter().zip(with).all(|(a, b)| a == b)
    }

    fn covers(&self) -> bool {
        let holds = |column: &&str| self.keys.iter().chain(&self.included).any(|c| c == column);
        COVERED.iter().all(holds)
    }
}

const BY_TIME: [&str; 2] = ["user_id", "event_timestamp"];

impl Access {
    pub(super) fn of(crm: &Crm) -> Result<Self> {
        let Some(events) = crm.find("communication_events") else {
            return Ok(Self::ByContact);
        };
        if !matches!(events.kind.as_str(), "r" | "p" | "m") {
            // What lies behind a view is not known: hope for the usual index.
            return Ok(Self::ByContact);
        }
        let indexes = indexes(&events.qualified())?;
        let whole = || indexes.iter().filter(|index| index.predicate.is_none());
        let automated =
            |index: &Index| index.begins(&BY_TIME) && index.predicate.as_deref() == Some(AUTOMATED);
        let knows_automated = !events.has("metadata") || indexes.iter().any(automated);
        let by_time = || whole().filter(|index| index.begins(&BY_TIME));
        if by_time().any(Index::covers) && knows_automated {
            Ok(Self::Covered)
        } else if by_time().next().is_some() {
            Ok(Self::ByTime)
        } else if whole().any(|index| index.begins(&["user_id", "contact_id", "event_timestamp"])) {
            Ok(Self::ByContact)
        } else {
            Ok(Self::All)
        }
    }

    /// Fills the parts of user_gather.sql that read events; none where they are read apart.
    pub(super) fn filled<'a>(
        self,
        apart: bool,
        template: Template<'a>,
        crm: &Crm,
        keeps_newest: bool,
    ) -> Result<Template<'a>> {
        let events = match self {
            _ if apart => "SELECT",
            Self::All if !self.looks_back(keeps_newest) => {
                include_str!("../../../sql/refresh/user_events_all.sql")
            }
            Self::Covered | Self::ByTime | Self::All => {
                include_str!("../../../sql/refresh/user_events_by_time.sql")
            }
            Self::ByContact => include_str!("../../../sql/refresh/user_events_by_contact.sql"),
        };
        let user_events = if apart {
            "NULL::bytea"
        } else {
            include_str!("../../../sql/refresh/collect_user_events.sql")
        };
        let automated = if self == Self::Covered {
            include_str!("../../../sql/refresh/user_automated_events.sql")
        } else {
            "NULL::uuid[]"
        };
        Ok(template
            .with("events", Template::default().fill(events, crm)?)
            .with("user_events", self.columns().fill(user_events, crm)?)
            .with("automated", Template::default().fill(automated, crm)?))
    }

    /// What an event is told by, as user_event_columns.sql has it.
    fn columns(self) -> Template<'static> {
        let (subject, automated) = if self == Self::Covered {
            ("NULL::text", "false")
        } else {
            ("e.subject", "e.metadata ->> 'automated' = 'true'")
        };
        Template::default()
            .with("subject_or_null", subject)
            .with("automated_or_null", automated)
    }

    /// The statement that reads the events of many users at once.
    pub(super) fn together(self, crm: &Crm) -> Result<String> {
        self.columns().fill(
            include_str!("../../../sql/refresh/events_together.sql"),
            crm,
        )
    }

    /// Whether the events of the window alone are read: what lies before it is looked up for those who
    /// need it. Without an index that is one more reading of all, which is worth it where few will.
    pub(super) fn looks_back(self, keeps_newest: bool) -> bool {
        self != Self::All || keeps_newest
    }
}

/// How the time of event `e` is compared with that of `l`, which has its id as well.
pub(super) fn at_that_time(crm: &Crm) -> Result<&'static str> {
    let events = crm.find("communication_events");
    let indexes = events.map(|events| indexes(&events.qualified()));
    let indexes = indexes.transpose()?.unwrap_or_default();
    let by_id = |index: &Index| index.predicate.is_none() && index.begins(&["id"]);
    Ok(if indexes.iter().any(by_id) {
        "(e.event_timestamp = l.event_timestamp) IS TRUE"
    } else {
        "e.event_timestamp = l.event_timestamp"
    })
}

fn indexes(table: &str) -> Result<Vec<Index>> {
    // Read only: a standby explains too.
    Spi::connect(|client| {
        let rows = client.select(
            include_str!("../../../sql/refresh/event_indexes.sql"),
            None,
            &[table.into()],
        )?;
        let mut indexes = Vec::new();
        for row in rows {
            indexes.push(Index {
                keys: row.get(1)?.unwrap_or_default(),
                included: row.get(2)?.unwrap_or_default(),
                predicate: row.get(3)?,
            });
        }
        Ok(indexes)
    })
}
