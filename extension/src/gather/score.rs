//! `score_user_relationships`: scores every due contact and company of a user.

use std::collections::{HashMap, HashSet};

use crm_health_scoring::config::{Config, GhostModel};
use crm_health_scoring::interaction::{Direction, Interaction, Meeting};
use crm_health_scoring::relationship::{self, RelationshipInputs};
use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{self, Assessment};
use pgrx::datum::JsonB;
use pgrx::{IntoDatum, PgMemoryContexts, pg_getarg, pg_sys};

use super::events::{EventRow, SubjectRow};
use super::own::{bytes, int8, is_true};
use super::packed::Unpacked;
use super::streams::{Kept, PastRow, Standing};
use super::targets::{DealsRow, MeetingRow, TargetRow, varlena};
use super::user::{Chains, User};
use crate::collect::to_instant;
use crate::datums;
use crate::error::or_raise;
use crate::ghost::days::{day_of, decode};
use crate::ghost::streams::{fingerprint, seal, streams_of};
use crate::raw::{RowSink, pg_function};
use crate::score::{SCORE_COLUMNS, score_columns};

/// Columns of a row before those of the score.
const TARGET_COLUMNS: usize = 11;
/// Columns behind them.
const SEAL_COLUMNS: usize = 5;
const COLUMNS: usize = TARGET_COLUMNS + SCORE_COLUMNS + SEAL_COLUMNS;

type Values<const N: usize> = [Option<pg_sys::Datum>; N];

pg_function! {
    /// `crm_health.score_user_relationships(config, as of, window start, targets, events, older events, meetings, deals, streams, past days, keeps streams, opens tracked, subjects, automated events)`
    fn score_user_relationships(fcinfo) {
        let mut sink = RowSink::new(fcinfo);
        // SAFETY: the argument numbers and types are those of the function's declaration.
        unsafe {
            let (Some(as_of), Some(window)) = (int8(fcinfo, 1), int8(fcinfo, 2)) else {
                return pg_sys::Datum::null();
            };
            let config = config(fcinfo);
            let gathered = Gathered::new(fcinfo, as_of, window, config);
            let mut context = PgMemoryContexts::new("crm_health score");
            for place in 0..gathered.user.targets.len() {
                if gathered.user.targets[place].is_fresh() {
                    continue;
                }
                context.reset();
                let row = context.switch_to(|_| gathered.row(place));
                sink.push(row);
            }
        }
        pg_sys::Datum::null()
    }
}

/// The configuration, parsed once a statement.
unsafe fn config<'a>(fcinfo: pg_sys::FunctionCallInfo) -> &'a Config {
    unsafe {
        let call = (*fcinfo).flinfo;
        if (*call).fn_extra.is_null() {
            let JsonB(json) = pg_getarg(fcinfo, 0).unwrap_or(JsonB(serde_json::Value::Null));
            let config = or_raise(crate::settings::parse_config(&json));
            let kept = PgMemoryContexts::For((*call).fn_mcxt).leak_and_drop_on_delete(config);
            (*call).fn_extra = kept.cast();
        }
        &*(*call).fn_extra.cast::<Config>()
    }
}

/// Everything about one user.
struct Gathered<'a> {
    config: &'a Config,
    as_of: pg_sys::TimestampTz,
    window: pg_sys::TimestampTz,
    today: Day,
    user: User<'a>,
    /// The texts of the events, and from where on those of the older ones.
    texts: [Unpacked<'a, EventRow>; 2],
    meetings: Vec<MeetingRow>,
    meeting_texts: Unpacked<'a, MeetingRow>,
    meetings_of: Chains,
    deals: Vec<DealsRow>,
    deal_texts: Unpacked<'a, DealsRow>,
    deals_of: Chains,
    kept: Kept<'a>,
    past: Vec<PastRow>,
    past_texts: Unpacked<'a, PastRow>,
    past_of: Chains,
    opens_tracked: bool,
    /// Subjects of events that came without, by id.
    subjects: HashMap<u128, &'a str>,
    /// Automated events among those that came without that mark.
    automated: HashSet<u128>,
}

impl<'a> Gathered<'a> {
    unsafe fn new(
        fcinfo: pg_sys::FunctionCallInfo,
        as_of: pg_sys::TimestampTz,
        window: pg_sys::TimestampTz,
        config: &'a Config,
    ) -> Self {
        // SAFETY: the argument numbers and types are those of the function's declaration.
        unsafe {
            let texts = [
                Unpacked::new(bytes(fcinfo, 4)),
                Unpacked::new(bytes(fcinfo, 5)),
            ];
            let user = User::new(bytes(fcinfo, 3), texts[0].iter().chain(texts[1].iter()));
            let meeting_texts = Unpacked::new(bytes(fcinfo, 6));
            let meetings: Vec<MeetingRow> = meeting_texts.iter().collect();
            let deal_texts = Unpacked::new(bytes(fcinfo, 7));
            let deals: Vec<DealsRow> = deal_texts.iter().collect();
            let past_texts = Unpacked::new(bytes(fcinfo, 9));
            let past: Vec<PastRow> = past_texts.iter().collect();
            let subject_texts: Unpacked<'_, SubjectRow> = Unpacked::new(bytes(fcinfo, 12));
            let subject = |row: SubjectRow| {
                Some((
                    u128::from_be_bytes(row.event),
                    subject_texts.text(row.subject)?,
                ))
            };
            let automated: Option<Vec<Option<pgrx::Uuid>>> = pg_getarg(fcinfo, 13);
            let automated = automated.into_iter().flatten().flatten();
            let today = day_of(as_of);
            let count = user.targets.len();
            Self {
                config,
                as_of,
                window,
                today,
                texts,
                meetings_of: Chains::new(count, meetings.iter().map(|row| user.place(row.of))),
                meetings,
                meeting_texts,
                deals_of: Chains::new(count, deals.iter().map(|row| user.place(row.of))),
                deals,
                deal_texts,
                kept: Kept::new(
                    bytes(fcinfo, 8),
                    fingerprint(&config.silence),
                    as_of,
                    today,
                    is_true(fcinfo, 10),
                ),
                past_of: Chains::new(count, past.iter().map(|row| user.place(row.of))),
                past,
                past_texts,
                opens_tracked: is_true(fcinfo, 11),
                subjects: subject_texts.iter().filter_map(subject).collect(),
                automated: automated
                    .map(|id| u128::from_be_bytes(*id.as_bytes()))
                    .collect(),
                user,
            }
        }
    }

    fn row(&self, place: usize) -> Values<COLUMNS> {
        let target = &self.user.targets[place];
        let deals = self.deals_of.of(place).next().map(|row| &self.deals[row]);
        let mut row = [None; COLUMNS];
        row[..TARGET_COLUMNS].copy_from_slice(&self.target_columns(target, deals));
        let (score, seal) = self.score(place, target, deals);
        row[TARGET_COLUMNS..][..SCORE_COLUMNS].copy_from_slice(&score);
        row[TARGET_COLUMNS + SCORE_COLUMNS..].copy_from_slice(&seal);
        row
    }

    fn target_columns(
        &self,
        target: &TargetRow,
        deals: Option<&DealsRow>,
    ) -> Values<TARGET_COLUMNS> {
        let contact = target.contact();
        let company = contact.is_none().then_some(target.owner().id);
        let sum = |text: fn(&DealsRow) -> super::packed::Text| {
            let exact = deals.and_then(|deals| self.deal_texts.bytes(text(deals)));
            exact.map_or_else(|| datums::four_decimals(Some(0.0)), varlena)
        };
        [
            contact.and_then(datums::uuid),
            company.and_then(datums::uuid),
            target.score_id().and_then(datums::uuid),
            target.score_id().is_none().into_datum(),
            target.looks_back().into_datum(),
            target.overall().into_datum(),
            target.status(&self.user.target_texts).into_datum(),
            target.ghost_risk().into_datum(),
            deals.map_or(0, |deals| deals.count).into_datum(),
            sum(|deals| deals.exact_value),
            sum(|deals| deals.exact_at_risk),
        ]
    }

    fn score(
        &self,
        place: usize,
        target: &TargetRow,
        deals: Option<&DealsRow>,
    ) -> (Values<SCORE_COLUMNS>, Values<SEAL_COLUMNS>) {
        let (interactions, meetings) = (self.interactions(place), self.meetings(place));
        let inputs = RelationshipInputs {
            interactions: &interactions,
            meetings: &meetings,
            opens_tracked: self.opens_tracked,
            total_deal_value: deals.map_or(0.0, |deals| deals.value),
            at_risk_deal_value: deals.map_or(0.0, |deals| deals.at_risk),
        };
        let measured = relationship::measure(&inputs, to_instant(self.as_of));
        let (silence, seal) = self.silence(place, target);
        let score = relationship::score_with(&measured.metrics, silence.as_ref(), self.config);
        let columns = score_columns(
            &measured,
            &score,
            silence.as_ref(),
            self.config,
            datums::four_decimals,
        );
        (columns, seal)
    }

    fn interactions(&self, place: usize) -> Vec<Interaction> {
        let recent = self.texts[0].len();
        let row = |index: usize| {
            let texts = &self.texts[usize::from(index >= recent)];
            let mut row = self.user.events[index].interaction(texts);
            if row.subject.is_none() && !self.subjects.is_empty() {
                row.subject = self
                    .subjects
                    .get(&row.id)
                    .map(|subject| (*subject).to_owned());
            }
            row
        };
        let is_told = |index: &usize| {
            let bare = &self.user.events[*index];
            let told_by = |other: usize| bare.is_told_by(&self.user.events[other]);
            // Only what was looked up beside the window may be bare.
            *index >= recent && self.user.events_of(place).any(told_by)
        };
        let events = self.user.events_of(place).filter(|index| !is_told(index));
        events.map(row).collect()
    }

    fn meetings(&self, place: usize) -> Vec<Meeting> {
        let row = |index: usize| self.meetings[index].meeting(&self.meeting_texts);
        self.meetings_of.of(place).map(row).collect()
    }

    /// What the model says, and the columns of a state to keep.
    fn silence(
        &self,
        place: usize,
        target: &TargetRow,
    ) -> (Option<Assessment>, Values<SEAL_COLUMNS>) {
        let config = self.config;
        if config.ghost_model != GhostModel::Calibrated {
            return (None, [None; SEAL_COLUMNS]);
        }
        let Standing {
            changes,
            state,
            seal_day,
        } = self.kept.of(target);
        let state = state.map(|(state, _)| state);
        let days = self.days(place);
        let streams = streams_of(state, &days, self.today, &config.silence);
        let said = silence::assess(&streams, self.today, config.ghost_cutoff, &config.silence);
        let kept = seal_day.map_or([None; SEAL_COLUMNS], |day| {
            let sealed = seal(day, &streams_of(state, &days, day, &config.silence));
            [
                sealed.into_datum(),
                day.into_datum(),
                changes.into_datum(),
                target.members.into_datum(),
                fingerprint(&config.silence).into_datum(),
            ]
        });
        (said, kept)
    }

    /// The days of the window and, where a state lacks them, those before; ascending.
    fn days(&self, place: usize) -> Vec<(Day, bool)> {
        let in_window = |event: &&EventRow| {
            event.at >= self.window
                && event.at <= self.as_of
                && !event.is_automated()
                && (self.automated.is_empty() || !self.automated.contains(&event.id()))
        };
        let events = self
            .user
            .events_of(place)
            .map(|index| &self.user.events[index]);
        let day = |event: &EventRow| (day_of(event.at), event.direction() == Direction::Inbound);
        let mut days: Vec<(Day, bool)> = events.filter(in_window).map(day).collect();
        let members = self.user.contacts_of(place);
        for row in std::iter::once(place)
            .chain(members)
            .flat_map(|owner| self.past_of.of(owner))
        {
            days.extend(decode(self.past_texts.bytes(self.past[row].days)));
        }
        days.sort_unstable();
        days
    }
}
