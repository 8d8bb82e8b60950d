//! Scores what is due of a user: [`Gathered`] has all that was read, [`Rows`] what of it belongs to each
//! target, [`Target`] those rows in order.

mod cited;
mod rows;
mod scored;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use crm_health_scoring::config::{Config, GhostModel};
use crm_health_scoring::silence::stream::Day;
use pgrx::pg_sys;

pub(crate) use cited::Cited;
pub(crate) use rows::{Rows, Target};

use super::events::{EventRow, Subjects};
use super::lacking::{Lack, Lacking, Standings};
use super::newest::Newest;
use super::packed::Unpacked;
use super::streams::{Keeping, PastRow, Standing};
use super::targets::{DealsRow, MeetingRow};
use super::user::{ByEvent, Chains, EventId, User};
use crate::ghost::days::day_of;

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
    /// Where the subjects of all users will be that are looked up.
    pub(crate) looked_up: &'a OnceCell<ByEvent<Option<String>>>,
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
    /// How many events are those of the window, and how many do not have their texts among the older ones.
    window: usize,
    recent: usize,
    subjects: Subjects<'a>,
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
            window: texts.len(),
            recent: texts.len(),
            subjects: Subjects {
                texts: [texts, Unpacked::new(None)],
                known: ByEvent::default(),
                looked_up: sources.looked_up,
            },
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
            self.subjects.known.extend(owned);
        }
        self.user.add(kept.rows.into_iter());
        lacks
    }

    /// Takes in events and days from before the window.
    pub(crate) fn add_older(&mut self, events: Option<&'a [u8]>, past: Option<&'a [u8]>) {
        self.subjects.texts[1] = Unpacked::new(events);
        // Behind those of kept states, which have no texts at all.
        self.recent = self.user.events.len();
        self.user.add(self.subjects.texts[1].iter());
        self.past_texts = Unpacked::new(past);
        self.past = self.past_texts.iter().collect();
        let owners = self.past.iter().map(|row| self.user.place(row.of));
        self.past_of = Chains::new(self.user.targets.len(), owners);
    }
}
