//! What is held about one contact: handed out, or erased.
//!
//! Rows of the contact's own go; in the user's other rows the contact's name and address are
//! replaced. All is done as the owner of the scores, who must be allowed to; the outbox, which is
//! the extension's, as the owner of the extension.

use pgrx::datum::{JsonB, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::{Map, Value, json};

use crate::crm::{Crm, Relation};
use crate::error::{Error, Result, or_raise};
use crate::raw::pg_function;
use crate::settings::Settings;
use crate::{caller, citus, crm, outbox, refresh};

/// What stands in the place of a name.
const ERASED: &str = "[erased]";

/// A shorter name would be found in other words: "Ann" in "Annual". One of several words, or an
/// address, is told apart.
const SHORTEST_WORD: usize = 6;
const SHORTEST_NAME: usize = 3;

/// Rows that are the contact's own, in the order in which they can go. `{scores}` is the table of
/// relationship scores, `$1` the contact.
const OWN_ROWS: [(&str, &str); 7] = [
    (
        "ghost_detection_signals",
        "t.relationship_health_id IN (SELECT s.id FROM {scores} s WHERE s.contact_id = $1)",
    ),
    (
        "relationship_health_history",
        "t.relationship_health_id IN (SELECT s.id FROM {scores} s WHERE s.contact_id = $1)",
    ),
    ("relationship_health_scores", "t.contact_id = $1"),
    ("communication_events", "t.contact_id = $1"),
    // After the events: a trigger of theirs marks the streams that they belonged to.
    ("contact_streams", "t.target_id = $1"),
    ("meeting_contacts", "t.contact_id = $1"),
    ("contacts", "t.id = $1"),
];

/// Other rows of the user, whose texts may mention the contact, by the column of the user.
const MENTIONS: [(&str, &str); 7] = [
    ("communication_events", "user_id"),
    ("relationship_health_scores", "user_id"),
    ("ghost_detection_signals", "user_id"),
    ("deal_health_alerts", "user_id"),
    ("meetings", "owner_user_id"),
    ("activities", "user_id"),
    ("deals", "owner_id"),
];

/// Where other users may have rows of the contact: on other servers, where Citus spreads them.
const COLLEAGUES: [&str; 2] = ["communication_events", "relationship_health_scores"];
const OF_COLLEAGUES: &str = "t.contact_id = $1 AND t.user_id <> $2";

const OUTBOX_TEXTS: [&str; 4] = ["title", "detail", "next_step", "data"];

pg_function! {
    /// `crm_health.forget_contact(p_contact_id)`
    fn forget_contact(fcinfo) {
        answer(fcinfo, forget)
    }
}

pg_function! {
    /// `crm_health.export_contact(p_contact_id)`
    fn export_contact(fcinfo) {
        answer(fcinfo, export)
    }
}

fn answer(fcinfo: pg_sys::FunctionCallInfo, work: fn(&Subject) -> Result<Value>) -> pg_sys::Datum {
    // SAFETY: the argument is declared uuid.
    let contact = unsafe { pg_getarg::<Uuid>(fcinfo, 0) };
    let done =
        contact.map(|contact| JsonB(or_raise(Subject::find(contact).and_then(|s| work(&s)))));
    // SAFETY: says that a NULL is returned.
    done.into_datum().unwrap_or_else(|| unsafe {
        (*fcinfo).isnull = true;
        pg_sys::Datum::null()
    })
}

/// A contact whose data the caller may have.
struct Subject {
    contact: Uuid,
    user: Uuid,
    /// Matches the contact's name and address, in any case; `None` where neither is known.
    pattern: Option<String>,
    crm: std::rc::Rc<Crm>,
    owner: pg_sys::Oid,
}

impl Subject {
    fn find(contact: Uuid) -> Result<Self> {
        let settings = Settings::read()?;
        let crm = crm::current(&settings.crm_schema)?;
        let owner = crm.score_owner()?;
        let unknown = || Error::UnknownContact(contact.to_string());
        let _owner = crm.as_owner(owner);
        let (user, names) = Spi::connect(|client| {
            let rows = client.select(
                format!(
                    "SELECT c.owner_id, c.email, c.full_name, concat_ws(' ', c.first_name, c.last_name), \
                     c.last_name || ', ' || c.first_name FROM {} c WHERE c.id = $1",
                    crm.source("contacts")?
                )
                .as_str(),
                Some(1),
                &[contact.into()],
            )?;
            if rows.is_empty() {
                return Err(unknown());
            }
            let row = rows.first();
            let user: Uuid = row.get(1)?.ok_or_else(unknown)?;
            let mut names: Vec<String> = Vec::new();
            for column in 2..=5 {
                names.extend(row.get::<String>(column)?);
            }
            Ok((user, names))
        })?;
        caller::authorize(&[user], Some(owner), &settings.trusted_roles)?;
        Ok(Self {
            contact,
            user,
            pattern: pattern(&names),
            crm,
            owner,
        })
    }

    fn qualified(&self, table: &str) -> Result<String> {
        Ok(self
            .crm
            .writable(table, &["contact_id", "user_id"])?
            .qualified())
    }

    /// The work of the server that has the user's rows.
    fn elsewhere(&self, call: &str) -> Result<Value> {
        let settings = Settings::read()?;
        let arguments = json!({"id": self.contact.to_string(), "as_of": 0});
        citus::value(self.user, call, &arguments, &settings)
    }

    /// The tables that hold rows of the contact's own, with the condition for them.
    fn own_rows(&self) -> Result<Vec<(&'static str, &Relation, String)>> {
        let scores = self
            .crm
            .score_table("relationship_health_scores")?
            .qualified();
        let known = OWN_ROWS.iter().filter_map(|(name, condition)| {
            let table = self
                .crm
                .find(name)
                .filter(|_| self.crm.is_kept_here(name))?;
            Some((*name, table, condition.replace("{scores}", &scores)))
        });
        Ok(known.collect())
    }
}

/// A regular expression for any of the names, as text and as JSON has it.
fn pattern(names: &[String]) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        let is_word = !name.contains(|letter: char| letter.is_whitespace() || letter == '@');
        let shortest = if is_word {
            SHORTEST_WORD
        } else {
            SHORTEST_NAME
        };
        if name.chars().count() < shortest {
            continue;
        }
        let quoted = Value::from(name).to_string();
        for form in [name, &quoted[1..quoted.len() - 1]] {
            let literal: String = form
                .chars()
                .flat_map(|letter| {
                    let plain = letter.is_alphanumeric() || letter.is_whitespace();
                    (!plain).then_some('\\').into_iter().chain([letter])
                })
                .collect();
            if !found.contains(&literal) {
                found.push(literal);
            }
        }
    }
    (!found.is_empty()).then(|| found.join("|"))
}

fn forget(subject: &Subject) -> Result<Value> {
    let (mut deleted, mut scrubbed, mut left) = (Map::new(), Map::new(), Vec::new());
    if subject.crm.is_spread() {
        let mut elsewhere = subject.elsewhere("forget_contact")?;
        for (of, counts) in [("deleted", &mut deleted), ("scrubbed", &mut scrubbed)] {
            if let Value::Object(known) = elsewhere[of].take() {
                *counts = known;
            }
        }
        for table in COLLEAGUES {
            let statement = format!(
                "DELETE FROM {} t WHERE {OF_COLLEAGUES}",
                subject.qualified(table)?
            );
            let count = run(&statement, &[subject.contact.into(), subject.user.into()])?;
            let all = deleted[table].as_u64().unwrap_or(0) + count as u64;
            deleted.insert(table.to_owned(), all.into());
        }
    }
    {
        let _owner = subject.crm.as_owner(subject.owner);
        refresh::lock(&[subject.user])?;
        for (name, table, condition) in subject.own_rows()? {
            if !matches!(table.kind.as_str(), "r" | "p") {
                left.push(name);
                continue;
            }
            let statement = format!("DELETE FROM {} t WHERE {condition}", table.qualified());
            deleted.insert(
                name.to_owned(),
                run(&statement, &[subject.contact.into()])?.into(),
            );
        }
        for (name, user) in MENTIONS {
            let Some(table) = subject
                .crm
                .find(name)
                .filter(|table| table.kind == "r" || table.kind == "p")
                .filter(|_| subject.crm.is_kept_here(name))
            else {
                continue;
            };
            let texts: Vec<&str> = text_columns(table);
            let count = scrub(&table.qualified(), &texts, user, subject)?;
            scrubbed.insert(name.to_owned(), count.into());
        }
    }
    if subject.crm.part == 0 && outbox::is_there()? {
        let count = run(
            "DELETE FROM crm_health.notifications n WHERE n.subject_type = 'contact' AND n.subject_id = $1::text",
            &[subject.contact.into()],
        )?;
        deleted.insert("notifications".to_owned(), count.into());
        let count = scrub(
            "crm_health.notifications",
            &OUTBOX_TEXTS,
            "user_id",
            subject,
        )?;
        scrubbed.insert("notifications".to_owned(), count.into());
    }
    Ok(json!({"deleted": deleted, "scrubbed": scrubbed, "left": left}))
}

fn export(subject: &Subject) -> Result<Value> {
    let mut found = Map::new();
    if subject.crm.is_spread() {
        if let Value::Object(known) = subject.elsewhere("export_contact")? {
            found = known;
        }
        for table in COLLEAGUES {
            let arguments = [subject.contact.into(), subject.user.into()];
            let more = rows(&subject.qualified(table)?, OF_COLLEAGUES, &arguments)?;
            if let (Some(Value::Array(known)), Value::Array(more)) = (found.get_mut(table), more) {
                known.extend(more);
            }
        }
    }
    {
        let _owner = subject.crm.as_owner(subject.owner);
        for (name, table, condition) in subject.own_rows()? {
            // A cache of what the events say, in a form of its own.
            if name != "contact_streams" {
                let rows = rows(&table.qualified(), &condition, &[subject.contact.into()])?;
                found.insert(name.to_owned(), rows);
            }
        }
        for (name, user) in MENTIONS {
            let table = subject
                .crm
                .find(name)
                .filter(|_| subject.crm.is_kept_here(name));
            if let (Some(table), Some(pattern)) = (table, &subject.pattern) {
                let texts = text_columns(table);
                if texts.is_empty() {
                    continue;
                }
                let own = if table.has("contact_id") {
                    "AND t.contact_id IS DISTINCT FROM $3"
                } else {
                    "AND $3::uuid IS NOT NULL"
                };
                let condition = format!("t.{user} = $1 AND ({}) {own}", matching(&texts, "$2"));
                let arguments = [
                    subject.user.into(),
                    pattern.as_str().into(),
                    subject.contact.into(),
                ];
                let mentions = rows(&table.qualified(), &condition, &arguments)?;
                found.insert(format!("{name}_that_mention_it"), mentions);
            }
        }
    }
    if subject.crm.part == 0 && outbox::is_there()? {
        let notifications = rows(
            "crm_health.notifications",
            "t.subject_type = 'contact' AND t.subject_id = $1::text",
            &[subject.contact.into()],
        )?;
        found.insert("notifications".to_owned(), notifications);
    }
    Ok(Value::Object(found))
}

/// The columns of a table that hold free text.
fn text_columns(table: &Relation) -> Vec<&str> {
    let mut columns: Vec<&str> = table
        .columns
        .iter()
        .filter(|(_, sql_type)| {
            matches!(sql_type.as_str(), "text" | "text[]" | "jsonb" | "json")
                || sql_type.starts_with("character varying")
        })
        .map(|(name, _)| name.as_str())
        .collect();
    columns.sort_unstable();
    columns
}

fn matching(columns: &[&str], pattern: &str) -> String {
    let tests: Vec<String> = columns
        .iter()
        .map(|name| format!("t.{}::text ~* {pattern}", pgrx::spi::quote_identifier(name)))
        .collect();
    tests.join(" OR ")
}

/// Replaces the contact's name and address in the user's rows of a table.
fn scrub(table: &str, columns: &[&str], user: &str, subject: &Subject) -> Result<usize> {
    let Some(pattern) = subject.pattern.as_ref().filter(|_| !columns.is_empty()) else {
        return Ok(0);
    };
    let mut count = 0;
    for name in columns {
        let column = pgrx::spi::quote_identifier(name);
        // Through the type's own text, and back to what the column is.
        let typed = format!(
            "(jsonb_populate_record(t, jsonb_build_object($4, {})))",
            replaced(&column)
        );
        let statement = format!(
            "UPDATE {table} t SET {column} = {typed}.{column} \
             WHERE t.{user} = $1 AND t.{column}::text ~* $2 AND $3::text IS NOT NULL"
        );
        let arguments = [
            subject.user.into(),
            pattern.as_str().into(),
            ERASED.into(),
            (*name).into(),
        ];
        count += run(&statement, &arguments)?;
    }
    Ok(count)
}

/// The column as JSON, with every match replaced.
fn replaced(column: &str) -> String {
    format!("regexp_replace(to_jsonb(t.{column})::text, $2, $3, 'gi')::jsonb")
}

fn run(statement: &str, arguments: &[pgrx::datum::DatumWithOid<'_>]) -> Result<usize> {
    Spi::connect_mut(|client| Ok(client.update(statement, None, arguments)?.len()))
}

/// The rows of a table as JSON.
fn rows(
    table: &str,
    condition: &str,
    arguments: &[pgrx::datum::DatumWithOid<'_>],
) -> Result<Value> {
    let statement =
        format!("SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM {table} t WHERE {condition}");
    Spi::connect(|client| {
        let found: Option<JsonB> = client
            .select(statement.as_str(), None, arguments)?
            .first()
            .get(1)?;
        Ok(found.map_or(Value::Null, |JsonB(rows)| rows))
    })
}
