//! The events of several users, read in one pass.

use std::collections::HashMap;
use std::rc::Rc;

use pgrx::datum::Uuid;
use pgrx::{IntoDatum, pg_sys};

use super::{TOGETHER, USERS_AT_ONCE, WINDOW};
use crate::error::Result;
use crate::gather::events::Events;
use crate::gather::own::uuid;
use crate::owner::Options;
use crate::refresh::after::Refresh;
use crate::refresh::events::Access;
use crate::refresh::{is_calibrated, statements};
use crate::statement::{Statement, kept};

/// Events of users, who are the first of those that were asked for.
pub(super) struct Together {
    statements: Rc<statements::Together>,
    users: usize,
    events: HashMap<[u8; 16], Events>,
}

impl Together {
    /// Reads the events of as many of the users as fit into memory, in an open SPI connection and by the snapshot in
    /// force.
    pub(super) fn read(
        refresh: &Refresh<'_>,
        users: &[Uuid],
        as_of: pg_sys::TimestampTz,
    ) -> Result<Self> {
        let (crm, calibrated) = (refresh.crm, is_calibrated(refresh.config));
        let make = || statements::Together::new(crm, calibrated);
        let together = kept(&TOGETHER, (calibrated, crm.part), crm.generation, make)?;
        // An index that holds all has each user's events together: a round at a time, more would spare nothing.
        let users = if together.access == Access::Covered {
            &users[..users.len().min(USERS_AT_ONCE)]
        } else {
            users
        };
        // A job for the night, like those that this setting is for.
        // SAFETY: reads a setting.
        let room = unsafe { pg_sys::maintenance_work_mem }.unsigned_abs() as usize * 1024;
        let mut read = Reading::of(users, room);
        let window = as_of - WINDOW;
        let from = if together.all { i64::MIN } else { window };
        let values = [
            users.to_vec().into_datum(),
            Some(pg_sys::Datum::from(as_of)),
            Some(pg_sys::Datum::from(from)),
        ];
        // At worst each page is read once, and in their order: never the whole history because random reads are
        // said to be dear.
        let _plans = if together.access == Access::All {
            Options::custom_plans()
        } else {
            Options::custom_plans_by_index()
        };
        // SAFETY: the values and columns are those of events_together.sql.
        unsafe {
            together.events.stream(&values, |row: [_; 17]| {
                read.keep(&row, window);
                true
            });
        }
        let Reading { users, events, .. } = read;
        Ok(Self {
            users,
            events,
            statements: together,
        })
    }

    /// Of how many users the events are here.
    pub(super) fn users(&self) -> usize {
        self.users
    }

    /// The statement that reads the rest of them.
    pub(super) fn gather(&self) -> &Statement {
        &self.statements.gather
    }

    /// The events of a user, which are here no more.
    pub(super) fn take(&mut self, user: [u8; 16]) -> Events {
        self.events.remove(&user).unwrap_or_default()
    }
}

/// Events as they come in. Where they outgrow their room the users are halved, and the others left for another pass.
struct Reading<'a> {
    all: &'a [Uuid],
    users: usize,
    events: HashMap<[u8; 16], Events>,
    room: usize,
    size: usize,
}

impl<'a> Reading<'a> {
    fn of(users: &'a [Uuid], room: usize) -> Self {
        let events = users
            .iter()
            .map(|user| (*user.as_bytes(), Events::default()));
        Self {
            all: users,
            users: users.len(),
            events: events.collect(),
            room,
            size: 0,
        }
    }

    /// # Safety
    /// The row must be one of events_together.sql.
    unsafe fn keep(&mut self, row: &[Option<pg_sys::Datum>; 17], window: pg_sys::TimestampTz) {
        let user = unsafe { uuid(*row, 0) };
        let Some(events) = user.and_then(|user| self.events.get_mut(&user)) else {
            return;
        };
        let before = events.size();
        // SAFETY: as the caller promises.
        unsafe { events.keep(*row, Some(window)) };
        self.size += events.size() - before;
        while self.size > self.room && self.users > 1 {
            self.halve();
        }
    }

    fn halve(&mut self) {
        let kept = self.users.div_ceil(2);
        for user in &self.all[kept..self.users] {
            let left = self.events.remove(user.as_bytes());
            self.size -= left.map_or(0, |events| events.size());
        }
        self.users = kept;
    }
}
