//! The generated CRM.

use uuid::Uuid;

use crate::measure::Session;

/// How much is generated, and how often each run is repeated.
pub(crate) struct Scale {
    pub(crate) users: i32,
    pub(crate) contacts: i32,
    pub(crate) deals: i32,
    pub(crate) events: i32,
    pub(crate) rounds: i32,
}

impl Scale {
    /// `SCALE=small` for a try, `full` or nothing for the real thing.
    pub(crate) fn from_environment() -> Self {
        let (users, rounds) = match std::env::var("SCALE").as_deref() {
            Err(_) | Ok("" | "full") => (200, 5),
            Ok("small") => (20, 3),
            Ok(other) => panic!("SCALE is {other:?}: it can be small or full"),
        };
        Self {
            users,
            contacts: 500,
            deals: 50,
            events: 41,
            rounds,
        }
    }

    /// The first `count` users.
    pub(crate) fn users(&self, session: &mut Session, count: i32) -> Vec<Uuid> {
        let rows = session
            .client
            .query(
                "SELECT bench.id('user', u) FROM generate_series(0, $1::int - 1) AS u",
                &[&count.min(self.users)],
            )
            .expect("users");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// Fills an empty CRM; one that this has filled before is left as it is.
pub(crate) fn load(session: &mut Session, scale: &Scale) {
    let filled: bool = session
        .client
        .query_one("SELECT to_regnamespace('bench') IS NOT NULL", &[])
        .expect("a catalog")
        .get(0);
    if filled {
        return;
    }
    eprintln!("== loading");
    set(
        session,
        &[
            ("users", scale.users),
            ("contacts", scale.contacts),
            ("deals", scale.deals),
        ],
    );
    session.run(include_str!("../../../bench/data.sql"));
    let indexes = drop_indexes(session);
    events(session, (0, scale.users - 1), (-10, 365), scale.events, 0);
    for index in indexes {
        session.run(&index);
    }
    session.run(include_str!("../../../bench/peers.sql"));
    session.run("VACUUM (FREEZE, ANALYZE)");
    session.run("CHECKPOINT");
    session.run("SET synchronous_commit = on");
}

/// Adds events of the users from `first` to `last`, `per_contact` of each contact, between so many
/// days before the instant of the scores. `tag` makes their ids new.
pub(crate) fn events(
    session: &mut Session,
    (first, last): (i32, i32),
    (to_days, from_days): (i32, i32),
    per_contact: i32,
    tag: i32,
) {
    set(
        session,
        &[
            ("first_user", first),
            ("last_user", last),
            ("to_days", to_days),
            ("from_days", from_days),
            ("per_contact", per_contact),
            ("tag", tag),
        ],
    );
    // Rows made of each other need no check that they refer to each other.
    session.run("SET session_replication_role = replica");
    session.run(include_str!("../../../bench/events.sql"));
    session.run("RESET session_replication_role");
}

fn set(session: &mut Session, values: &[(&str, i32)]) {
    for (name, value) in values {
        session.run(&format!("SET bench.{name} = {value}"));
    }
}

/// Drops what slows the loading down, and returns the statements that make it again.
fn drop_indexes(session: &mut Session) -> Vec<String> {
    let rows = session
        .client
        .query(
            "SELECT pg_get_indexdef(i.indexrelid), i.indexrelid::regclass::text, c.conname
             FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
             WHERE i.indrelid = 'public.communication_events'::regclass AND NOT i.indisprimary",
            &[],
        )
        .expect("indexes");
    rows.iter()
        .map(|row| {
            let name: String = row.get(1);
            match row.get::<_, Option<String>>(2) {
                Some(constraint) => session.run(&format!(
                    "ALTER TABLE public.communication_events DROP CONSTRAINT {constraint}"
                )),
                None => session.run(&format!("DROP INDEX {name}")),
            }
            row.get(0)
        })
        .collect()
}
