//! Scores one target.

use std::cell::OnceCell;

use crm_health_scoring::interaction::Direction;
use crm_health_scoring::relationship;
use crm_health_scoring::silence::stream::Day;
use crm_health_scoring::silence::{self, Assessment, Streams};

use super::{Gathered, Target};
use crate::datums;
use crate::explain::relationship_reasons_of;
use crate::gather::batch::{Previous, Scored, Sums};
use crate::gather::events::EventRow;
use crate::gather::newest::Newest;
use crate::gather::packed::Text;
use crate::gather::streams::Sealed;
use crate::gather::targets::DealsRow;
use crate::ghost::days::{day_of, decode, start_of};
use crate::ghost::streams::{seal, seal_with, streams_of};
use crate::refresh::{Kind, worsens};

impl Gathered<'_> {
    /// Scores a target.
    pub(crate) fn scored(&self, rows: &Target<'_, '_>) -> Scored {
        let target = &self.user.targets[rows.place];
        let deals = self.deals(rows.place);
        let mut measured = rows.ordered.measure();
        let (mut silence, sealed) = self.silence(rows);
        let (config, contact) = (self.terms.config, target.contact());
        let score = relationship::score_with(&measured.metrics, silence.as_ref(), config);
        let previous = target.status(&self.user.target_texts);
        let is_told = worsens(Kind::Relationships, previous, score.health_status.as_str());
        let reasons = is_told.then(|| {
            let silence = silence.map(|said| said.with_days(&self.days(rows), self.today));
            relationship_reasons_of(&measured, silence.as_ref(), &score, config)
        });
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
                status: previous.map(str::to_owned),
                ghost_risk: target.ghost_risk(),
            },
            looks_back: target.looks_back(),
            deals: deals.map(|deals| self.sums(deals)),
            score,
            measured,
            silence,
            sealed,
            reasons,
            kept_signals: OnceCell::new(),
        }
    }

    pub(super) fn deals(&self, place: usize) -> Option<&DealsRow> {
        self.deals_of.of(place).next().map(|row| &self.deals[row])
    }

    fn sums(&self, deals: &DealsRow) -> Sums {
        let exact = |text: Text| self.deal_texts.bytes(text).map(<[u8]>::to_vec);
        Sums {
            count: deals.count,
            value: exact(deals.exact_value),
            at_risk: exact(deals.exact_at_risk),
        }
    }

    /// What the model says, and a state to keep.
    fn silence(&self, rows: &Target<'_, '_>) -> (Option<Assessment>, Option<Sealed>) {
        if !self.terms.is_calibrated() {
            return (None, None);
        }
        let config = self.terms.config;
        let standing = &self.standings[rows.place];
        let state = standing.state.map(|(state, _)| state);
        let days = self.days(rows);
        let streams = streams_of(state, &days, self.today, &config.silence);
        let said = silence::assess(&streams, self.today, config.ghost_cutoff, &config.silence);
        let sealed = standing.seal_day.map(|day| Sealed {
            changes: standing.changes,
            members: self.user.targets[rows.place].members,
            day,
            state: self.seal(rows, day, &streams_of(state, &days, day, &config.silence)),
        });
        (said, sealed)
    }

    fn seal(&self, rows: &Target<'_, '_>, day: Day, streams: &Streams) -> Vec<u8> {
        if !self.terms.keeping.newest {
            return seal(day, streams);
        }
        let newest = Newest::of(rows.events.iter().copied(), start_of(day + 1));
        seal_with(day, streams, &newest)
    }

    /// The days of the window and, where a state lacks them, those before; ascending.
    fn days(&self, rows: &Target<'_, '_>) -> Vec<(Day, bool)> {
        let in_window = |event: &&EventRow| {
            event.at >= self.terms.window
                && event.at <= self.terms.as_of
                && !event.is_automated()
                && (self.automated.is_empty() || !self.automated.contains(&event.id()))
        };
        let place = rows.place;
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
