//! What the score tables hold, in numbers, for whoever watches.
//!
//! Contract: names and ids never leave; an installation that cannot score is told as a number, not as an error, so that the
//! view over it can always be read.

use pgrx::datum::JsonB;
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};

use crate::crm::{self, Crm};
use crate::error::{Error, Result, or_raise};
use crate::raw::{RowSink, pg_function};
use crate::settings::Settings;

/// The branch of the statement that counts alerts, where there is a table of them.
const ALERTS: &str = "UNION ALL SELECT 'crm_health_active_alerts', jsonb_build_object('severity', a.severity::text), \
                      count(*)::double precision FROM {table} a WHERE a.status = 'active' GROUP BY a.severity";

/// One number with its name and labels.
struct Sample {
    name: String,
    labels: JsonB,
    value: f64,
}

pg_function! {
    /// `crm_health.score_metrics()`
    fn score_metrics(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        for sample in or_raise(samples()) {
            sink.push([sample.name.into_datum(), sample.labels.into_datum(), sample.value.into_datum()]);
        }
        pg_sys::Datum::null()
    }
}

fn samples() -> Result<Vec<Sample>> {
    let settings = Settings::read()?;
    let found = crm::current(&settings.crm_schema).and_then(|crm| {
        let owner = crm.score_owner()?;
        Ok((crm, owner))
    });
    // What exactly is wrong, check_install() tells.
    let mut samples = vec![usable(found.is_ok())];
    if let Ok((crm, owner)) = found {
        let statement = statement(&crm, owner)?;
        let hours = stale_after_hours()?;
        let _owner = crm.as_owner(owner);
        samples.extend(count(&statement, hours)?);
    }
    Ok(samples)
}

fn usable(is_usable: bool) -> Sample {
    Sample {
        name: "crm_health_score_tables_usable".to_owned(),
        labels: JsonB(serde_json::json!({})),
        value: f64::from(u8::from(is_usable)),
    }
}

fn statement(crm: &Crm, owner: pg_sys::Oid) -> Result<String> {
    let alerts = match crm.find("deal_health_alerts") {
        Some(table) if may_read(owner, &table.qualified())? => {
            ALERTS.replace("{table}", &table.qualified())
        }
        _ => String::new(),
    };
    let text = include_str!("../../sql/refresh/metrics.sql")
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n");
    let deals = crm.score_table("deal_health_scores")?.qualified();
    let relationships = crm.score_table("relationship_health_scores")?.qualified();
    Ok(text
        .replace("{deal_scores}", &deals)
        .replace("{relationship_scores}", &relationships)
        .replace("{alerts}", &alerts))
}

fn may_read(role: pg_sys::Oid, table: &str) -> Result<bool> {
    Spi::connect(|client| {
        let answer = client.select(
            "SELECT has_table_privilege($1, $2, 'SELECT')",
            Some(1),
            &[role.into(), table.into()],
        )?;
        Ok(answer.first().get_one()?.unwrap_or(false))
    })
}

fn stale_after_hours() -> Result<i32> {
    let hours: Option<String> = Spi::connect(|client| {
        client
            .select(
                "SELECT crm_health.setting('default_max_age_hours')",
                Some(1),
                &[],
            )?
            .first()
            .get_one()
    })?;
    let hours = hours.and_then(|hours| hours.parse().ok());
    hours.ok_or_else(|| Error::Config {
        reason: "the setting default_max_age_hours is missing".to_owned(),
    })
}

fn count(statement: &str, hours: i32) -> Result<Vec<Sample>> {
    Spi::connect(|client| {
        let rows = client.select(statement, None, &[hours.into()])?;
        let mut samples = Vec::with_capacity(rows.len());
        for row in rows {
            samples.push(Sample {
                name: row.get(1)?.unwrap_or_default(),
                labels: row.get(2)?.unwrap_or(JsonB(serde_json::json!({}))),
                value: row.get(3)?.unwrap_or(0.0),
            });
        }
        Ok(samples)
    })
}
