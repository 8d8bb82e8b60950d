//! Which answers had not come yet: `was_replied` keeps no date of its own.

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;

use super::statement::run;
use crate::error::Result;
use crate::raw::value;

/// A mail that was answered: its id, when it was sent, when the answer came.
type Answered = (Uuid, pg_sys::TimestampTz, pg_sys::TimestampTz);

/// The answered mail of a user.
pub(super) struct Answers(Vec<Answered>);

impl Answers {
    /// Reads them by the statement [`crate::refresh::answers`].
    pub(super) fn read(statement: &str, user: Uuid) -> Result<Self> {
        let mut answers = Vec::new();
        run(statement, &[user.into()], false, |[id, sent, answered]| {
            // SAFETY: the columns are an id and two instants.
            let (id, sent, answered) = unsafe {
                (
                    value::<Uuid>(id),
                    value::<TimestampWithTimeZone>(sent),
                    value::<TimestampWithTimeZone>(answered),
                )
            };
            if let (Some(id), Some(sent), Some(answered)) = (id, sent, answered) {
                answers.push((id, sent.into(), answered.into()));
            }
        })?;
        Ok(Self(answers))
    }

    /// The mails sent by an instant whose first answer came after it.
    pub(super) fn not_yet_come(&self, at: TimestampWithTimeZone) -> Vec<Uuid> {
        let at: pg_sys::TimestampTz = at.into();
        let waiting = self.0.iter();
        waiting
            .filter(|(_, sent, answered)| *sent <= at && at < *answered)
            .map(|(id, ..)| *id)
            .collect()
    }
}
