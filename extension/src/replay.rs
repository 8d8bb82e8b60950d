//! `crm_health.replay` and `crm_health.fill_history`: what the scores would have been.
//!
//! Each instant is scored by the statements of a refresh over the CRM as it was then
//! ([`crate::refresh`]); nothing of what came later has a say in it. [`subjects`] carries what
//! was scored from one instant to the next, [`instants`] says which instants there are.

mod answers;
mod instants;
mod statement;
mod subjects;

use pgrx::datum::{Interval, JsonB, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, PgMemoryContexts, pg_getarg, pg_sys};

use crate::error::{Error, Result, or_raise};
use crate::owner::AsOwner;
use crate::pipeline;
use crate::raw::{RowSink, pg_function};
use crate::refresh::Kind;
use crate::settings::{Settings, scoring_config};
use crate::{caller, citus, crm, refresh};
use answers::Answers;
use subjects::{Replayed, Subjects};

pg_function! {
    /// `crm_health.replay(p_user_id, p_from, p_to, p_step)`
    fn replay(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        let asked = or_raise(Asked::arguments(fcinfo));
        if !or_raise(asked.elsewhere("replay", fcinfo, &mut sink)) {
            or_raise(asked.replay(&mut sink));
        }
        pg_sys::Datum::null()
    }
}

pg_function! {
    /// `crm_health.fill_history(p_user_id, p_from, p_to, p_step)`
    fn fill_history(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        let asked = or_raise(Asked::arguments(fcinfo));
        if !or_raise(asked.elsewhere("fill_history", fcinfo, &mut sink)) {
            let (deals, relationships) = or_raise(asked.fill());
            sink.push([deals.into_datum(), relationships.into_datum()]);
        }
        pg_sys::Datum::null()
    }
}

/// Whose past is asked for, and at which instants.
struct Asked {
    /// `None`: nobody's.
    user: Option<Uuid>,
    instants: Vec<TimestampWithTimeZone>,
}

/// Both kinds of a user's subjects, the deals first: a relationship depends on its deals.
struct Everything {
    user: Uuid,
    owner: pg_sys::Oid,
    answers: String,
    deals: Subjects,
    relationships: Subjects,
}

impl Asked {
    fn arguments(fcinfo: pg_sys::FunctionCallInfo) -> Result<Self> {
        // SAFETY: the types are those of the functions' declarations.
        unsafe {
            Ok(Self {
                user: pg_getarg::<Uuid>(fcinfo, 0),
                instants: instants::between(
                    pg_getarg::<TimestampWithTimeZone>(fcinfo, 1),
                    pg_getarg::<TimestampWithTimeZone>(fcinfo, 2),
                    pg_getarg::<Interval>(fcinfo, 3),
                )?,
            })
        }
    }

    /// Has the server do it that has the user's rows; whether it is another one.
    fn elsewhere(
        &self,
        call: &str,
        fcinfo: pg_sys::FunctionCallInfo,
        sink: &mut RowSink,
    ) -> Result<bool> {
        let settings = Settings::read()?;
        let crm = crm::current(&settings.crm_schema)?;
        let Some(user) = self.user.filter(|_| crm.is_spread()) else {
            return Ok(false);
        };
        caller::authorize(&[user], Some(crm.score_owner()?), &settings.trusted_roles)?;
        // SAFETY: the types are those of the functions' declarations.
        let (from, to, step) = unsafe {
            (
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 1),
                pg_getarg::<TimestampWithTimeZone>(fcinfo, 2),
                pg_getarg::<Interval>(fcinfo, 3),
            )
        };
        let texts: Option<JsonB> = Spi::connect(|client| {
            let rows = client.select(
                "SELECT jsonb_build_object('user', $1, 'to', $2::timestamptz, 'step', $3::interval::text)",
                Some(1),
                &[user.into(), to.into(), step.into()],
            )?;
            rows.first().get_one()
        })?;
        let Some((JsonB(mut arguments), from)) = texts.zip(from) else {
            return Ok(false);
        };
        arguments["as_of"] = pg_sys::TimestampTz::from(from).into();
        for row in citus::rows(user, call, &arguments, &settings)? {
            sink.push_texts(&row);
        }
        Ok(true)
    }

    fn replay(&self, sink: &mut RowSink) -> Result<()> {
        let Some(mut all) = self.everything(false)? else {
            return Ok(());
        };
        let _owner = AsOwner::enter(all.owner);
        let answers = Answers::read(&all.answers, all.user)?;
        self.each_instant(|instant| {
            all.find(instant)?;
            for scored in all.score(instant, &answers)? {
                sink.push(row(instant, &scored));
            }
            Ok(())
        })
    }

    /// Keeps what was not kept yet; returns how many snapshots of deals and of relationships.
    fn fill(&self) -> Result<(i64, i64)> {
        // SAFETY: reads a flag.
        if unsafe { pg_sys::RecoveryInProgress() } {
            return Err(Error::Standby);
        }
        let Some(mut all) = self.everything(true)? else {
            return Ok((0, 0));
        };
        let _owner = AsOwner::enter(all.owner);
        // A refresh under way may be about to keep a first snapshot.
        refresh::lock(&[all.user])?;
        all.deals.read_first_snapshots(all.user)?;
        all.relationships.read_first_snapshots(all.user)?;
        let answers = Answers::read(&all.answers, all.user)?;
        self.each_instant(|instant| {
            if all.find(instant)? {
                all.score(instant, &answers)?;
            }
            Ok(())
        })?;
        Ok((all.deals.kept, all.relationships.kept))
    }

    /// Does something at each instant. What is allocated for one is freed before the next.
    fn each_instant(
        &self,
        mut work: impl FnMut(TimestampWithTimeZone) -> Result<()>,
    ) -> Result<()> {
        let mut context = PgMemoryContexts::new("crm_health replay");
        for &instant in &self.instants {
            pgrx::check_for_interrupts!();
            // SAFETY: nothing that is allocated in the context outlives the work.
            unsafe {
                context.switch_to(|_| work(instant))?;
                context.reset();
            }
        }
        Ok(())
    }

    /// The statements and the configuration of a replay, for a caller who may have it.
    fn everything(&self, keep: bool) -> Result<Option<Everything>> {
        let settings = Settings::read()?;
        let crm = crm::current(&settings.crm_schema)?;
        let owner = crm.score_owner()?;
        let users: Vec<Uuid> = self.user.into_iter().collect();
        caller::authorize(&users, Some(owner), &settings.trusted_roles)?;
        let Some(user) = self.user else {
            return Ok(None);
        };
        let config = scoring_config()?;
        let subjects = |kind| -> Result<Subjects> {
            let config = pipeline::added_to(config.clone(), kind, Some(&users))?;
            Subjects::new(kind, &crm, config, keep)
        };
        Ok(Some(Everything {
            user,
            owner,
            answers: refresh::answers(&crm)?,
            deals: subjects(Kind::Deals)?,
            relationships: subjects(Kind::Relationships)?,
        }))
    }
}

impl Everything {
    /// Finds who was there at an instant; whether a snapshot of any of them may be kept.
    fn find(&mut self, instant: TimestampWithTimeZone) -> Result<bool> {
        let deals = self.deals.find(self.user, instant)?;
        let relationships = self.relationships.find(self.user, instant)?;
        Ok(deals || relationships)
    }

    /// Scores what was found.
    fn score(
        &mut self,
        instant: TimestampWithTimeZone,
        answers: &Answers,
    ) -> Result<Vec<Replayed>> {
        let waiting = answers.not_yet_come(instant);
        let mut scored = self.deals.score(instant, &waiting, &[])?;
        let relationships = self.relationships.score(instant, &waiting, &scored)?;
        scored.extend(relationships);
        Ok(scored)
    }
}

fn row(instant: TimestampWithTimeZone, scored: &Replayed) -> [Option<pg_sys::Datum>; 8] {
    [
        instant.into_datum(),
        scored.subject_type.into_datum(),
        scored.id.into_datum(),
        scored.score.into_datum(),
        scored.status.as_str().into_datum(),
        scored.risk_level.as_str().into_datum(),
        scored.ghost_risk.into_datum(),
        scored.ghost_probability_percent.into_datum(),
    ]
}
