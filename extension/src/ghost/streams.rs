//! Streams of one relationship: from all its days, or from a sealed state and the days since.
//!
//! A sealed state holds every day up to and including its own. What is made of it and the days
//! after it is, bit for bit, what all the days would make, as long as none of the sealed ones
//! changes: `communication_events` has triggers that take care of that (sql/crm).

use crm_health_scoring::config::{Config, GhostModel};
use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{self, Assessment, Constants, Stream, Streams};
use pgrx::datum::JsonB;
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use xxhash_rust::xxh3::xxh3_64;

use super::days::{day_of, decode};
use crate::error::{Error, or_raise};
use crate::gather::newest::Newest;

/// The form of a sealed state. What another form left behind has another fingerprint.
const FORM: u8 = 1;

/// What a sealed state is encoded from: its day, then both streams as days, first, last, x, G.
type Kept = (Day, [(u32, Day, Day, f64, f64); 2]);

/// `crm_health.streams_fingerprint(config)`: changes with what sealed states depend on.
#[pg_extern(sql = false, immutable, parallel_safe)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PostgreSQL hands the argument over"
)]
fn streams_fingerprint(config: JsonB) -> i64 {
    let config = or_raise(crate::settings::parse_config(&config.0));
    fingerprint(&config.silence)
}

/// A stream depends on the shape of the gaps and on how long they are remembered, on nothing else.
pub(crate) fn fingerprint(constants: &Constants) -> i64 {
    let mut bytes = vec![FORM];
    bytes.extend(constants.shape.to_le_bytes());
    bytes.extend(constants.memory.to_le_bytes());
    xxh3_64(&bytes).cast_signed()
}

/// The days of a relationship as a statement hands them over.
pub(crate) struct Days<'a> {
    sealed: Option<&'a [u8]>,
    past: Option<&'a [u8]>,
    recent: Option<&'a [u8]>,
}

impl Days<'_> {
    /// Reads a sealed state, past days and recent days from argument `first` on.
    ///
    /// # Safety
    /// The three arguments must be declared `bytea`.
    pub(crate) unsafe fn arguments(fcinfo: pg_sys::FunctionCallInfo, first: usize) -> Self {
        unsafe {
            Self {
                sealed: pg_getarg(fcinfo, first),
                past: pg_getarg(fcinfo, first + 1),
                recent: pg_getarg(fcinfo, first + 2),
            }
        }
    }

    /// The streams up to and including a day.
    pub(crate) fn streams(&self, until: Day, constants: &Constants) -> Streams {
        streams_of(self.sealed, &self.sorted(), until, constants)
    }

    /// The past and the recent days, ascending.
    fn sorted(&self) -> Vec<(Day, bool)> {
        let mut days: Vec<(Day, bool)> = decode(self.past).chain(decode(self.recent)).collect();
        days.sort_unstable();
        days
    }

    /// What the model says as of an instant; `None` under the rules, or without any event.
    pub(crate) fn assess(&self, as_of: pg_sys::TimestampTz, config: &Config) -> Option<Assessment> {
        if config.ghost_model != GhostModel::Calibrated {
            return None;
        }
        let today = day_of(as_of);
        let days = self.sorted();
        let streams = streams_of(self.sealed, &days, today, &config.silence);
        let said = silence::assess(&streams, today, config.ghost_cutoff, &config.silence)?;
        Some(said.with_days(&days, today))
    }

    /// The state to keep for later, up to and including a day.
    pub(crate) fn seal(&self, day: Day, constants: &Constants) -> Vec<u8> {
        seal(day, &self.streams(day, constants))
    }
}

/// The streams up to and including a day: of a sealed state, and of days that ascend.
pub(crate) fn streams_of(
    sealed: Option<&[u8]>,
    days: &[(Day, bool)],
    until: Day,
    constants: &Constants,
) -> Streams {
    let (after, mut streams) = sealed.map_or((Day::MIN, Streams::default()), unseal);
    for &(day, inbound) in days {
        if day > after && day <= until {
            // After the sealed day, and ascending: never out of order.
            let _ = streams.push(day, inbound, constants);
        }
    }
    streams
}

/// What is kept behind the streams of a state, where its keeper had it.
pub(crate) fn newest(state: &[u8]) -> Option<Newest> {
    let (_, rest) = postcard::take_from_bytes::<Kept>(state).ok()?;
    if rest.is_empty() {
        return None;
    }
    postcard::from_bytes(rest).ok()
}

/// The streams up to and including a day, and the newest events up to it, as a state to keep.
pub(crate) fn seal_with(day: Day, streams: &Streams, newest: &Newest) -> Vec<u8> {
    postcard::to_extend(newest, seal(day, streams)).expect("words and numbers always encode")
}

/// The streams up to and including a day as a state to keep.
pub(crate) fn seal(day: Day, streams: &Streams) -> Vec<u8> {
    let of = |s: &Stream| (s.days, s.first, s.last, s.gap_count, s.gap_sum);
    let kept: Kept = (day, [of(&streams.inbound), of(&streams.any)]);
    postcard::to_allocvec(&kept).expect("numbers always encode")
}

fn unseal(bytes: &[u8]) -> (Day, Streams) {
    let Ok(((day, [inbound, any]), _)) = postcard::take_from_bytes::<Kept>(bytes) else {
        Error::NotCollected.raise();
    };
    let stream = |(days, first, last, gap_count, gap_sum)| Stream {
        days,
        first,
        last,
        gap_count,
        gap_sum,
    };
    let streams = Streams {
        inbound: stream(inbound),
        any: stream(any),
    };
    (day, streams)
}

/// The state to keep, where argument `at` names a day up to which.
///
/// # Safety
/// The argument must be declared `integer`.
pub(crate) unsafe fn sealed_datum(
    fcinfo: pg_sys::FunctionCallInfo,
    at: usize,
    days: &Days<'_>,
    constants: &Constants,
) -> Option<pg_sys::Datum> {
    let day: Option<Day> = unsafe { pg_getarg(fcinfo, at) };
    day.and_then(|day| days.seal(day, constants).into_datum())
}
