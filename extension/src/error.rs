//! Everything that can be wrong, in one place: message, SQLSTATE and hint.

use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::ErrorReport;

/// An error of the extension. Messages follow PostgreSQL's style; hints can be pasted where a
/// statement mends it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("p_max_age_hours must not be null")]
    MaxAgeNull,
    #[error("p_max_age_hours must be between 0 and {max}, not {given}", max = crate::refresh::MAX_AGE_HOURS)]
    MaxAgeOutOfRange { given: i32 },
    #[error("p_as_of must be a finite time within 1 to 9999 AD")]
    AsOfOutOfRange,
    #[error("p_as_of must not be in the future: what is to be kept would be deleted")]
    AsOfInFuture,
    #[error("permission denied to refresh or read the scores of another user")]
    NotYours,
    #[error("permission denied for crm_health: this needs a trusted role")]
    NotTrusted,
    #[error("schema \"{schema}\", named by the setting crm_schema, does not exist")]
    SchemaMissing { schema: String },
    #[error("table \"{schema}.{table}\" does not exist")]
    TableMissing { schema: String, table: String },
    #[error("table \"{schema}.{table}\" has no column \"{column}\"")]
    ColumnMissing {
        schema: String,
        table: String,
        column: String,
    },
    #[error("\"{schema}.{table}\" is a {kind}, but scores can be written to a plain table only")]
    NotATable {
        schema: String,
        table: String,
        kind: &'static str,
    },
    #[error(
        "the score tables have different owners: \"{first}\" owns {first_table}, \"{second}\" owns {second_table}"
    )]
    OwnersDiffer {
        first: String,
        first_table: String,
        second: String,
        second_table: String,
    },
    #[error(
        "the score tables belong to superuser \"{owner}\", and scores are never computed as a superuser"
    )]
    OwnerIsSuperuser { owner: String, table: String },
    #[error(
        "cursor \"{cursor}\" was opened WITH HOLD while scores were read or written, and would be read with a superuser's rights"
    )]
    CursorHeld { cursor: String },
    #[error("the configuration is not usable: {reason}")]
    Config { reason: String },
    #[error(
        "the argument is not what crm_health.collect_interactions or collect_meetings returned"
    )]
    NotCollected,
    #[error("no refresh of this session is writing scores of that kind")]
    NoRefreshUnderWay,
    #[error("{0}")]
    Input(String),
    #[error("there is no ghost model \"{0}\"")]
    UnknownGhostModel(String),
    #[error("there is a {kind} model \"{name}\" already")]
    ModelExists { kind: &'static str, name: String },
    #[error("there is no contact \"{0}\"")]
    UnknownContact(String),
    #[error("there is no alert \"{0}\"")]
    UnknownAlert(String),
    #[error("rule \"{name}\" cannot be used: {reason}")]
    Rule { name: String, reason: String },
    #[error("Citus does not spread table {table} by user")]
    NotByUser { table: String },
    #[error("Citus does not keep the tables {first} and {second} of a user on one server")]
    NotColocated { first: String, second: String },
    #[error("Citus spreads no table of schema \"{schema}\" here")]
    NotSpread { schema: String },
    #[error("the data of {whose} are on another server")]
    HeldElsewhere { whose: String },
    #[error("Citus did not send the work for {whose} to its server")]
    NotSent { whose: String },
    #[error("server {server} of the cluster gave no answer: {reason}")]
    ServerLost { server: String, reason: String },
    #[error("{what} needs the rows of all users on one server, and Citus spreads them")]
    OneServerOnly { what: &'static str },
    #[error("another fit of this model is running")]
    FitRunning,
    #[error("cannot refresh scores or fit a model on a standby")]
    Standby,
    #[error("{0}")]
    Spi(#[from] pgrx::spi::SpiError),
}

impl Error {
    fn code(&self) -> Code {
        match self {
            Error::MaxAgeNull
            | Error::MaxAgeOutOfRange { .. }
            | Error::AsOfOutOfRange
            | Error::AsOfInFuture
            | Error::Config { .. }
            | Error::NotCollected
            | Error::Input(_) => Code::ERRCODE_INVALID_PARAMETER_VALUE,
            Error::NotYours | Error::NotTrusted => Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
            Error::SchemaMissing { .. } => Code::ERRCODE_INVALID_SCHEMA_NAME,
            Error::TableMissing { .. } => Code::ERRCODE_UNDEFINED_TABLE,
            Error::ColumnMissing { .. } => Code::ERRCODE_UNDEFINED_COLUMN,
            Error::NotATable { .. } => Code::ERRCODE_WRONG_OBJECT_TYPE,
            Error::OwnersDiffer { .. }
            | Error::OwnerIsSuperuser { .. }
            | Error::CursorHeld { .. }
            | Error::NoRefreshUnderWay
            | Error::NotByUser { .. }
            | Error::NotSent { .. }
            | Error::NotColocated { .. }
            | Error::NotSpread { .. } => Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Error::UnknownAlert(_) | Error::UnknownContact(_) => Code::ERRCODE_NO_DATA_FOUND,
            Error::ServerLost { .. } => Code::ERRCODE_CONNECTION_FAILURE,
            Error::OneServerOnly { .. } => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
            // A client may try again: the next look finds the server.
            Error::HeldElsewhere { .. } => Code::ERRCODE_T_R_SERIALIZATION_FAILURE,
            Error::Rule { .. } => Code::ERRCODE_CHECK_VIOLATION,
            Error::UnknownGhostModel(_) => Code::ERRCODE_UNDEFINED_OBJECT,
            Error::ModelExists { .. } => Code::ERRCODE_DUPLICATE_OBJECT,
            Error::FitRunning => Code::ERRCODE_LOCK_NOT_AVAILABLE,
            Error::Standby => Code::ERRCODE_READ_ONLY_SQL_TRANSACTION,
            Error::Spi(_) => Code::ERRCODE_INTERNAL_ERROR,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::MaxAgeNull => "leave the argument out for the default, or pass 0 to compute every score".to_owned(),
            Error::MaxAgeOutOfRange { .. } => "0 computes every score, 24 those older than a day".to_owned(),
            Error::AsOfInFuture => "leave the argument out for now; the settings history_retention_days, run_log_retention_days and notification_retention_days say how long what is kept".to_owned(),
            Error::NotYours => "a caller with a JWT subject may name itself only; a role listed in the setting trusted_roles may name anyone".to_owned(),
            Error::NotTrusted => "call as a superuser, as the owner of the score tables, or as a member of a role listed in the setting trusted_roles".to_owned(),
            Error::SchemaMissing { .. } => "UPDATE crm_health.settings SET value = 'public' WHERE name = 'crm_schema'".to_owned(),
            Error::TableMissing { schema, .. } => format!("{} in this database makes it, or make a view of that name; SELECT * FROM crm_health.check_install() lists everything that is missing", install_command(schema)),
            Error::ColumnMissing { schema, table, .. } => format!("{} in this database adds what a table lacks; where {table} is a view, add the column to the view; SELECT * FROM crm_health.check_install() lists everything", install_command(schema)),
            Error::NotATable { schema, table, .. } => format!("rename it, then {} makes the table {schema}.{table}", install_command(schema)),
            Error::OwnersDiffer { first, second_table, .. } => {
                format!("ALTER TABLE {second_table} OWNER TO {}", pgrx::spi::quote_identifier(first))
            }
            Error::OwnerIsSuperuser { table, .. } => format!("ALTER TABLE {table} OWNER TO crm_health_owner, and the other score tables likewise; sql/crm/install.sql makes that role"),
            Error::CursorHeld { .. } => "a trigger of the score tables, or a function of a view, opens it: have it opened without HOLD, or call as a role that is no superuser".to_owned(),
            Error::Config { .. } => "SELECT * FROM crm_health.check_install() shows the row to mend".to_owned(),
            Error::UnknownGhostModel(_) => "SELECT name, fitted_at, decision FROM crm_health.ghost_models".to_owned(),
            Error::UnknownContact(_) => "SELECT id, email FROM contacts, in the schema of the CRM, has the ids".to_owned(),
            Error::UnknownAlert(_) => "SELECT id, title, status FROM deal_health_alerts, in the schema of the CRM, has the ids".to_owned(),
            Error::Rule { .. } => "docs/alerts.md has the metrics, units, operators, conditions and placeholders that a rule may use".to_owned(),
            Error::ModelExists { .. } => "leave p_name out for a name made of the time".to_owned(),
            Error::NotByUser { .. } | Error::NotColocated { .. } | Error::NotSpread { .. } => "run sql/citus.sql on the coordinator: it spreads the tables of a user together; docs/citus.md tells by which columns".to_owned(),
            Error::HeldElsewhere { .. } => "call it on the coordinator; where it was, the shard moved just now: try again".to_owned(),
            Error::NotSent { .. } => "connect anew and try again: after an error in planning a statement, Citus 13.2 sends no function call of that session away".to_owned(),
            Error::ServerLost { .. } => "SELECT * FROM citus_check_cluster_node_health() tells which servers reach which".to_owned(),
            Error::OneServerOnly { .. } => "docs/citus.md tells what is done on a copy of the database on one server".to_owned(),
            Error::FitRunning => "wait for it, or end it with pg_cancel_backend".to_owned(),
            Error::Standby => "call it on the primary".to_owned(),
            Error::NoRefreshUnderWay => "it is for the statements of a refresh: call refresh_relationship_health_scores".to_owned(),
            Error::AsOfOutOfRange | Error::NotCollected | Error::Input(_) | Error::Spi(_) => return None,
        };
        Some(hint)
    }

    /// Ends the statement with this error.
    pub(crate) fn raise(&self) -> ! {
        let mut report = ErrorReport::new(self.code(), self.to_string(), "crm_health");
        if let Some(hint) = self.hint() {
            report = report.set_hint(hint);
        }
        report.report(pgrx::PgLogLevel::ERROR);
        unreachable!("reporting an error does not return")
    }
}

/// How the script of the CRM tables is called for a schema, as `crm_health.install_command` has it.
fn install_command(schema: &str) -> String {
    if schema == "public" {
        return "psql -f sql/crm/install.sql".to_owned();
    }
    let schema = pgrx::spi::quote_identifier(schema);
    format!("psql -v crm_schema={schema} -f sql/crm/install.sql")
}

/// What the extension's own functions return.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The value, or the error raised as PostgreSQL's.
pub(crate) fn or_raise<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| error.raise())
}
