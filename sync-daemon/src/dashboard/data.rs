//! The rows of the sections, as the statements in `sql/` give them.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// An instant as JSON has it; a time without a zone is in UTC, as everywhere. None where it is infinite.
fn read_instant(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    let unzoned = || NaiveDateTime::parse_from_str(text, "%FT%T%.f").map(|at| at.and_utc());
    zoned.or_else(|_| unzoned()).ok()
}

fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(from)?;
    read_instant(&text).ok_or_else(|| serde::de::Error::custom("a time that never comes"))
}

fn instant_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.as_deref().and_then(read_instant))
}

/// A run of either job.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    #[serde(deserialize_with = "instant")]
    pub(super) started_at: DateTime<Utc>,
    /// None while it runs.
    #[serde(deserialize_with = "instant_or_none")]
    pub(super) finished_at: Option<DateTime<Utc>>,
    /// running, succeeded, failed or interrupted.
    pub(super) state: String,
    pub(super) triggered_by: String,
    pub(super) users: Option<i64>,
    /// Deals, or mails.
    pub(super) first_count: Option<i64>,
    /// Relationships, or contacts.
    pub(super) second_count: Option<i64>,
    pub(super) error_count: i64,
    /// The first ten.
    pub(super) errors: Vec<RunError>,
}

impl Run {
    /// Seconds it took; none while it runs.
    pub(super) fn seconds(&self) -> Option<f64> {
        let took = self.finished_at? - self.started_at;
        Some(took.num_milliseconds().max(0) as f64 / 1000.0)
    }
}

/// One error of a run.
#[derive(Debug, Deserialize)]
pub(super) struct RunError {
    pub(super) who: Option<String>,
    pub(super) code: Option<String>,
    pub(super) reason: Option<String>,
}

/// A time, or none.
#[derive(Debug, Deserialize)]
pub(super) struct At {
    #[serde(deserialize_with = "instant_or_none")]
    pub(super) at: Option<DateTime<Utc>>,
}

/// When pg_cron runs the daily refresh.
#[derive(Debug, Deserialize)]
pub(super) struct DailyJob {
    pub(super) job_schedule: String,
    pub(super) is_active: bool,
}

/// How many mailboxes are in a state.
#[derive(Debug, Deserialize)]
pub(super) struct MailboxState {
    pub(super) state: String,
    pub(super) mailboxes: i64,
}

/// A mailbox.
#[derive(Debug, Deserialize)]
pub(super) struct Mailbox {
    pub(super) email: String,
    pub(super) rep: Option<String>,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    #[serde(deserialize_with = "instant_or_none")]
    pub(super) last_good_at: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "instant_or_none")]
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    pub(super) is_syncing: bool,
    pub(super) waiting: i64,
    pub(super) set_aside: i64,
}

/// How many scores of a kind have a status.
#[derive(Debug, Deserialize)]
pub(super) struct Count {
    /// deal or contact
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) scores: i64,
}

/// A user's scores.
#[derive(Debug, Deserialize)]
pub(super) struct Rep {
    pub(super) user_id: Uuid,
    pub(super) name: String,
    pub(super) counts: Vec<Count>,
}

/// A user's name.
#[derive(Debug, Deserialize)]
pub(super) struct Name {
    pub(super) name: String,
}

/// A deal or contact with a bad score.
#[derive(Debug, Deserialize)]
pub(super) struct Attention {
    pub(super) kind: String,
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
    pub(super) rep: Option<String>,
    pub(super) score: i64,
    pub(super) status: String,
    pub(super) value: Option<f64>,
    pub(super) reasons: Option<Vec<String>>,
}

/// A deal or contact that lost points.
#[derive(Debug, Deserialize)]
pub(super) struct Worsened {
    pub(super) kind: String,
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
    pub(super) rep: Option<String>,
    pub(super) score: i64,
    pub(super) status: String,
    pub(super) before: i64,
    #[serde(deserialize_with = "instant")]
    pub(super) before_at: DateTime<Utc>,
}

/// An alert on a deal.
#[derive(Debug, Deserialize)]
pub(super) struct Alert {
    /// How many there are, beyond the rows that are shown.
    pub(super) total: i64,
    pub(super) deal_id: Uuid,
    pub(super) deal: Option<String>,
    pub(super) rep: Option<String>,
    pub(super) alert_type: String,
    pub(super) severity: String,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
    pub(super) actions: Option<Vec<String>>,
    pub(super) status: String,
    #[serde(deserialize_with = "instant")]
    pub(super) created_at: DateTime<Utc>,
}

/// A row of the outbox.
#[derive(Debug, Deserialize)]
pub(super) struct Notification {
    #[serde(deserialize_with = "instant")]
    pub(super) created_at: DateTime<Utc>,
    pub(super) kind: String,
    pub(super) subject_type: String,
    pub(super) subject_id: String,
    pub(super) severity: String,
    pub(super) title: String,
    pub(super) detail: Option<String>,
    pub(super) next_step: Option<String>,
    pub(super) rep: Option<String>,
}

/// A deal with its score.
#[derive(Debug, Deserialize)]
pub(super) struct Deal {
    pub(super) name: String,
    pub(super) company: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) state: Option<String>,
    pub(super) stage: Option<String>,
    /// As PostgreSQL writes it: years may have five digits.
    pub(super) closes_on: Option<String>,
    pub(super) rep: Option<String>,
    pub(super) score: Option<i64>,
    pub(super) status: Option<String>,
    #[serde(deserialize_with = "instant_or_none")]
    pub(super) scored_at: Option<DateTime<Utc>>,
    pub(super) risk_level: Option<String>,
}

/// A contact with the score of the relationship.
#[derive(Debug, Deserialize)]
pub(super) struct Contact {
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) rep: Option<String>,
    pub(super) score: Option<i64>,
    pub(super) status: Option<String>,
    #[serde(deserialize_with = "instant_or_none")]
    pub(super) scored_at: Option<DateTime<Utc>>,
    pub(super) risk_level: Option<String>,
    pub(super) ghost_percent: Option<f64>,
}

/// A snapshot of a score.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Snapshot {
    #[serde(deserialize_with = "instant")]
    pub(super) at: DateTime<Utc>,
    /// 0 to 100.
    pub(super) score: i64,
}

/// The lowest score of a status.
#[derive(Debug, Deserialize)]
pub(super) struct Limit {
    pub(super) status: String,
    /// 0 to 100.
    pub(super) min_score: i64,
}

/// One line of an explanation.
#[derive(Debug, Deserialize)]
pub(super) struct Signal {
    pub(super) signal: String,
    pub(super) value: Option<String>,
    pub(super) score: Option<i64>,
    pub(super) weight: Option<f64>,
    pub(super) contribution: Option<f64>,
    pub(super) reason: Option<String>,
}

/// A ghost signal that holds.
#[derive(Debug, Deserialize)]
pub(super) struct GhostSignal {
    pub(super) signal_type: String,
    pub(super) severity: String,
    pub(super) context: Option<String>,
    #[serde(deserialize_with = "instant")]
    pub(super) detected_at: DateTime<Utc>,
}

/// A deal or contact that was looked for.
#[derive(Debug, Deserialize)]
pub(super) struct Hit {
    pub(super) kind: String,
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) more: Option<String>,
    pub(super) rep: Option<String>,
    pub(super) score: Option<i64>,
    pub(super) status: Option<String>,
}

/// A fit of the silence model, at one horizon.
#[derive(Debug, Deserialize)]
pub(super) struct GhostModel {
    pub(super) name: String,
    pub(super) is_active: bool,
    #[serde(deserialize_with = "instant")]
    pub(super) fitted_at: DateTime<Utc>,
    pub(super) decision: String,
    pub(super) held_out_by: Option<String>,
    pub(super) held_out_rows: i64,
    pub(super) horizon_days: Option<i64>,
    pub(super) auc: Option<f64>,
    pub(super) brier: Option<f64>,
    pub(super) calibration_error: Option<f64>,
    pub(super) compared_with: Option<String>,
    pub(super) compared_auc: Option<f64>,
    pub(super) compared_calibration_error: Option<f64>,
    pub(super) reliability: Option<Vec<Bin>>,
}

/// A fit of the deals' pipeline.
#[derive(Debug, Deserialize)]
pub(super) struct DealModel {
    pub(super) name: String,
    pub(super) is_active: bool,
    #[serde(deserialize_with = "instant")]
    pub(super) fitted_at: DateTime<Utc>,
    pub(super) decision: String,
    pub(super) judged_deals: Option<i64>,
    pub(super) auc: Option<f64>,
    pub(super) brier: Option<f64>,
    pub(super) calibration_error: Option<f64>,
    pub(super) reliability: Option<Vec<Bin>>,
}

/// A bin of a reliability plot.
#[derive(Debug, Deserialize)]
pub(super) struct Bin {
    pub(super) rows: u64,
    /// 0 to 1; none where the bin is empty.
    pub(super) mean_predicted: Option<f64>,
    /// 0 to 1; none where the bin is empty.
    pub(super) observed_share: Option<f64>,
}
