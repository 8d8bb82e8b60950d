//! Ours beside (a) row by row, (b) one statement by an expert, (d) the floor, without and with a history.

use std::time::{Duration, SystemTime};

use crate::data::Scale;
use crate::measure::{Cost, Session};
use crate::report;

/// The instant of the scores, 2026-06-01 07:00 UTC, and `days` later.
pub(crate) fn as_of(days: i32) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_297_200 + 86_400 * days as u64)
}

const PER_ROW: &str =
    "SELECT r.contact_id, r.health_score FROM unnest($1::uuid[]) u, bench.per_row(u, $2) r";
const SET_BASED: &str = "SELECT contact_id, health_score FROM bench.set_based($1, $2)";
const UPSERTED: &str = "SELECT contact_id, health_score FROM bench.upserted($1, $2)";
const OURS: &str =
    "SELECT contact_id, health_score FROM crm_health.refresh_relationships($1, 0, $2)";
const FLOOR: &str = "SELECT * FROM bench.floor($1, $2)";
const FLOOR_WITH_HISTORY: &str = "SELECT * FROM bench.floor_with_history($1, $2)";

/// The kind that others are compared with: (b).
const COMPARED: usize = 1;

/// Contacts, with the indexes that `sql/crm` makes.
pub(crate) fn contacts(session: &mut Session, scale: &Scale) {
    let costs = rounds(session, scale);
    report::table("Contacts, events indexed as sql/crm does", &costs, COMPARED);
}

/// Contacts, with the index that most applications have: ours reads the rows of the events.
pub(crate) fn contacts_plain(session: &mut Session, scale: &Scale) {
    let replaced = Replaced::by(
        session,
        &WITH_TIME[..2],
        &[("bench_plain_idx", "user_id, contact_id, event_timestamp")],
    );
    let costs = rounds(session, scale);
    report::table(
        "Contacts, events indexed by user, contact and time alone",
        &costs,
        COMPARED,
    );
    replaced.undo(session);
}

/// Contacts, without a time in any index.
pub(crate) fn contacts_undated(session: &mut Session, scale: &Scale) {
    let replaced = Replaced::by(
        session,
        &WITH_TIME,
        &[
            ("bench_user_idx", "user_id"),
            ("bench_contact_idx", "contact_id"),
            ("bench_deal_idx", "deal_id"),
        ],
    );
    let costs = rounds(session, scale);
    report::table(
        "Contacts, events indexed by user and by contact only",
        &costs,
        COMPARED,
    );
    replaced.undo(session);
}

fn rounds(session: &mut Session, scale: &Scale) -> Vec<(String, Vec<Cost>)> {
    let users = scale.users(session, scale.users);
    let kinds = [
        ("(a) row by row, simple formula", PER_ROW),
        ("(b) one statement, simple formula", SET_BASED),
        ("(b+) the same, new contacts too", UPSERTED),
        (
            "(d) floor: rows written, events read, nothing computed",
            FLOOR,
        ),
        (
            "(d+) the same, and snapshots of one in six",
            FLOOR_WITH_HISTORY,
        ),
        ("(c) ours, full model, a day later", OURS),
        ("(c) ours, full model, nothing changed", OURS),
    ];
    let mut costs: Vec<(String, Vec<Cost>)> =
        kinds.map(|(name, _)| (name.to_owned(), Vec::new())).into();
    // The first runs make the rows that the others update.
    session.measure(PER_ROW, &[&[&users, &as_of(0)]]);
    session.measure(OURS, &[&[&users, &as_of(0)]]);
    for round in 1..=scale.rounds {
        eprintln!("== round {round} of {}", scale.rounds);
        for (slot, (_, sql)) in kinds.iter().enumerate() {
            tidy(session);
            costs[slot]
                .1
                .push(session.measure(sql, &[&[&users, &as_of(round)]]));
        }
    }
    // The floors return no rows of their own; they wrote as many as the peers.
    let rows = costs[0].1[0].rows;
    let floors = costs
        .iter_mut()
        .zip(kinds)
        .filter(|(_, (_, sql))| [FLOOR, FLOOR_WITH_HISTORY].contains(sql));
    for ((_, costs), _) in floors {
        costs.iter_mut().for_each(|cost| cost.rows = rows);
    }
    costs
}

/// What autovacuum would have done between two nights.
pub(crate) fn tidy(session: &mut Session) {
    session.run(
        "VACUUM public.relationship_health_scores, public.deal_health_scores, bench.relationship_scores",
    );
}

/// Indexes with a time in them, by their names.
const WITH_TIME: [&str; 5] = [
    "communication_events_contact_time_idx",
    "communication_events_time_idx",
    "communication_events_automated_idx",
    "communication_events_deal_idx",
    "communication_events_company_idx",
];

/// Indexes that others stand in for.
struct Replaced {
    /// What makes them again.
    definitions: Vec<String>,
    instead: Vec<&'static str>,
}

impl Replaced {
    fn by(session: &mut Session, names: &[&str], instead: &[(&'static str, &str)]) -> Self {
        let mut definitions = Vec::new();
        for name in names {
            let sql = "SELECT pg_get_indexdef($1::text::regclass)";
            let found = session.client.query_one(sql, &[name]).expect("an index");
            definitions.push(found.get(0));
            session.run(&format!("DROP INDEX public.{name}"));
        }
        for (name, columns) in instead {
            session.run(&format!(
                "CREATE INDEX {name} ON public.communication_events ({columns})"
            ));
        }
        session.run("ANALYZE public.communication_events");
        Self {
            definitions,
            instead: instead.iter().map(|(name, _)| *name).collect(),
        }
    }

    fn undo(self, session: &mut Session) {
        for name in self.instead {
            session.run(&format!("DROP INDEX public.{name}"));
        }
        for definition in self.definitions {
            session.run(&definition);
        }
        session.run("VACUUM (ANALYZE) public.communication_events");
    }
}

/// Deals beside their floor.
pub(crate) fn deals(session: &mut Session, scale: &Scale) {
    const OURS: &str = "SELECT deal_id FROM crm_health.refresh_deals($1, 0, $2)";
    let users = scale.users(session, scale.users);
    session.measure(OURS, &[&[&users, &as_of(0)]]);
    let kinds = ["a day later", "nothing changed"];
    let mut costs: Vec<(String, Vec<Cost>)> = kinds
        .map(|name| (format!("ours, {name}"), Vec::new()))
        .into();
    for round in 1..=scale.rounds {
        for (_, costs) in &mut costs {
            tidy(session);
            costs.push(session.measure(OURS, &[&[&users, &as_of(round)]]));
        }
    }
    report::table("Deals, full model", &costs, 0);
}
