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

/// Other rows of the user, whose texts may mention the contact, by the column of the user.
pub(super) const MENTIONS: [(&str, &str); 7] = [
    ("communication_events", "user_id"),
    ("relationship_health_scores", "user_id"),
    ("ghost_detection_signals", "user_id"),
    ("deal_health_alerts", "user_id"),
    ("meetings", "owner_user_id"),
    ("activities", "user_id"),
    ("deals", "owner_id"),
];

/// Where other users may have rows of the contact: on other servers, where Citus spreads them.
pub(super) const COLLEAGUES: [&str; 2] = ["communication_events", "relationship_health_scores"];
/// Which of their rows: of the contact `$1`, and not of its user `$2`.
pub(super) const OF_COLLEAGUES: &str = "t.contact_id = $1 AND t.user_id <> $2";

/// Notifications about the contact `$1`.
pub(super) const OF_OUTBOX: &str = "t.subject_type = 'contact' AND t.subject_id = $1::text";
/// Where others may mention it.
pub(super) const OUTBOX_TEXTS: [&str; 4] = ["title", "detail", "next_step", "data"];
