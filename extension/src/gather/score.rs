//! Scores what is due of a user.

mod cited;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use crm_health_scoring::config::{Config, GhostModel};
use crm_health_scoring::interaction::{Direction, Meeting};
use crm_health_scoring::relationship::{self, RelationshipInputs};
use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{self, Assessment, Streams};
use pgrx::pg_sys;

use super::batch::{Previous, Scored, Sums};
use super::events::{Event, EventRow, SubjectRow};
use super::lacking::{Lack, Lacking, Standings};
use super::newest::Newest;
use super::packed::{Text, Unpacked};
use super::streams::{Keeping, PastRow, Sealed, Standing};
use super::targets::{DealsRow, MeetingRow, TargetRow};
use super::user::{ByEvent, Chains, EventId, User};
use crate::collect::to_instant;
use crate::datums;
use crate::ghost::days::{day_of, decode, start_of};
use crate::ghost::streams::{seal, seal_with, streams_of};

/// What was read of one user, as the aggregates packed it.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) user: [u8; 16],
    pub(crate) targets: Option<&'a [u8]>,
    /// The events of the window.
    pub(crate) events: Unpacked<'a, EventRow>,
    pub(crate) streams: Option<&'a [u8]>,
    pub(crate) meetings: Option<&'a [u8]>,
    pub(crate) deals: Option<&'a [u8]>,
    /// Whether any mail of the user was ever marked opened.
    pub(crate) opens_tracked: bool,
}

/// By what all users of a refresh are scored.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) config: &'a Config,
    pub(crate) as_of: pg_sys::TimestampTz,
    /// The first moment of which events are read.
    pub(crate) window: pg_sys::TimestampTz,
    /// What is kept of streams in this database.
    pub(crate) keeping: Keeping,
    /// Whether the events that were read are those of the window alone.
    pub(crate) looks_back: bool,
    /// Whether they came without their subjects.
    pub(crate) cites: bool,
}

impl Terms<'_> {
    fn is_calibrated(&self) -> bool {
        self.config.ghost_model == GhostModel::Calibrated
    }
}

/// Everything about one user.
pub(crate) struct Gathered<'a> {
    terms: Terms<'a>,
    today: Day,
    id: [u8; 16],
    pub(crate) user: User<'a>,
    /// The texts of the events of the window, and of the older ones behind them.
    texts: [Unpacked<'a, EventRow>; 2],
    /// How many events do not have their texts among the older ones.
    recent: usize,
    meetings: Vec<MeetingRow>,
    meeting_texts: Unpacked<'a, MeetingRow>,
    meetings_of: Chains,
    deals: Vec<DealsRow>,
    deal_texts: Unpacked<'a, DealsRow>,
    deals_of: Chains,
    standings: Vec<Standing<'a>>,
    past: Vec<PastRow>,
    past_texts: Unpacked<'a, PastRow>,
    past_of: Chains,
    opens_tracked: bool,
    /// Subjects of events that came without, by id.
    subjects: ByEvent<Option<Cow<'a, str>>>,
    /// Automated events among those that came without that mark.
    automated: HashSet<u128>,
}

impl<'a> Gathered<'a> {
    /// Puts together what was read; `automated` names events that came without that mark.
    pub(crate) fn new(terms: Terms<'a>, sources: &Sources<'a>, automated: HashSet<u128>) -> Self {
        let texts = sources.events;
        let user = User::new(sources.targets, texts.iter());
        let meeting_texts = Unpacked::new(sources.meetings);
        let meetings: Vec<MeetingRow> = meeting_texts.iter().collect();
        let deal_texts = Unpacked::new(sources.deals);
        let deals: Vec<DealsRow> = deal_texts.iter().collect();
        let today = day_of(terms.as_of);
        let count = user.targets.len();
        Self {
            terms,
            today,
            id: sources.user,
            texts: [texts, Unpacked::new(None)],
            recent: texts.len(),
            meetings_of: Chains::new(count, meetings.iter().map(|row| user.place(row.of))),
            meetings,
            meeting_texts,
            deals_of: Chains::new(count, deals.iter().map(|row| user.place(row.of))),
            deals,
            deal_texts,
            standings: terms.keeping.standings(&user.targets, sources.streams),
            past: Vec::new(),
            past_texts: Unpacked::new(None),
            past_of: Chains::new(count, std::iter::empty()),
            opens_tracked: sources.opens_tracked,
            subjects: ByEvent::default(),
            automated,
            user,
        }
    }

    /// Takes in what kept states know, and returns what is to be looked up before anything can be scored.
    pub(crate) fn lacks(&mut self) -> Vec<Lack> {
        let standings = Standings {
            user: &self.user,
            window: self.terms.window,
            of_targets: self.terms.is_calibrated().then_some(&*self.standings),
            looks_back: self.terms.looks_back,
        };
        let Lacking { lacks, kept } = standings.lacking();
        for standing in kept.places.iter().map(|place| &self.standings[*place]) {
            let subject = standing.newest.as_ref().and_then(Newest::subject);
            let owned = |text: &str| Cow::from(text.to_owned());
            let owned = subject.map(|(id, subject)| (EventId(id), subject.map(owned)));
            self.subjects.extend(owned);
        }
        self.user.add(kept.rows.into_iter());
        lacks
    }

    /// Takes in events and days from before the window.
    pub(crate) fn add_older(&mut self, events: Option<&'a [u8]>, past: Option<&'a [u8]>) {
        self.texts[1] = Unpacked::new(events);
        // Behind those of kept states, which have no texts at all.
        self.recent = self.user.events.len();
        self.user.add(self.texts[1].iter());
        self.past_texts = Unpacked::new(past);
        self.past = self.past_texts.iter().collect();
        let owners = self.past.iter().map(|row| self.user.place(row.of));
        self.past_of = Chains::new(self.user.targets.len(), owners);
    }

    /// Takes in subjects.
    pub(crate) fn add_subjects(&mut self, subjects: Option<&'a [u8]>) {
        let texts: Unpacked<'a, SubjectRow> = Unpacked::new(subjects);
        self.subjects.extend(texts.iter().map(|row| {
            let subject = texts.text(row.subject).map(Cow::from);
            (EventId(u128::from_be_bytes(row.event)), subject)
        }));
    }

    /// Scores what is due, into `all`.
    pub(crate) fn score(&self, all: &mut Vec<Scored>) {
        let mut events = Vec::new();
        for place in self.due() {
            self.events(place, &mut events);
            all.push(self.scored(place, &events));
        }
    }

    fn due(&self) -> impl Iterator<Item = usize> + '_ {
        let targets = self.user.targets.iter().enumerate();
        targets
            .filter(|(_, target)| !target.is_fresh())
            .map(|(place, _)| place)
    }

    fn scored(&self, place: usize, events: &[Event<'_>]) -> Scored {
        let target = &self.user.targets[place];
        let deals = self.deals_of.of(place).next().map(|row| &self.deals[row]);
        let meetings = self.meetings(place);
        let inputs = RelationshipInputs {
            interactions: events,
            meetings: &meetings,
            opens_tracked: self.opens_tracked,
            total_deal_value: deals.map_or(0.0, |deals| deals.value),
            at_risk_deal_value: deals.map_or(0.0, |deals| deals.at_risk),
        };
        let mut measured = relationship::measure(&inputs, to_instant(self.terms.as_of));
        let (mut silence, sealed) = self.silence(place, target);
        let (config, contact) = (self.terms.config, target.contact());
        let score = relationship::score_with(&measured.metrics, silence.as_ref(), config);
        if contact.is_none() {
            // A company is no one who could fall silent: the signals are a contact's.
            measured.signals.clear();
            silence = silence.map(|said| Assessment {
                days_until_predicted_ghost: None,
                ..said
            });
        }
        Scored {
            user: self.id,
            contact,
            company: contact.is_none().then_some(target.owner().id),
            score_id: target.score_id().unwrap_or_else(datums::new_id),
            is_new: target.score_id().is_none(),
            row: target.row(),
            previous: Previous {
                score: target.overall(),
                status: target.status(&self.user.target_texts).map(str::to_owned),
                ghost_risk: target.ghost_risk(),
            },
            looks_back: target.looks_back(),
            deals: deals.map(|deals| self.sums(deals)),
            score,
            measured,
            silence,
            sealed,
            kept_signals: OnceCell::new(),
        }
    }

    fn sums(&self, deals: &DealsRow) -> Sums {
        let exact = |text: Text| self.deal_texts.bytes(text).map(<[u8]>::to_vec);
        Sums {
            count: deals.count,
            value: exact(deals.exact_value),
            at_risk: exact(deals.exact_at_risk),
        }
    }

    /// The events of a target, in the place of what `events` held.
    fn events<'s>(&'s self, place: usize, events: &mut Vec<Event<'s>>) {
        events.clear();
        let (window, recent) = (self.texts[0].len(), self.recent);
        let is_told = |index: usize| {
            let bare = &self.user.events[index];
            let told_by = |other: usize| bare.is_told_by(&self.user.events[other]);
            // Only what was looked up beside the window may be bare.
            index >= window && self.user.events_of(place).any(told_by)
        };
        for index in self.user.events_of(place).filter(|index| !is_told(*index)) {
            let row = &self.user.events[index];
            let subject = self.texts[usize::from(index >= recent)].text(row.subject);
            let subject = subject.or_else(|| self.subjects.get(&EventId(row.id()))?.as_deref());
            events.push(Event { row, subject });
        }
    }

    /// The meetings of a target. Of the newest one held alone the title is told.
    fn meetings(&self, place: usize) -> Vec<Meeting> {
        let as_of = to_instant(self.terms.as_of);
        let rows = || self.meetings_of.of(place).map(|row| &self.meetings[row]);
        let held = rows()
            .map(MeetingRow::start)
            .filter(|start| *start <= as_of);
        let newest = held.max();
        rows()
            .map(|row| {
                let mut meeting = row.meeting();
                if newest == Some(meeting.start) {
                    meeting.title = self.meeting_texts.text(row.title).map(str::to_owned);
                }
                meeting
            })
            .collect()
    }

    /// What the model says, and a state to keep.
    fn silence(&self, place: usize, target: &TargetRow) -> (Option<Assessment>, Option<Sealed>) {
        if !self.terms.is_calibrated() {
            return (None, None);
        }
        let config = self.terms.config;
        let standing = &self.standings[place];
        let state = standing.state.map(|(state, _)| state);
        let days = self.days(place);
        let streams = streams_of(state, &days, self.today, &config.silence);
        let said = silence::assess(&streams, self.today, config.ghost_cutoff, &config.silence);
        let sealed = standing.seal_day.map(|day| Sealed {
            changes: standing.changes,
            members: target.members,
            day,
            state: self.seal(place, day, &streams_of(state, &days, day, &config.silence)),
        });
        (said, sealed)
    }

    fn seal(&self, place: usize, day: Day, streams: &Streams) -> Vec<u8> {
        if !self.terms.keeping.newest {
            return seal(day, streams);
        }
        let mut events = Vec::new();
        self.events(place, &mut events);
        let newest = Newest::of(events.into_iter(), start_of(day + 1));
        seal_with(day, streams, &newest)
    }

    /// The days of the window and, where a state lacks them, those before; ascending.
    fn days(&self, place: usize) -> Vec<(Day, bool)> {
        let in_window = |event: &&EventRow| {
            event.at >= self.terms.window
                && event.at <= self.terms.as_of
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
