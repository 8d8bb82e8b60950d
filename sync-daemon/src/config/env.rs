//! The environment: the variables that override the file, each also as `…_FILE`.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{Config, ConfigError};

/// Settings (not secrets) that have a variable: variable, section, key.
pub(super) const OVERRIDES: &[(&str, Option<&str>, &str)] = &[
    ("CRM_HEALTH_LISTEN", None, "listen"),
    (
        "CRM_HEALTH_GMAIL_BASE_URL",
        Some("google"),
        "gmail_base_url",
    ),
    ("CRM_HEALTH_TOKEN_URL", Some("google"), "token_url"),
    (
        "CRM_HEALTH_ANTHROPIC_BASE_URL",
        Some("anthropic"),
        "base_url",
    ),
    ("CRM_HEALTH_GOOGLE_CLIENT_ID", Some("google"), "client_id"),
];

/// A snapshot of the process environment, or a made-up one in a test.
#[derive(Clone, Default)]
pub struct Environment {
    /// `None` stands for a value that is no text.
    variables: HashMap<String, Option<String>>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            // What other programs have there may be anything.
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .filter(|(name, _)| name.starts_with("CRM_HEALTH_"))
                .map(|(name, value)| (name, value.into_string().ok()))
                .collect(),
        }
    }

    /// A made-up environment.
    #[must_use]
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let variables = pairs
            .into_iter()
            .map(|(k, v)| (k.to_owned(), Some(v.to_owned())))
            .collect();
        Self { variables }
    }

    /// The value of `name`, or the contents of the file that `name_FILE` names, without the final newline.
    ///
    /// # Errors
    /// Both set, or the file cannot be read.
    pub fn get(&self, name: &str) -> Result<Option<String>, ConfigError> {
        let file_name = format!("{name}_FILE");
        match (self.value(name)?, self.value(&file_name)?) {
            (Some(_), Some(_)) => Err(ConfigError::value(
                name,
                format!("set {name} or {file_name}, not both"),
            )),
            (Some(value), None) => Ok(Some(value.to_owned())),
            (None, Some(path)) => read_value(PathBuf::from(path)).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn value(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        match self.variables.get(name) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value)),
            Some(None) => Err(ConfigError::value(name, "must be UTF-8")),
        }
    }

    pub(super) fn config_path(&self) -> Result<Option<PathBuf>, ConfigError> {
        Ok(self.value("CRM_HEALTH_CONFIG")?.map(PathBuf::from))
    }

    /// Lays the variables on what the file says, which must be right by itself: what is wrong then is the variable.
    pub(super) fn overlay(&self, table: &mut toml::Table) -> Result<(), ConfigError> {
        for (variable, section, key) in OVERRIDES {
            let Some(value) = self.get(variable)? else {
                continue;
            };
            let target = match section {
                Some(name) => table.get_mut(*name).and_then(toml::Value::as_table_mut),
                None => Some(&mut *table),
            };
            if let Some(target) = target {
                target.insert((*key).to_owned(), toml::Value::String(value));
            }
            if let Err(error) = table.clone().try_into::<Config>() {
                return Err(ConfigError::value(*variable, error.message()));
            }
        }
        Ok(())
    }
}

fn read_value(path: PathBuf) -> Result<String, ConfigError> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim_end_matches(['\n', '\r']).to_owned()),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}
