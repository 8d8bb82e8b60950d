//! The tables and columns of a CRM that the refresh knows, as data.

/// A column: its name, the type that a refresh reads it as, and whether it must be there.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) sql_type: &'static str,
    pub(crate) required: bool,
}

/// What a table is to the refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Read, and must be there, as a table or a view.
    Source,
    /// Read where it is there.
    OptionalSource,
    /// Written; must be a plain table.
    Score,
    /// Written where it is there.
    History,
    /// Alerts, rules and ghost signals: used where they are there, in the CRM's own schema, and can be.
    Alerts,
}

/// A table or view of the CRM.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) columns: &'static [Column],
}

/// Needed.
const fn must(name: &'static str, sql_type: &'static str) -> Column {
    Column {
        name,
        sql_type,
        required: true,
    }
}

/// Read as NULL, or not written, where it is missing.
const fn may(name: &'static str, sql_type: &'static str) -> Column {
    Column {
        name,
        sql_type,
        required: false,
    }
}

/// Every table and column that a refresh may touch.
pub(crate) static TABLES: &[Table] = &[
    Table {
        name: "profiles",
        role: Role::Source,
        columns: &[must("id", "uuid"), must("last_login_at", "timestamptz")],
    },
    Table {
        name: "deal_stages",
        role: Role::Source,
        columns: &[
            must("id", "uuid"),
            must("name", "text"),
            may("is_final", "bool"),
            may("order_position", "int4"),
        ],
    },
    Table {
        name: "deals",
        role: Role::Source,
        columns: &[
            must("id", "uuid"),
            must("value", "numeric"),
            must("stage_id", "uuid"),
            must("owner_id", "uuid"),
            must("status", "text"),
            must("created_at", "timestamptz"),
            may("name", "text"),
            may("stage_changed_at", "timestamptz"),
            may("primary_contact_id", "uuid"),
            may("company_id", "uuid"),
            may("company", "text"),
            may("expected_close_date", "date"),
            may("closed_won_date", "timestamptz"),
            may("closed_lost_date", "timestamptz"),
        ],
    },
    Table {
        name: "deal_stage_history",
        role: Role::OptionalSource,
        columns: &[
            must("deal_id", "uuid"),
            must("stage_id", "uuid"),
            must("status", "text"),
            must("entered_at", "timestamptz"),
            must("recorded_at", "timestamptz"),
            may("owner_id", "uuid"),
        ],
    },
    Table {
        name: "contacts",
        role: Role::Source,
        columns: &[
            must("id", "uuid"),
            must("email", "text"),
            must("owner_id", "uuid"),
            may("company_id", "uuid"),
            may("first_name", "text"),
            may("last_name", "text"),
            may("full_name", "text"),
            may("created_at", "timestamptz"),
        ],
    },
    Table {
        name: "companies",
        role: Role::OptionalSource,
        columns: &[must("id", "uuid"), may("name", "text")],
    },
    Table {
        name: "meetings",
        role: Role::OptionalSource,
        columns: &[
            must("id", "uuid"),
            must("meeting_start", "timestamptz"),
            must("owner_user_id", "uuid"),
            may("title", "text"),
            may("primary_contact_id", "uuid"),
            may("company_id", "uuid"),
            may("deal_id", "uuid"),
            may("sentiment_score", "float8"),
            may("created_at", "timestamptz"),
        ],
    },
    Table {
        name: "meeting_contacts",
        role: Role::OptionalSource,
        columns: &[must("meeting_id", "uuid"), must("contact_id", "uuid")],
    },
    Table {
        name: "deal_meetings",
        role: Role::OptionalSource,
        columns: &[must("deal_id", "uuid"), must("meeting_id", "uuid")],
    },
    Table {
        name: "activities",
        role: Role::OptionalSource,
        columns: &[
            must("id", "uuid"),
            must("user_id", "uuid"),
            must("created_at", "timestamptz"),
            may("deal_id", "uuid"),
        ],
    },
    Table {
        name: "communication_events",
        role: Role::Source,
        columns: &[
            must("id", "uuid"),
            must("user_id", "uuid"),
            must("contact_id", "uuid"),
            must("event_type", "text"),
            must("direction", "text"),
            must("event_timestamp", "timestamptz"),
            may("company_id", "uuid"),
            may("deal_id", "uuid"),
            may("external_source", "text"),
            may("external_id", "text"),
            may("thread_id", "text"),
            may("thread_position", "int4"),
            may("was_replied", "bool"),
            may("was_opened", "bool"),
            may("response_time_hours", "float8"),
            may("sentiment_score", "float8"),
            may("subject", "text"),
            may("metadata", "jsonb"),
        ],
    },
    Table {
        name: "deal_health_scores",
        role: Role::Score,
        columns: &[
            must("id", "uuid"),
            must("deal_id", "uuid"),
            must("user_id", "uuid"),
            must("overall_health_score", "int4"),
            must("health_status", "text"),
            must("last_calculated_at", "timestamptz"),
            may("updated_at", "timestamptz"),
        ],
    },
    Table {
        name: "relationship_health_scores",
        role: Role::Score,
        columns: &[
            must("id", "uuid"),
            must("user_id", "uuid"),
            must("relationship_type", "text"),
            must("contact_id", "uuid"),
            must("company_id", "uuid"),
            must("overall_health_score", "int4"),
            must("health_status", "text"),
            must("is_ghost_risk", "bool"),
            must("last_calculated_at", "timestamptz"),
            may("updated_at", "timestamptz"),
        ],
    },
    Table {
        name: "deal_health_history",
        role: Role::History,
        columns: &[must("deal_id", "uuid"), must("snapshot_at", "timestamptz")],
    },
    Table {
        name: "deal_health_alerts",
        role: Role::Alerts,
        columns: &[
            may("id", "uuid"),
            may("deal_id", "uuid"),
            may("health_score_id", "uuid"),
            may("user_id", "uuid"),
            may("alert_type", "text"),
            may("severity", "text"),
            may("title", "text"),
            may("message", "text"),
            may("suggested_actions", "text[]"),
            may("action_priority", "text"),
            may("status", "text"),
            may("acknowledged_at", "timestamptz"),
            may("acknowledged_by", "uuid"),
            may("resolved_at", "timestamptz"),
            may("dismissed_at", "timestamptz"),
            may("metadata", "jsonb"),
            may("created_at", "timestamptz"),
            may("updated_at", "timestamptz"),
        ],
    },
    Table {
        name: "ghost_detection_signals",
        role: Role::Alerts,
        columns: &[
            may("id", "uuid"),
            may("relationship_health_id", "uuid"),
            may("user_id", "uuid"),
            may("signal_type", "text"),
            may("severity", "text"),
            may("signal_context", "text"),
            may("signal_data", "jsonb"),
            may("detected_at", "timestamptz"),
            may("resolved_at", "timestamptz"),
        ],
    },
    Table {
        name: "deal_health_rules",
        role: Role::Alerts,
        columns: &[
            may("rule_name", "text"),
            may("rule_type", "text"),
            may("threshold_value", "numeric"),
            may("threshold_operator", "text"),
            may("alert_severity", "text"),
            may("alert_message_template", "text"),
            may("threshold_unit", "text"),
            may("alert_type", "text"),
            may("suggested_action_template", "text"),
            may("conditions", "jsonb"),
            may("is_active", "bool"),
        ],
    },
    Table {
        name: "contact_streams",
        role: Role::History,
        columns: &[
            must("user_id", "uuid"),
            must("target_id", "uuid"),
            must("changes", "int8"),
            must("members", "int8"),
            must("fingerprint", "int8"),
            must("sealed_day", "int4"),
            must("state", "bytea"),
        ],
    },
    Table {
        name: "relationship_health_history",
        role: Role::History,
        columns: &[
            must("relationship_health_id", "uuid"),
            must("snapshot_at", "timestamptz"),
        ],
    },
];
