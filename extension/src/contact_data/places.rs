//! Where something of a contact may be. A test has docs/data-protection.md name every table of the project; one that is
//! new and holds something of a contact is named here as well.

/// Rows that are the contact's own, in the order in which they can go. `{scores}` is the table of
/// relationship scores, `$1` the contact.
pub(super) const OWN_ROWS: [(&str, &str); 7] = [
    (
        "ghost_detection_signals",
        "t.relationship_health_id IN (SELECT s.id FROM {scores} s WHERE s.contact_id = $1)",
    ),
    (
        "relationship_health_history",
        "t.relationship_health_id IN (SELECT s.id FROM {scores} s WHERE s.contact_id = $1)",
    ),
    ("relationship_health_scores", "t.contact_id = $1"),
    ("communication_events", "t.contact_id = $1"),
    // After the events: a trigger of theirs marks the streams that they belonged to.
    ("contact_streams", "t.target_id = $1"),
    ("meeting_contacts", "t.contact_id = $1"),
    ("contacts", "t.id = $1"),
];

/// Other rows of the user, which may mention the contact.
pub(super) struct Mention {
    pub(super) table: &'static str,
    /// The column of the user.
    pub(super) user: &'static str,
    /// What may hold a name or an address: free text, or JSON with some in it. In score tables and in
    /// those of alerts and signals there is no other; codes stay as they are.
    pub(super) texts: &'static [&'static str],
    /// Text columns that are told of, but not changed: they may be the application's own, unless they hold
    /// these codes and ids.
    pub(super) codes: Option<&'static [&'static str]>,
}

pub(super) const MENTIONS: [Mention; 7] = [
    Mention {
        table: "communication_events",
        user: "user_id",
        texts: &[
            "subject",
            "snippet",
            "body",
            "notes",
            "summary",
            "metadata",
            "key_topics",
            "action_items",
        ],
        codes: Some(&[
            "event_type",
            "direction",
            "sentiment_label",
            "thread_id",
            "external_id",
            "external_source",
            "sync_source",
            "ai_model",
            "urgency",
        ]),
    },
    Mention {
        table: "relationship_health_scores",
        user: "user_id",
        texts: &["ghost_signals", "last_meaningful_interaction"],
        codes: None,
    },
    Mention {
        table: "ghost_detection_signals",
        user: "user_id",
        texts: &["signal_context", "signal_data"],
        codes: None,
    },
    Mention {
        table: "deal_health_alerts",
        user: "user_id",
        texts: &["title", "message", "suggested_actions", "metadata"],
        codes: None,
    },
    Mention {
        table: "meetings",
        user: "owner_user_id",
        texts: &["title", "description", "notes", "summary", "location"],
        codes: Some(&["type", "status"]),
    },
    Mention {
        table: "activities",
        user: "user_id",
        texts: &["subject", "description", "notes", "details"],
        codes: Some(&["type", "status"]),
    },
    Mention {
        table: "deals",
        user: "owner_id",
        texts: &["name", "company", "description", "notes", "next_steps"],
        codes: Some(&["status"]),
    },
];

/// What stands under these keys in JSON is a code, not text.
pub(super) const CODE_KEYS: [&str; 11] = [
    "type",
    "event_type",
    "signal_type",
    "alert_type",
    "rule_name",
    "severity",
    "direction",
    "status",
    "previous",
    "automated",
    "said",
];

/// Where other users may have rows of the contact: on other servers, where Citus spreads them.
pub(super) const COLLEAGUES: [&str; 2] = ["communication_events", "relationship_health_scores"];
/// Which of their rows: of the contact `$1`, and not of its user `$2`.
pub(super) const OF_COLLEAGUES: &str = "t.contact_id = $1 AND t.user_id <> $2";

/// Notifications about the contact `$1`.
pub(super) const OF_OUTBOX: &str = "t.subject_type = 'contact' AND t.subject_id = $1::text";
/// Where others may mention it.
pub(super) const OUTBOX_TEXTS: [&str; 4] = ["title", "detail", "next_step", "data"];
