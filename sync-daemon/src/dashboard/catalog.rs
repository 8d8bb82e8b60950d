//! What the database has of that which the pages show, and what of it this role may read.
//!
//! Contract: read anew for each page, in one statement. What is missing is told with the mend, never guessed.

use std::collections::HashMap;

use serde::Deserialize;

use super::reader::Reader;
use crate::failure::Failure;

/// Something that a section reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// A table of the CRM, in its schema.
    Crm(&'static str),
    /// A table that the extension writes, in the CRM's schema or in `public`.
    Score(&'static str),
    /// A table or view of the extension.
    Extension(&'static str),
    /// A function of the extension.
    Function(&'static str),
    /// A table of the daemon.
    Daemon(&'static str),
}

/// Everything that pages read.
const SOURCES: &[Source] = &[
    Source::Crm("profiles"),
    Source::Crm("deals"),
    Source::Crm("deal_stages"),
    Source::Crm("contacts"),
    Source::Crm("google_integrations"),
    Source::Score("deal_health_scores"),
    Source::Score("relationship_health_scores"),
    Source::Score("deal_health_history"),
    Source::Score("relationship_health_history"),
    Source::Score("deal_health_alerts"),
    Source::Score("ghost_detection_signals"),
    Source::Extension("runs"),
    Source::Extension("notifications"),
    Source::Extension("status_cutoffs"),
    Source::Function("daily_job"),
    Source::Function("needs_attention"),
    Source::Function("explain_deal"),
    Source::Function("explain_contact"),
    Source::Function("ghost_model_report"),
    Source::Function("deal_model_report"),
    Source::Daemon("mailboxes"),
    Source::Daemon("pending"),
    Source::Daemon("runs"),
];

/// As the catalog query finds it.
#[derive(Debug, Deserialize)]
struct Found {
    name: String,
    schema: String,
    kind: String,
    qualified: String,
    is_readable: bool,
    is_hidden: bool,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Catalog {
    crm_schema: String,
    role: String,
    found: HashMap<Source, Found>,
}

#[derive(Deserialize)]
struct Answer {
    role: String,
    found: Vec<Found>,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Crm(name)
            | Self::Score(name)
            | Self::Extension(name)
            | Self::Function(name)
            | Self::Daemon(name) => name,
        }
    }

    /// The schemas in which it may be, the first that has it counts.
    fn schemas(self, crm: &str) -> [&str; 2] {
        match self {
            Self::Crm(_) => [crm, crm],
            Self::Score(_) => [crm, "public"],
            Self::Extension(_) | Self::Function(_) => ["crm_health", "crm_health"],
            Self::Daemon(_) => ["crm_health_sync", "crm_health_sync"],
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Function(_) => "function",
            _ => "relation",
        }
    }
}

impl Catalog {
    /// Looks into the database.
    ///
    /// # Errors
    /// [`Failure::Database`]
    pub(super) async fn read(reader: &Reader, crm_schema: &str) -> Result<Self, Failure> {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name()).collect();
        let schemas = ["crm_health", "crm_health_sync", crm_schema, "public"].map(str::to_owned);
        let answer: Answer = reader
            .one(
                include_str!("sql/catalog.sql"),
                super::reader::arguments()
                    .with(schemas.to_vec())
                    .with(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()),
            )
            .await?;
        let mut found = HashMap::new();
        let mut rows = answer.found;
        for source in SOURCES {
            for schema in source.schemas(crm_schema) {
                let at = rows.iter().position(|row| {
                    row.name == source.name() && row.schema == schema && row.kind == source.kind()
                });
                if let Some(at) = at {
                    found.insert(*source, rows.swap_remove(at));
                    break;
                }
            }
        }
        Ok(Self {
            crm_schema: crm_schema.to_owned(),
            role: answer.role,
            found,
        })
    }

    /// Whether it is there and may be read.
    fn has(&self, source: Source) -> bool {
        self.lack(source).is_none()
    }

    /// What is missing of `needed`, as a sentence with its mend.
    pub(super) fn lacks(&self, needed: &[Source]) -> Option<String> {
        needed.iter().find_map(|source| self.lack(*source))
    }

    fn lack(&self, source: Source) -> Option<String> {
        let Some(found) = self.found.get(&source) else {
            return Some(self.absent(source));
        };
        let (role, name) = (&self.role, &found.qualified);
        if !found.is_readable {
            Some(format!(
                "Role {role} may not read {name}. Run: psql -v role={role} -f sql/sync/dashboard.sql"
            ))
        } else if found.is_hidden {
            Some(format!(
                "Row level security hides {name} from role {role}. Run: psql -v role={role} -f sql/sync/dashboard.sql"
            ))
        } else {
            None
        }
    }

    fn absent(&self, source: Source) -> String {
        let (name, schema) = (source.name(), &self.crm_schema);
        match source {
            Source::Crm(_) => {
                format!("There is no table {schema}.{name}. Run: psql -f sql/crm/install.sql")
            }
            Source::Score(_) => format!(
                "There is no table {name} in {schema} or public. Run: psql -f sql/crm/install.sql"
            ),
            Source::Extension(_) | Source::Function(_) => format!(
                "crm_health.{name} is not there: the extension is missing or older. Run: CREATE EXTENSION crm_health, or ALTER EXTENSION crm_health UPDATE"
            ),
            Source::Daemon(_) => {
                format!("There is no table crm_health_sync.{name}. Run: crm-health-sync migrate")
            }
        }
    }

    /// The statement with `{deals}`, `{deal_health_scores}` … as qualified names, and the views of [`DERIVED`].
    pub(super) fn fill(&self, statement: &str) -> String {
        let mut filled = statement.to_owned();
        for (name, of, view, without) in DERIVED {
            let view = if self.has(*of) { view } else { without };
            filled = filled.replace(&format!("{{{name}}}"), view);
        }
        for (source, found) in &self.found {
            if matches!(source, Source::Crm(_) | Source::Score(_)) {
                let placeholder = format!("{{{}}}", source.name());
                filled = filled.replace(&placeholder, &found.qualified);
            }
        }
        filled
    }
}

/// Names of people and things: name, source, view of it, and what stands for it where it cannot be read. Columns that a
/// CRM may lack are unqualified within, so that the NULLs of `absent` serve for them.
const DERIVED: &[(&str, Source, &str, &str)] = &[
    (
        "people",
        Source::Crm("profiles"),
        include_str!("sql/people.sql"),
        "(SELECT NULL::uuid AS id, NULL::text AS name WHERE false)",
    ),
    (
        "deal_facts",
        Source::Crm("deals"),
        include_str!("sql/deal_facts.sql"),
        "(SELECT NULL::uuid AS id, NULL::uuid AS owner_id, NULL::text AS name, NULL::text AS company, NULL::float8 AS value, \
         NULL::text AS status, NULL::uuid AS stage_id, NULL::text AS expected_close_date WHERE false)",
    ),
    (
        "contact_facts",
        Source::Crm("contacts"),
        include_str!("sql/contact_facts.sql"),
        "(SELECT NULL::uuid AS id, NULL::uuid AS owner_id, NULL::text AS name, NULL::text AS email WHERE false)",
    ),
];
