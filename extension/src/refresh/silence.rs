//! What the statements for relationships gain under the calibrated ghost model.

use pgrx::prelude::*;

use super::template::Template;
use crate::crm::{Crm, Relation};
use crate::error::Result;

/// The table of sealed streams.
const STREAMS: &str = "contact_streams";

/// What carries the days of events `e`.
pub(super) const DAYS: &str =
    "crm_health.collect_days(e.event_timestamp, e.direction, e.metadata ->> 'automated' = 'true')";

/// Its columns.
const COLUMNS: &[&str] = &[
    "user_id",
    "target_id",
    "changes",
    "members",
    "fingerprint",
    "sealed_day",
    "state",
];

/// The triggers of communication_events, one for each kind of change, that mark what they touch.
const TRIGGERS: i64 = 4;

/// Fills the parts of relationship_signals.sql. `config` is the parameter of the configuration,
/// `None` under the rules, which need no streams.
pub(super) fn signals<'a>(
    template: Template<'a>,
    crm: &Crm,
    config: Option<&str>,
) -> Result<Template<'a>> {
    let Some(config) = config else {
        return Ok(template
            .with("recent_days", "")
            .with("silence", "")
            .with(
                "silence_columns",
                ",\n NULL::bytea AS sealed_streams, NULL::bytea AS past_days, \
                 NULL::bytea AS recent_days, NULL::int4 AS seal_day",
            )
            .with("silence_joins", ""));
    };
    let kept = match kept(crm)? {
        Some(table) => Template::default()
            .with("streams", table.qualified())
            .fill(
                include_str!("../../../sql/refresh/ghost_streams_kept.sql"),
                crm,
            )?,
        None => include_str!("../../../sql/refresh/ghost_streams_absent.sql").to_owned(),
    };
    let silence = Template::default()
        .with("config", config)
        .with("days", DAYS)
        .with("kept_streams", kept)
        .fill(include_str!("../../../sql/refresh/ghost_streams.sql"), crm)?;
    Ok(template
        .with("recent_days", format!(",\n         {DAYS} AS days"))
        .with("silence", silence)
        .with(
            "silence_columns",
            ",\n k.state AS sealed_streams, p.days AS past_days, r.days AS recent_days, \
             k.seal_day, k.changes, k.members, k.fingerprint",
        )
        .with(
            "silence_joins",
            "LEFT JOIN kept k USING (ordinal) LEFT JOIN past p USING (ordinal)",
        ))
}

/// Fills the part of user_gather.sql that brings the streams.
pub(super) fn gathering<'a>(
    template: Template<'a>,
    crm: &Crm,
    calibrated: bool,
) -> Result<Template<'a>> {
    let table = if calibrated { kept(crm)? } else { None };
    let streams = match table {
        Some(table) => format!(
            "(SELECT crm_health.collect_streams(k.target_id, k.changes, k.members, k.fingerprint, k.sealed_day, \
             k.state) FROM {} k WHERE k.user_id = u.user_id)",
            table.qualified()
        ),
        None => "NULL::bytea".to_owned(),
    };
    Ok(template.with("streams", streams))
}

/// Whether streams are kept, under this ghost model.
pub(super) fn keeps(crm: &Crm, calibrated: bool) -> Result<bool> {
    Ok(calibrated && kept(crm)?.is_some())
}

/// Whether the newest events are kept with them: the triggers see all changes of those, as they do not
/// where they are of an earlier version of sql/crm.
pub(super) fn keeps_newest(crm: &Crm, calibrated: bool) -> Result<bool> {
    if !keeps(crm, calibrated)? {
        return Ok(false);
    }
    let Some(table) = crm.find(STREAMS) else {
        return Ok(false);
    };
    // Read only: a standby explains too.
    let sees: Option<bool> = Spi::connect(|client| {
        let found = client.select(
            "SELECT bool_and(p.prosrc LIKE '%e.subject%')
             FROM pg_catalog.pg_proc p
             WHERE p.proname = 'crm_forget_streams'
               AND p.pronamespace = (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = $1::regclass)",
            Some(1),
            &[table.qualified().into()],
        )?;
        found.first().get_one()
    })?;
    Ok(sees == Some(true))
}

/// Fills the parts of relationships_refresh.sql that keep the streams made anew.
pub(super) fn sealing<'a>(
    template: Template<'a>,
    crm: &Crm,
    calibrated: bool,
) -> Result<Template<'a>> {
    let table = if calibrated { kept(crm)? } else { None };
    let Some(table) = table else {
        return Ok(template.with("sealing_columns", "").with("sealing", ""));
    };
    let sealing = Template::default()
        .with("kept_table", table.qualified())
        .fill(include_str!("../../../sql/refresh/ghost_seal.sql"), crm)?;
    Ok(template
        .with(
            "sealing_columns",
            ", s.sealed_streams, g.seal_day, g.changes, g.members, g.fingerprint",
        )
        .with("sealing", sealing))
}

/// The table of sealed streams, where it can be relied on: it is the score owner's, and every
/// change of an event is seen by a trigger. A view, or a table without the triggers, has none.
fn kept(crm: &Crm) -> Result<Option<&Relation>> {
    let (Some(table), Some(events)) = (crm.find(STREAMS), crm.find("communication_events")) else {
        return Ok(None);
    };
    crm.writable(STREAMS, COLUMNS)?;
    if table.kind != "r" || events.kind != "r" || table.owner != crm.score_owner()? {
        return Ok(None);
    }
    // Read only: a standby explains too.
    let watched: Option<i64> = Spi::connect(|client| {
        let counted = client.select(
            "SELECT count(*) FROM pg_catalog.pg_trigger t
             JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
             WHERE t.tgrelid = $1::regclass AND t.tgenabled IN ('O', 'A') AND p.proname = 'crm_forget_streams'
               AND p.pronamespace = (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = $2::regclass)",
            Some(1),
            &[events.qualified().into(), table.qualified().into()],
        )?;
        counted.first().get(1)
    })?;
    Ok((watched == Some(TRIGGERS)).then_some(table))
}
