//! The courses of deals, and the spells that were known as of an instant.

use std::collections::HashMap;

use crm_health_scoring::config::Config;
use crm_health_scoring::survival::{End, Spell};
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::crm::Crm;
use crate::error::Result;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// What became of a deal at a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In an open stage, by its index.
    In(usize),
    Won,
    Lost,
    /// In no stage that is known, or put aside: nothing is seen of it.
    Away,
}

/// One change of a deal.
#[derive(Clone, Copy, Debug)]
struct Change {
    owner: Option<Uuid>,
    at: pg_sys::TimestampTz,
    recorded_at: pg_sys::TimestampTz,
    state: State,
}

/// The changes of all deals.
pub(super) struct Courses {
    /// The open stages in their order, by name.
    pub(super) stages: Vec<String>,
    /// For each stage, after how many days a deal there is in danger: a start where little is known.
    pub(super) typical_days: Vec<f64>,
    courses: Vec<Vec<Change>>,
}

/// A deal that was open at an instant.
pub(super) struct OpenDeal {
    pub(super) owner: Option<Uuid>,
    pub(super) stage: usize,
    pub(super) days: u32,
    /// When it was won, if it was.
    pub(super) won_at: Option<pg_sys::TimestampTz>,
}

impl Courses {
    /// Reads all that was recorded up to an instant, as the owner of the CRM's tables.
    pub(super) fn read(config: &Config, crm: &Crm, until: TimestampWithTimeZone) -> Result<Self> {
        let mut courses = Self::stages(config, crm)?;
        let text = include_str!("../../../sql/refresh/deal_courses.sql")
            .replace("{deal_stage_history}", &crm.source("deal_stage_history")?)
            .replace("{deal_stages}", &crm.source("deal_stages")?);
        Spi::connect(|client| {
            let mut of = None;
            for row in client.select(text.as_str(), None, &[until.into()])? {
                let deal: Option<Uuid> = row.get(1)?;
                let at = |column| -> Result<pg_sys::TimestampTz> {
                    let at: Option<TimestampWithTimeZone> = row.get(column)?;
                    Ok(at.map_or(0, Into::into))
                };
                let stage: Option<String> = row.get(4)?;
                let is = |column| -> Result<bool> { Ok(row.get(column)?.unwrap_or(false)) };
                let index = stage.and_then(|name| courses.stages.iter().position(|s| *s == name));
                let state = match (is(5)?, is(6)?, is(7)?, index) {
                    (true, _, _, _) => State::Won,
                    (_, true, _, _) => State::Lost,
                    (_, _, true, Some(index)) => State::In(index),
                    _ => State::Away,
                };
                let change = Change {
                    owner: row.get(8)?,
                    at: at(2)?,
                    recorded_at: at(3)?,
                    state,
                };
                if of != Some(deal) {
                    of = Some(deal);
                    courses.courses.push(Vec::new());
                }
                courses.courses.last_mut().expect("just made").push(change);
            }
            Ok(courses)
        })
    }

    fn stages(config: &Config, crm: &Crm) -> Result<Self> {
        let text = format!(
            "SELECT g.name FROM {} g WHERE g.is_final IS NOT TRUE AND g.name NOT IN ('Signed', 'Lost')
             ORDER BY g.order_position NULLS LAST, g.name",
            crm.source("deal_stages")?
        );
        let stages = Spi::connect(|client| -> Result<Vec<String>> {
            let mut stages: Vec<String> = Vec::new();
            for row in client.select(text.as_str(), None, &[])? {
                stages.extend(row.get::<String>(1)?);
            }
            Ok(stages)
        })?;
        let typical_days = stages
            .iter()
            .map(|name| f64::from(config.thresholds(Some(name)).warning_days))
            .collect();
        Ok(Self {
            stages,
            typical_days,
            courses: Vec::new(),
        })
    }

    pub(super) fn deals(&self) -> usize {
        self.courses.len()
    }

    /// The spells as they were known at an instant: what came or was recorded later is not seen, and the spell
    /// under way is still open. Each with who owned the deal when it began.
    pub(super) fn spells_at(
        &self,
        instant: pg_sys::TimestampTz,
    ) -> (Vec<Spell>, HashMap<Uuid, Vec<Spell>>) {
        let (mut spells, mut owners) = (Vec::new(), HashMap::<Uuid, Vec<Spell>>::new());
        for course in &self.courses {
            let is_known = |change: &&Change| change.at.max(change.recorded_at) <= instant;
            let mut known = course.iter().filter(is_known).peekable();
            while let Some(change) = known.next() {
                let Some(spell) = spell(change, known.peek().copied(), instant) else {
                    continue;
                };
                spells.push(spell);
                if let Some(owner) = change.owner {
                    owners.entry(owner).or_default().push(spell);
                }
            }
        }
        (spells, owners)
    }

    /// The deals that were open at an instant, and what became of them.
    pub(super) fn open_at(&self, instant: pg_sys::TimestampTz) -> impl Iterator<Item = OpenDeal> {
        self.courses.iter().filter_map(move |course| {
            let known = course.partition_point(|change| change.at <= instant);
            let last = course[..known].last()?;
            let State::In(stage) = last.state else {
                return None;
            };
            let won = course[known..]
                .iter()
                .find(|change| change.state == State::Won);
            (last.recorded_at <= instant).then(|| OpenDeal {
                owner: last.owner,
                stage,
                days: whole_days(last.at, instant),
                won_at: won.map(|change| change.at),
            })
        })
    }
}

/// The spell that begins with a change and lasts until the next, or is under way; `None` where the deal was in no open stage, or was
/// gone from it before that was recorded. Of such stays only those that ended are told: they would make every stage look fast.
fn spell(change: &Change, next: Option<&Change>, instant: pg_sys::TimestampTz) -> Option<Spell> {
    let State::In(stage) = change.state else {
        return None;
    };
    let until = next.map_or(instant, |next| next.at);
    if next.is_some() && change.at < change.recorded_at && until <= change.recorded_at {
        return None;
    }
    Some(Spell {
        stage,
        days: whole_days(change.at, until),
        unseen_days: whole_days(change.at, change.recorded_at),
        end: next.map_or(End::Open, |next| match next.state {
            State::In(to) if to == stage => End::Open,
            State::In(to) => End::Moved(to),
            State::Won => End::Won,
            State::Lost => End::Lost,
            State::Away => End::Open,
        }),
    })
}

fn whole_days(from: pg_sys::TimestampTz, to: pg_sys::TimestampTz) -> u32 {
    let days = to.saturating_sub(from).max(0) / MICROSECONDS_PER_DAY;
    u32::try_from(days).unwrap_or(u32::MAX)
}
