//! The clock of a place: when it is quiet, and when the digest is due.

use chrono::{DateTime, Days, LocalResult, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::config::{ConfigError, Notify};

/// Quiet hours and the time of the digest, in one zone.
#[derive(Clone, Copy, Debug)]
pub struct Hours {
    /// The zone.
    pub zone: Tz,
    /// From when (included) until when (excluded) it is quiet, also over midnight.
    pub quiet: Option<(NaiveTime, NaiveTime)>,
    /// When the digest is due each day.
    pub digest: Option<NaiveTime>,
}

impl Hours {
    /// The hours of the settings.
    ///
    /// # Errors
    /// A setting is no time or no zone.
    pub fn of(notify: &Notify) -> Result<Self, ConfigError> {
        Ok(Self {
            zone: notify.zone()?,
            quiet: notify.quiet_hours()?,
            digest: notify.digest_time()?,
        })
    }

    /// Whether it is quiet at `now`.
    #[must_use]
    pub fn is_quiet(&self, now: DateTime<Utc>) -> bool {
        let Some((from, until)) = self.quiet else {
            return false;
        };
        let time = now.with_timezone(&self.zone).time();
        if from < until {
            (from..until).contains(&time)
        } else {
            time >= from || time < until
        }
    }

    /// The last time at or before `now` at which a digest was due.
    #[must_use]
    pub fn last_digest(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let at = self.digest?;
        let today = now.with_timezone(&self.zone).date_naive();
        // An hour that is skipped may carry the time over midnight: three days are looked at.
        (0..3)
            .filter_map(|back| today.checked_sub_days(Days::new(back)))
            .filter_map(|day| self.instant(day.and_time(at)))
            .find(|instant| *instant <= now)
    }

    /// The instant of a local time; the first one of two, and the end of the gap where the clock skips it.
    fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        const LONGEST_GAP_MINUTES: i64 = 24 * 60;
        (0..=LONGEST_GAP_MINUTES).find_map(|minutes| {
            let tried = local.checked_add_signed(TimeDelta::minutes(minutes))?;
            match self.zone.from_local_datetime(&tried) {
                LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => {
                    Some(time.with_timezone(&Utc))
                }
                LocalResult::None => None,
            }
        })
    }
}
