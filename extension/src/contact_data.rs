//! What is held about one contact: handed out, or erased.
//!
//! Rows of the contact's own go; in the user's other rows the contact's name and address are
//! replaced. All is done as the owner of the scores, who must be allowed to; the outbox and the run
//! log, which are the extension's, as the owner of the extension.

mod places;
mod texts;

use pgrx::datum::{JsonB, Uuid};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_getarg, pg_sys};
use serde_json::{Map, Value, json};

use crate::crm::{Crm, Relation};
use crate::error::{Error, Result, or_raise};
use crate::raw::pg_function;
use crate::settings::Settings;
use crate::{caller, citus, crm, outbox, refresh};
use places::{COLLEAGUES, MENTIONS, Mention, OF_COLLEAGUES, OF_OUTBOX, OUTBOX_TEXTS, OWN_ROWS};
use texts::{is_any, matching, own_columns, pattern, rows, run, scrub, text_columns};

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

    /// Replaces the contact's name and address in the user's rows of a table.
    fn scrub(&self, table: &str, columns: &[&str], user: &str) -> Result<usize> {
        let scrub = |of: Uuid, pattern: &str| scrub(table, columns, user, of, pattern);
        Ok(self.of_pattern(scrub)?.unwrap_or(0))
    }

    /// The table that may mention the contact, where it is there.
    fn mentioned_in(&self, mention: &Mention) -> Option<&Relation> {
        let table = self.crm.find(mention.table);
        table.filter(|_| self.crm.is_kept_here(mention.table))
    }

    /// The columns of the application's own that mention the contact, as `table.column`.
    fn mentioned_still(&self, table: &Relation, mention: &Mention) -> Result<Vec<String>> {
        let mut still = Vec::new();
        for column in own_columns(table, mention) {
            let test = matching(&[column], "$2");
            let condition = format!("t.{} = $1 AND {test}", mention.user);
            let found = self.of_pattern(|user, pattern| {
                is_any(&table.qualified(), &condition, user, pattern)
            })?;
            if found == Some(true) {
                still.push(format!("{}.{column}", mention.table));
            }
        }
        Ok(still)
    }

    /// The user's rows of a table that mention the contact and are not its own, by a condition on `$3`.
    fn mentions(
        &self,
        table: &str,
        texts: &[&str],
        user: &str,
        own: &str,
    ) -> Result<Option<Value>> {
        if texts.is_empty() {
            return Ok(None);
        }
        self.of_pattern(|of, pattern| {
            let texts = matching(texts, "$2");
            let condition = format!("t.{user} = $1 AND ({texts}) AND ({own}) IS NOT TRUE");
            rows(
                table,
                &condition,
                &[of.into(), pattern.into(), self.contact.into()],
            )
        })
    }

    /// What is done for the user with the pattern, where there is one.
    fn of_pattern<T>(&self, work: impl Fn(Uuid, &str) -> Result<T>) -> Result<Option<T>> {
        let done = self.pattern.as_ref().map(|text| work(self.user, text));
        done.transpose()
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

fn forget(subject: &Subject) -> Result<Value> {
    let (mut deleted, mut scrubbed, mut left) = (Map::new(), Map::new(), Vec::<String>::new());
    if subject.crm.is_spread() {
        let mut elsewhere = subject.elsewhere("forget_contact")?;
        for (of, counts) in [("deleted", &mut deleted), ("scrubbed", &mut scrubbed)] {
            if let Value::Object(known) = elsewhere[of].take() {
                *counts = known;
            }
        }
        let names = elsewhere["left"].as_array().into_iter().flatten();
        left.extend(names.filter_map(Value::as_str).map(str::to_owned));
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
                left.push(name.to_owned());
                continue;
            }
            let statement = format!("DELETE FROM {} t WHERE {condition}", table.qualified());
            deleted.insert(
                name.to_owned(),
                run(&statement, &[subject.contact.into()])?.into(),
            );
        }
        for mention in &MENTIONS {
            let Some(table) = subject.mentioned_in(mention) else {
                continue;
            };
            if !matches!(table.kind.as_str(), "r" | "p") {
                continue;
            }
            let texts = text_columns(table, mention);
            let count = subject.scrub(&table.qualified(), &texts, mention.user)?;
            scrubbed.insert(mention.table.to_owned(), count.into());
            left.extend(subject.mentioned_still(table, mention)?);
        }
    }
    if subject.crm.part == 0 {
        if outbox::is_there()? {
            let statement = format!("DELETE FROM crm_health.notifications t WHERE {OF_OUTBOX}");
            let count = run(&statement, &[subject.contact.into()])?;
            deleted.insert("notifications".to_owned(), count.into());
            let count = subject.scrub("crm_health.notifications", &OUTBOX_TEXTS, "user_id")?;
            scrubbed.insert("notifications".to_owned(), count.into());
        }
        let count = subject.of_pattern(texts::scrub_runs)?.unwrap_or(0);
        scrubbed.insert("runs".to_owned(), count.into());
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
        for mention in &MENTIONS {
            let Some(table) = subject.mentioned_in(mention) else {
                continue;
            };
            let own = match table.has("contact_id") {
                true => "t.contact_id = $3",
                false => "$3::uuid IS NULL",
            };
            let mut texts: Vec<&str> = text_columns(table, mention);
            texts.extend(own_columns(table, mention));
            let rows = subject.mentions(&table.qualified(), &texts, mention.user, own)?;
            if let Some(rows) = rows {
                found.insert(format!("{}_that_mention_it", mention.table), rows);
            }
        }
    }
    if subject.crm.part == 0 {
        if outbox::is_there()? {
            let (table, own) = ("crm_health.notifications", OF_OUTBOX.replace("$1", "$3"));
            let rows = rows(table, OF_OUTBOX, &[subject.contact.into()])?;
            found.insert("notifications".to_owned(), rows);
            if let Some(rows) = subject.mentions(table, &OUTBOX_TEXTS, "user_id", &own)? {
                found.insert("notifications_that_mention_it".to_owned(), rows);
            }
        }
        if let Some(errors) = subject.of_pattern(texts::errors_of_runs)? {
            found.insert("runs_that_mention_it".to_owned(), errors);
        }
    }
    Ok(Value::Object(found))
}
