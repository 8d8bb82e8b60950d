//! The statements of [`whole`](super::whole), made for a CRM as it is found.

use pgrx::pg_sys;

use super::events::{self, Access};
use super::ghost_rows;
use super::relationships::{COMPUTED, TABLE, history_template, user_older_events};
use super::signals::Signals;
use super::silence;
use super::template::Template;
use super::writes::{assignments, score_columns};
use crate::crm::{Crm, Relation};
use crate::error::Result;
use crate::gather::batch::{self, Part};
use crate::statement::Statement;

/// Prepared statements, and how they reach the events.
pub(super) struct Statements {
    pub(super) gather: Statement,
    pub(super) lookups: Statement,
    pub(super) subjects: Statement,
    /// Where rows can be found by their place.
    pub(super) update: Option<Statement>,
    pub(super) update_by_id: Statement,
    pub(super) insert: Statement,
    /// Where a history is kept.
    pub(super) snapshots: Option<Statement>,
    /// Where ghost signals are kept as rows.
    pub(super) signals: Option<Signals>,
    /// Where streams are kept.
    pub(super) seal: Option<Statement>,
    /// Whether the newest events are kept with the streams.
    pub(super) keeps_newest: bool,
    /// Whether the events that are gathered are those of the window alone.
    pub(super) looks_back: bool,
    /// Whether they come without their subjects.
    pub(super) cites: bool,
}

const UUID: pg_sys::Oid = pg_sys::UUIDOID;
const UUIDS: pg_sys::Oid = pg_sys::UUIDARRAYOID;
const TIME: pg_sys::Oid = pg_sys::TIMESTAMPTZOID;
const TIMES: pg_sys::Oid = pg_sys::TIMESTAMPTZARRAYOID;

impl Statements {
    /// Makes them, for the CRM as it is.
    pub(super) fn new(crm: &Crm, calibrated: bool) -> Result<Self> {
        let scores = crm.score_table(TABLE)?;
        let access = Access::of(crm)?;
        let writing = Writing { crm, scores };
        let keeps_newest = silence::keeps_newest(crm, calibrated)?;
        Ok(Self {
            gather: gather(crm, access, false, calibrated)?,
            lookups: lookups(crm, access)?,
            subjects: subjects(crm)?,
            update: place(scores)
                .map(|place| writing.update(place, pg_sys::TIDARRAYOID))
                .transpose()?,
            update_by_id: writing.update("id", UUIDS)?,
            insert: writing.insert()?,
            snapshots: writing.snapshots()?,
            signals: ghost_rows::usable(crm, scores)
                .map(|rows| Signals::new(crm, rows))
                .transpose()?,
            seal: seal(crm, calibrated)?,
            keeps_newest,
            looks_back: access.looks_back(keeps_newest),
            cites: access == Access::Covered,
        })
    }
}

/// A statement with another number for a parameter. A quoted name may look like one.
fn renumbered(text: &str, from: &str, to: &str) -> String {
    let parts = text.split('"').enumerate();
    let parts = parts.map(|(place, part)| match place % 2 {
        0 => part.replace(from, to),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("\"")
}

/// Where a row lies, in a table that has no parts which might name the same place.
fn place(scores: &Relation) -> Option<&'static str> {
    (scores.kind == "r").then_some("ctid")
}

fn gather(crm: &Crm, access: Access, apart: bool, calibrated: bool) -> Result<Statement> {
    let scores = crm.score_table(TABLE)?;
    let place = place(scores).map_or("NULL::tid".to_owned(), |place| format!("p.{place}"));
    let crm = &crm.with_quick_doubles();
    let keeps_newest = silence::keeps_newest(crm, calibrated)?;
    let column = scores.columns.get("last_meaningful_interaction");
    let last_meaningful = if keeps_newest && column.is_some_and(|of_type| of_type == "jsonb") {
        "p.last_meaningful_interaction"
    } else {
        "NULL::jsonb"
    };
    let template = Template::default()
        .with("scores", scores.qualified())
        .with("place", place)
        .with("last_meaningful", last_meaningful)
        .with(
            "deal_health_scores",
            crm.score_table("deal_health_scores")?.qualified(),
        );
    let template = access.filled(apart, template, crm, keeps_newest)?;
    let template = silence::gathering(template, crm, calibrated)?;
    let text = template.fill(include_str!("../../../sql/refresh/user_gather.sql"), crm)?;
    Ok(Statement::new(
        &text,
        &[UUIDS, TIME, pg_sys::BOOLOID, TIME, TIME],
    ))
}

/// Prepared statements for several users, whose events are read in one pass.
pub(super) struct Together {
    /// Of users $1 up to the instant $2, from the first moment $3 on that counts.
    pub(super) events: Statement,
    /// All but the events, user by user.
    pub(super) gather: Statement,
    pub(super) access: Access,
    /// Whether events from before it are read too, of which the newest serve.
    pub(super) all: bool,
}

impl Together {
    /// Makes them, for the CRM as it is.
    pub(super) fn new(crm: &Crm, calibrated: bool) -> Result<Self> {
        let access = Access::of(crm)?;
        let all = !access.looks_back(silence::keeps_newest(crm, calibrated)?);
        let text = access.together(&crm.with_quick_doubles())?;
        // By the numbers that the parameters have elsewhere.
        let text = renumbered(&renumbered(&text, "$4", "$2"), "$5", "$3");
        Ok(Self {
            events: Statement::new(&text, &[UUIDS, TIME, TIME]),
            gather: gather(crm, access, true, calibrated)?,
            access,
            all,
        })
    }
}

fn lookups(crm: &Crm, access: Access) -> Result<Statement> {
    let template = Template::default()
        .with(
            "older_contact_events",
            user_older_events(crm, "contact_id")?,
        )
        .with(
            "older_company_events",
            user_older_events(crm, "company_id")?,
        )
        .with("days", silence::DAYS);
    let text = match access {
        // Nothing can be looked up one by one.
        Access::All => include_str!("../../../sql/refresh/user_lookups_all.sql"),
        _ => include_str!("../../../sql/refresh/user_lookups.sql"),
    };
    let types = [UUID, UUIDS, UUIDS, TIME, TIME, pg_sys::INT4ARRAYOID, TIMES];
    Ok(Statement::new(&template.fill(text, crm)?, &types))
}

fn subjects(crm: &Crm) -> Result<Statement> {
    let template = Template::default().with("at_that_time", events::at_that_time(crm)?);
    let text = template.fill(include_str!("../../../sql/refresh/user_subjects.sql"), crm)?;
    Ok(Statement::new(&text, &[UUIDS, TIMES, UUIDS]))
}

fn seal(crm: &Crm, calibrated: bool) -> Result<Option<Statement>> {
    if !silence::keeps(crm, calibrated)? {
        return Ok(None);
    }
    let template = silence::sealing(Template::default(), crm, calibrated)?;
    let text = template.fill(include_str!("../../../sql/refresh/user_seal.sql"), crm)?;
    let (numbers, days) = (pg_sys::INT8ARRAYOID, pg_sys::INT4ARRAYOID);
    let types = [
        UUIDS,
        UUIDS,
        UUIDS,
        TIME,
        TIME,
        numbers,
        numbers,
        numbers,
        days,
        pg_sys::BYTEAARRAYOID,
    ];
    Ok(Some(Statement::new(&text, &types)))
}

/// The statements that read the scores just made.
struct Writing<'a> {
    crm: &'a Crm,
    scores: &'a Relation,
}

impl Writing<'_> {
    /// The scores of a part, as a subquery.
    fn scored(&self, part: Part) -> Result<String> {
        let template = score_columns(self.scores, COMPUTED).with("part", part.word());
        template.fill(
            include_str!("../../../sql/refresh/user_scored.sql"),
            self.crm,
        )
    }

    fn filled(&self, part: Part, template: Template<'_>, text: &str) -> Result<String> {
        let template = template
            .with("scores", self.scores.qualified())
            .with("scored", self.scored(part)?);
        let text = template.fill(text, self.crm)?;
        // $4 is the instant in all statements; here it comes first.
        Ok(renumbered(&text, "$4", "$1"))
    }

    fn insert(&self) -> Result<Statement> {
        let text = include_str!("../../../sql/refresh/user_insert.sql");
        let text = self.filled(Part::New, score_columns(self.scores, COMPUTED), text)?;
        Ok(Statement::new(&text, &[TIME]))
    }

    /// Writes rows that are named by `key`, a column of such a type.
    fn update(&self, key: &str, keys: pg_sys::Oid) -> Result<Statement> {
        let columns = COMPUTED.iter().map(|(name, _)| *name);
        let values: Vec<(&str, String)> = columns
            .filter_map(|name| Some((name, batch::expression(name)?)))
            .collect();
        let template = assignments(self.scores, &values, &batch::same_as_row)
            .with("scores", self.scores.qualified())
            .with("key", key);
        let mut text = template.fill(
            include_str!("../../../sql/refresh/user_update.sql"),
            self.crm,
        )?;
        if keys == UUIDS {
            text.push_str("RETURNING s.id");
        }
        Ok(Statement::new(&text, &[TIME, keys]))
    }

    fn snapshots(&self) -> Result<Option<Statement>> {
        let Some(template) = history_template(self.crm)? else {
            return Ok(None);
        };
        let history = self.crm.find("relationship_health_history");
        let ids = history.and_then(|history| history.columns.get("id"));
        // An id of another kind is the table's own matter.
        let (column, value) = match ids.map(String::as_str) {
            Some("uuid") => ("id, ", "($2)[(row_number() OVER ())::int4], "),
            _ => ("", ""),
        };
        let template = template.with("id_column", column).with("id_value", value);
        let text = include_str!("../../../sql/refresh/user_snapshots.sql");
        let text = self.filled(Part::Changed, template, text)?;
        Ok(Some(Statement::new(&text, &[TIME, UUIDS])))
    }
}
