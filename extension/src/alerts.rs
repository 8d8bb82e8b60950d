//! What the app does with an alert, and the check of a rule that is about to be saved.

use pgrx::datum::Uuid;
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};

use crate::error::{Error, Result, or_raise};
use crate::json::{self, TooLarge};
use crate::owner::AsOwner;
use crate::raw::pg_function;
use crate::refresh::alert_rules;
use crate::settings::Settings;
use crate::{caller, citus, crm};

/// From which statuses, and what is written.
struct Move {
    /// Its name where another server has the alert.
    call: &'static str,
    from: &'static str,
    set: &'static str,
}

const ACKNOWLEDGE: Move = Move {
    call: "acknowledge_alert",
    from: "('active')",
    set: "status = 'acknowledged', acknowledged_at = now(), acknowledged_by = $2",
};

const DISMISS: Move = Move {
    call: "dismiss_alert",
    from: "('active', 'acknowledged')",
    set: "status = 'dismissed', dismissed_at = now(), metadata = coalesce(a.metadata, '{}') || \
          jsonb_strip_nulls(jsonb_build_object('dismissed_by', $2))",
};

pg_function! {
    /// `crm_health.acknowledge_alert(p_alert_id)`
    fn acknowledge_alert(fcinfo) {
        answer(fcinfo, &ACKNOWLEDGE)
    }
}

pg_function! {
    /// `crm_health.dismiss_alert(p_alert_id)`
    fn dismiss_alert(fcinfo) {
        answer(fcinfo, &DISMISS)
    }
}

pg_function! {
    /// `crm_health.check_deal_rule(p_rule)`
    fn check_deal_rule_wrapper(fcinfo) {
        // SAFETY: the argument is declared jsonb.
        let rule = or_raise(unsafe { json::argument(fcinfo, 0, TooLarge::Words) });
        let rule = rule.unwrap_or_default();
        let checked = alert_rules::check(&rule).map_err(|error| Error::Rule {
            name: rule["rule_name"].as_str().unwrap_or_default().to_owned(),
            reason: error.to_string(),
        });
        or_raise(checked);
        pg_sys::Datum::null()
    }
}

fn answer(fcinfo: pg_sys::FunctionCallInfo, to: &Move) -> pg_sys::Datum {
    // SAFETY: the argument is declared uuid.
    let alert = unsafe { pg_getarg::<Uuid>(fcinfo, 0) };
    let status = alert.map(|alert| or_raise(change(alert, to)));
    // SAFETY: says that a NULL is returned.
    status.into_datum().unwrap_or_else(|| unsafe {
        (*fcinfo).isnull = true;
        pg_sys::Datum::null()
    })
}

/// Makes the move where the alert stands where it can be made, and returns where it stands then.
fn change(alert: Uuid, to: &Move) -> Result<String> {
    let settings = Settings::read()?;
    let crm = crm::current(&settings.crm_schema)?;
    let owner = crm.score_owner()?;
    let unknown = || Error::UnknownAlert(alert.to_string());
    let table = crm
        .complete_table("deal_health_alerts")?
        .ok_or_else(unknown)?
        .qualified();
    if crm.is_spread() {
        let user = citus::user_of(&crm, "deal_health_alerts", "user_id", alert)?;
        let user = user.ok_or_else(unknown)?;
        caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
        let arguments = serde_json::json!({"id": alert.to_string(), "as_of": 0});
        let rows = citus::rows(user, to.call, &arguments, &settings)?;
        let status = rows.into_iter().flatten().flatten().next();
        return status.ok_or_else(unknown);
    }
    let by = caller::jwt_subject_id();
    let _owner = AsOwner::enter(owner);
    Spi::connect_mut(|client| {
        let rows = client.update(
            format!("SELECT a.user_id, a.status::text FROM {table} a WHERE a.id = $1 FOR UPDATE")
                .as_str(),
            Some(1),
            &[alert.into()],
        )?;
        if rows.is_empty() {
            return Err(unknown());
        }
        let row = rows.first();
        let user: Uuid = row.get(1)?.ok_or_else(unknown)?;
        let status: String = row.get(2)?.unwrap_or_default();
        caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
        let moved = client.update(
            format!(
                "UPDATE {table} a SET {}, updated_at = now() WHERE a.id = $1 AND a.status IN {} \
                 RETURNING a.status::text",
                to.set, to.from
            )
            .as_str(),
            None,
            &[alert.into(), by.into()],
        )?;
        if moved.is_empty() {
            return Ok(status);
        }
        Ok(moved.first().get(1)?.unwrap_or(status))
    })
}
