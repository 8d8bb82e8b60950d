//! Finds out which e-mails were answered, and how fast.

use pgrx::datum::Uuid;
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg};

use crate::error::{Result, or_raise};
use crate::owner::AsOwner;
use crate::raw::pg_function;
use crate::refresh::link_replies_statement;
use crate::settings::Settings;
use crate::{caller, crm};

pg_function! {
    /// `crm_health.link_replies(p_user_id)`
    fn link_replies(fcinfo) {
        // SAFETY: the argument is declared uuid.
        let user = unsafe { pg_getarg::<Uuid>(fcinfo, 0) };
        let changed = user.map_or(0, |user| or_raise(link(user)));
        changed.into_datum().unwrap_or(pgrx::pg_sys::Datum::null())
    }
}

/// Fills the reply flags of the user's e-mails that lack them and counts what changed.
pub(crate) fn link(user: Uuid) -> Result<i64> {
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
    if crm.is_spread() {
        return crate::citus::link_replies(user, &settings);
    }
    let statement = link_replies_statement(&crm)?;
    let _owner = AsOwner::enter(owner);
    Spi::connect_mut(|client| {
        let changed = client.update(statement.as_str(), None, &[user.into()])?;
        Ok(changed.len() as i64)
    })
}
