//! Ghost signals as rows, of users that are scored as a whole: compared here, so that only what changes is written.
//!
//! The same rules as in ghost_signal_rows.sql: a row says what holds now, is left alone where that is what it says
//! already, and is resolved when the signal holds no more; one that was detected after the instant is not judged by it.

use std::collections::{HashMap, HashSet};

use crm_health_scoring::ghost::GhostSignal;
use pgrx::datum::Uuid;
use pgrx::{IntoDatum, pg_sys};
use serde_json::Value;

use super::ghost_rows::signal_columns;
use crate::crm::{Crm, Relation};
use crate::error::Result;
use crate::gather::batch::Scored;
use crate::raw::value;
use crate::statement::Statement;

const UUIDS: pg_sys::Oid = pg_sys::UUIDARRAYOID;
const TEXTS: pg_sys::Oid = pg_sys::TEXTARRAYOID;
const TIME: pg_sys::Oid = pg_sys::TIMESTAMPTZOID;

/// The statements that read and write the rows.
pub(super) struct Signals {
    open: Statement,
    change: Statement,
    resolve: Statement,
    raise: Statement,
}

/// A row that holds so far.
struct Open {
    id: Uuid,
    signal_type: String,
    severity: Option<String>,
    context: Option<String>,
    data: Option<Value>,
    detected_at: pg_sys::TimestampTz,
}

/// The rows that hold so far, by score.
pub(super) type OpenRows = HashMap<[u8; 16], OpenOfScore>;

/// Those of one score.
#[derive(Default)]
pub(super) struct OpenOfScore(Vec<Open>);

impl Signals {
    /// Makes the statements for a table.
    pub(super) fn new(crm: &Crm, table: &Relation) -> Result<Self> {
        let prepare = |text: &str, types: &[pg_sys::Oid]| -> Result<Statement> {
            let template = signal_columns(table);
            Ok(Statement::new(&template.fill(text, crm)?, types))
        };
        Ok(Self {
            open: prepare(
                include_str!("../../../sql/refresh/signals_open.sql"),
                &[UUIDS],
            )?,
            change: prepare(
                include_str!("../../../sql/refresh/signals_change.sql"),
                &[UUIDS, TEXTS, TEXTS, TEXTS],
            )?,
            resolve: prepare(
                include_str!("../../../sql/refresh/signals_resolve.sql"),
                &[UUIDS, TIME],
            )?,
            raise: prepare(
                include_str!("../../../sql/refresh/signals_raise.sql"),
                &[UUIDS, UUIDS, TEXTS, TEXTS, TEXTS, TEXTS, TIME],
            )?,
        })
    }

    /// Reads the rows of users that hold so far.
    pub(super) fn open(&self, users: &[Uuid]) -> OpenRows {
        let mut rows = OpenRows::new();
        // SAFETY: the value and the columns are those of signals_open.sql.
        unsafe {
            let read = self.open.read(&[users.to_vec().into_datum()]);
            read.each(
                |[id, score, signal_type, severity, context, data, detected_at]| {
                    let (Some(id), Some(score)) = (value(id), value::<Uuid>(score)) else {
                        return;
                    };
                    let data: Option<&str> = value(data);
                    let open = Open {
                        id,
                        signal_type: value(signal_type).unwrap_or_default(),
                        severity: value(severity),
                        context: value(context),
                        data: data.and_then(|data| serde_json::from_str(data).ok()),
                        detected_at: value(detected_at).unwrap_or(i64::MIN),
                    };
                    rows.entry(*score.as_bytes()).or_default().0.push(open);
                },
            );
        }
        rows
    }

    /// Writes what changes as of an instant. `gone` are scores that were not written.
    pub(super) fn keep(
        &self,
        scored: &[Scored],
        open: &OpenRows,
        gone: &HashSet<[u8; 16]>,
        as_of: pg_sys::TimestampTz,
    ) {
        let mut changes = Changes::default();
        let contacts = scored.iter().filter(|one| one.contact.is_some());
        let nothing = OpenOfScore::default();
        for one in contacts.filter(|one| !gone.contains(&one.score_id)) {
            let open = open.get(&one.score_id).unwrap_or(&nothing);
            changes.add(one, open, as_of);
        }
        self.write(changes, pg_sys::Datum::from(as_of));
    }

    fn write(&self, changes: Changes<'_>, as_of: pg_sys::Datum) {
        let Changes {
            changed,
            resolved,
            raised,
        } = changes;
        // SAFETY: the values are those of the statements.
        unsafe {
            if !changed.is_empty() {
                let (ids, signals): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
                let [_, severities, contexts, data] = columns(&signals);
                self.change
                    .write(&[ids.into_datum(), severities, contexts, data]);
            }
            if !resolved.is_empty() {
                self.resolve.write(&[resolved.into_datum(), Some(as_of)]);
            }
            if !raised.is_empty() {
                let (whose, signals): (Vec<_>, Vec<_>) = raised.into_iter().unzip();
                let (scores, users): (Vec<_>, Vec<_>) = whose.into_iter().unzip();
                let [types, severities, contexts, data] = columns(&signals);
                self.raise.write(&[
                    scores.into_datum(),
                    users.into_datum(),
                    types,
                    severities,
                    contexts,
                    data,
                    Some(as_of),
                ]);
            }
        }
    }
}

/// What is to be written.
#[derive(Default)]
struct Changes<'a> {
    changed: Vec<(Uuid, &'a GhostSignal)>,
    resolved: Vec<Uuid>,
    /// With the score and the user.
    raised: Vec<((Uuid, Uuid), &'a GhostSignal)>,
}

impl<'a> Changes<'a> {
    fn add(&mut self, scored: &'a Scored, open: &OpenOfScore, as_of: pg_sys::TimestampTz) {
        let held = &scored.measured.signals;
        for row in open.0.iter().filter(|row| row.detected_at <= as_of) {
            match held
                .iter()
                .find(|signal| signal.signal_type.as_str() == row.signal_type)
            {
                None => self.resolved.push(row.id),
                Some(signal) if !row.says(signal) => self.changed.push((row.id, signal)),
                Some(_) => {}
            }
        }
        let is_new = |signal: &&GhostSignal| {
            let word = signal.signal_type.as_str();
            open.0.iter().all(|row| row.signal_type != word)
        };
        let whose = (
            Uuid::from_bytes(scored.score_id),
            Uuid::from_bytes(scored.user),
        );
        self.raised
            .extend(held.iter().filter(is_new).map(|signal| (whose, signal)));
    }
}

impl Open {
    fn says(&self, signal: &GhostSignal) -> bool {
        self.severity.as_deref() == Some(signal.severity.as_str())
            && self.context.as_deref() == Some(&signal.signal_context)
            && self.data.as_ref() == Some(&signal.signal_data)
    }
}

/// Types, severities, contexts and data, as arrays of texts.
fn columns(signals: &[&GhostSignal]) -> [Option<pg_sys::Datum>; 4] {
    let texts = |get: &dyn Fn(&GhostSignal) -> String| -> Option<pg_sys::Datum> {
        signals
            .iter()
            .map(|signal| get(signal))
            .collect::<Vec<_>>()
            .into_datum()
    };
    [
        texts(&|signal| signal.signal_type.as_str().to_owned()),
        texts(&|signal| signal.severity.as_str().to_owned()),
        texts(&|signal| signal.signal_context.clone()),
        texts(&|signal| signal.signal_data.to_string()),
    ]
}
