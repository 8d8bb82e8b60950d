//! The probability of one contact's silence, over any horizon, as of any instant.

use crm_health_scoring::silence::{Streams, ghost_probability as probability_of};
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg};

use super::days::{day_of, decode};
use crate::error::{Error, Result, or_raise};
use crate::owner::AsOwner;
use crate::raw::pg_function;
use crate::settings::{Settings, parse_config, scoring_config};
use crate::{caller, citus, crm};

/// The longest horizon, in days: ten years.
pub(super) const MAX_HORIZON_DAYS: i32 = 3650;

pg_function! {
    /// `crm_health.ghost_probability(p_contact_id, p_horizon_days, p_as_of)`
    fn ghost_probability(fcinfo) {
        // SAFETY: the types are those of the function's declaration.
        let (contact, horizon, as_of) = unsafe {
            (
                pg_getarg::<Uuid>(fcinfo, 0),
                pg_getarg::<i32>(fcinfo, 1),
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 2),
            )
        };
        let said = or_raise(ask(contact, horizon, as_of));
        match said.into_datum() {
            Some(datum) => datum,
            // SAFETY: the call in progress.
            None => unsafe { pgrx::pg_return_null(fcinfo) },
        }
    }
}

/// A horizon within 1–3650 days.
pub(crate) fn horizon_days(given: Option<i32>) -> Result<u32> {
    match given.filter(|days| (1..=MAX_HORIZON_DAYS).contains(days)) {
        Some(days) => Ok(days.unsigned_abs()),
        None => Err(Error::Input(format!(
            "p_horizon_days must be between 1 and {MAX_HORIZON_DAYS}, not {}",
            given.map_or("null".to_owned(), |days| days.to_string())
        ))),
    }
}

/// An instant with a day, within the years 1–9999.
pub(crate) fn finite(as_of: Option<TimestampWithTimeZone>) -> Result<TimestampWithTimeZone> {
    let as_of = as_of.ok_or(Error::AsOfOutOfRange)?;
    crate::refresh::check_as_of(as_of)?;
    Ok(as_of)
}

/// `None` for an unknown contact, one without an owner, and one without any event until then.
fn ask(
    contact: Option<Uuid>,
    horizon: Option<i32>,
    as_of: Option<TimestampWithTimeZone>,
) -> Result<Option<f64>> {
    let horizon = horizon_days(horizon)?;
    let as_of = finite(as_of)?;
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    if let Some(contact) = contact.filter(|_| crm.is_spread()) {
        return ask_elsewhere(&crm, contact, horizon, as_of, &settings);
    }
    let constants = parse_config(&scoring_config()?)?.silence;
    let (contacts, events) = (crm.source("contacts")?, crm.source("communication_events")?);
    let _owner = AsOwner::enter(owner);
    let Some(contact) = contact else {
        return Ok(None);
    };
    let user: Option<Uuid> = Spi::connect(|client| {
        let found = client.select(
            format!("SELECT c.owner_id FROM {contacts} c WHERE c.id = $1").as_str(),
            Some(1),
            &[contact.into()],
        )?;
        if found.is_empty() {
            return Ok(None);
        }
        found.first().get(1)
    })?;
    let Some(user) = user else { return Ok(None) };
    caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
    let statement = include_str!("../../../sql/refresh/ghost_days_of_contact.sql")
        .replace("{communication_events}", &events);
    let days: Option<Vec<u8>> = Spi::connect(|client| {
        let arguments = [user.into(), contact.into(), as_of.into()];
        let collected = client.select(statement.as_str(), Some(1), &arguments)?;
        collected.first().get(1)
    })?;
    let today = day_of(as_of.into());
    let mut streams = Streams::default();
    for (day, inbound) in decode(days.as_deref()) {
        // Ascending: never out of order.
        let _ = streams.push(day, inbound, &constants);
    }
    Ok(probability_of(&streams, today, horizon, &constants))
}

/// The same, by the server that has the user's rows.
fn ask_elsewhere(
    crm: &crm::Crm,
    contact: Uuid,
    horizon: u32,
    as_of: TimestampWithTimeZone,
    settings: &Settings,
) -> Result<Option<f64>> {
    let Some(user) = citus::user_of(crm, "contacts", "owner_id", contact)? else {
        return Ok(None);
    };
    caller::authorize(&[user], Some(crm.score_owner()?), &settings.trusted_roles)?;
    let arguments = serde_json::json!({
        "id": contact.to_string(), "days": horizon, "as_of": pgrx::pg_sys::TimestampTz::from(as_of)});
    let rows = citus::rows(user, "ghost_probability", &arguments, settings)?;
    let said = rows.into_iter().flatten().flatten().next();
    Ok(said.and_then(|text| text.parse().ok()))
}
