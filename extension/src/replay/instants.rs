//! Which instants a replay has, and how many it may have.

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, Result};
use crate::refresh::check_as_of;

/// Nearly three years of days, or six weeks of hours.
const MOST_INSTANTS: usize = 1_000;

/// The shortest step, in microseconds: an hour.
const SHORTEST_STEP: i128 = 3_600_000_000;

/// The instants from one to the other, a step apart; the first always, the last where it is hit.
pub(super) fn between(
    from: Option<TimestampWithTimeZone>,
    to: Option<TimestampWithTimeZone>,
    step: Option<Interval>,
) -> Result<Vec<TimestampWithTimeZone>> {
    let (Some(from), Some(to), Some(step)) = (from, to, step) else {
        return refuse("p_from, p_to and p_step must not be null");
    };
    let (Ok(first), Ok(last)) = (check_as_of(from), check_as_of(to)) else {
        return refuse("p_from and p_to must be finite times within 1 to 9999 AD");
    };
    if last < first {
        return refuse("p_to must not lie before p_from");
    }
    // SAFETY: reads the clock.
    if last > unsafe { pg_sys::GetCurrentTimestamp() } {
        return refuse("p_to must not lie in the future");
    }
    if step.as_micros() < SHORTEST_STEP {
        return refuse("p_step must be at least an hour");
    }
    let instants = series(from, to, step)?;
    if instants.len() > MOST_INSTANTS {
        return refuse(&format!(
            "p_from, p_to and p_step must make at most {MOST_INSTANTS} instants"
        ));
    }
    Ok(instants)
}

fn refuse<T>(reason: &str) -> Result<T> {
    Err(Error::Input(reason.to_owned()))
}

/// One more than there may be at most. A step of months follows the calendar, in UTC.
fn series(
    from: TimestampWithTimeZone,
    to: TimestampWithTimeZone,
    step: Interval,
) -> Result<Vec<TimestampWithTimeZone>> {
    Spi::connect(|client| {
        // In FROM the series would be made whole before it is cut.
        let rows = client.select(
            "SELECT generate_series($1, $2, $3)",
            Some(MOST_INSTANTS as i64 + 1),
            &[from.into(), to.into(), step.into()],
        )?;
        let mut instants = Vec::with_capacity(rows.len());
        for row in rows {
            instants.extend(row.get::<TimestampWithTimeZone>(1)?);
        }
        Ok(instants)
    })
}
