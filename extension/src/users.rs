//! Who is refreshed by the daily job.

use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};

use crate::error::{Error, Result, or_raise};
use crate::owner::AsOwner;
use crate::raw::{RowSink, pg_function};
use crate::refresh::check_as_of;
use crate::settings::Settings;
use crate::{caller, crm};

pg_function! {
    /// `crm_health.active_users(p_as_of)`
    fn active_users(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the argument is declared timestamptz.
        let as_of = unsafe { pg_getarg::<TimestampWithTimeZone>(fcinfo, 0) };
        for user in or_raise(active(as_of)) {
            sink.push([user.into_datum()]);
        }
        pg_sys::Datum::null()
    }
}

/// `crm_health.require_trusted()`: fails with 42501 for everyone but a trusted role.
#[pg_extern(sql = false)]
fn require_trusted() {
    or_raise(trusted());
}

fn trusted() -> Result<()> {
    let settings = Settings::read()?;
    // Whether the score tables are there yet does not matter for who is trusted.
    let owner = crm::current(&settings.crm_schema)
        .and_then(|crm| crm.score_owner())
        .ok();
    if caller::is_trusted(owner, &settings.trusted_roles) {
        Ok(())
    } else {
        Err(Error::NotTrusted)
    }
}

fn active(as_of: Option<TimestampWithTimeZone>) -> Result<Vec<Uuid>> {
    let as_of = as_of.ok_or(Error::AsOfOutOfRange)?;
    check_as_of(as_of)?;
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    if !caller::is_trusted(Some(owner), &settings.trusted_roles) {
        return Err(Error::NotTrusted);
    }
    let days: Option<String> = Spi::connect(|client| {
        client
            .select(
                "SELECT crm_health.setting('active_window_days')",
                Some(1),
                &[],
            )?
            .first()
            .get_one()
    })?;
    let profiles = crm.source("profiles")?;
    let _owner = AsOwner::enter(owner);
    Spi::connect(|client| {
        let rows = client.select(
            format!(
                "SELECT p.id FROM {profiles} p
                 WHERE p.last_login_at >= $1 - make_interval(days => $2::integer) ORDER BY p.id"
            )
            .as_str(),
            None,
            &[as_of.into(), days.unwrap_or_else(|| "7".to_owned()).into()],
        )?;
        let mut users = Vec::with_capacity(rows.len());
        for row in rows {
            users.extend(row.get::<Uuid>(1)?);
        }
        Ok(users)
    })
}
