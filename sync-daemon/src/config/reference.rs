//! The reference of the configuration as Markdown, for docs/daemon-configuration.md. It is made of what the daemon itself
//! reads by: the file of defaults, and the lists of variables. So it has every key, and none that is not there.

use std::fmt::Write as _;

use super::env::OVERRIDES;
use super::{DEFAULTS, secrets};

const HEAD: &str = "\
# The daemon's configuration

<!-- Written by `crm-health-sync default-config --markdown`, and compared with it by a test: change the source instead. -->

Every key of `/etc/crm-health/sync.toml`, with its default. `--config` or the variable `CRM_HEALTH_CONFIG` names another file; a file
holds only what differs. A variable of the environment wins over the file, and may be given as `…_FILE` too, the path of a file that
holds the value. An unknown key is refused, and so is a value that cannot work. `crm-health-sync check-config` tries the rest.
The configuration of the extension stands [in its tables](reference.md#configuration).
";

const SECRETS: &str = "
## Secrets

From the environment or from files that it names, never from the configuration file.

| variable | what it is |
|---|---|
";

const LOG: &str = "
## The log

`RUST_LOG` chooses what is logged to standard error, for example `crm_health_sync=debug`; without it, warnings, and what the daemon
itself has to say.
";

/// A section of the file of defaults.
#[derive(Default)]
struct Section {
    /// Empty: the keys above the first section.
    name: String,
    comment: String,
    keys: Vec<Key>,
}

/// A key of it, with the comment right above.
struct Key {
    name: String,
    default: String,
    comment: String,
}

/// The whole reference, Markdown.
#[must_use]
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    for section in sections(DEFAULTS) {
        write_section(&mut text, &section);
    }
    text.push_str(SECRETS);
    for (name, meaning) in secrets::VARIABLES {
        let _ = writeln!(text, "| `{name}` | {meaning} |");
    }
    text.push_str(LOG);
    text
}

fn write_section(text: &mut String, section: &Section) {
    let title = if section.name.is_empty() {
        "Before the first section".to_owned()
    } else {
        format!("`[{}]`", section.name)
    };
    let _ = write!(text, "\n## {title}\n\n");
    if !section.comment.is_empty() {
        let _ = write!(text, "{}\n\n", section.comment);
    }
    let variables = section
        .keys
        .iter()
        .any(|key| variable(section, key).is_some());
    text.push_str(if variables {
        "| key | variable | default | what it is |\n|---|---|---|---|\n"
    } else {
        "| key | default | what it is |\n|---|---|---|\n"
    });
    for key in &section.keys {
        let from = variable(section, key);
        // The file names the variable at the end of the comment; here it has a column of its own.
        let meaning = from.and_then(|name| key.comment.strip_suffix(name));
        let meaning = meaning.unwrap_or(&key.comment).trim_end();
        let (name, default) = (&key.name, &key.default);
        let from = from.map_or(String::new(), |name| format!("`{name}`"));
        let _ = if variables {
            writeln!(text, "| `{name}` | {from} | `{default}` | {meaning} |")
        } else {
            writeln!(text, "| `{name}` | `{default}` | {meaning} |")
        };
    }
}

fn variable(section: &Section, key: &Key) -> Option<&'static str> {
    let found = OVERRIDES.iter().find(|(_, name, override_key)| {
        name.unwrap_or_default() == section.name && *override_key == key.name
    });
    found.map(|(variable, _, _)| *variable)
}

/// A comment belongs to the line right below it; an empty line ends it.
fn sections(text: &str) -> Vec<Section> {
    let mut found = vec![Section::default()];
    let mut comment = String::new();
    for line in text.lines() {
        if let Some(words) = line.strip_prefix('#') {
            comment.push(' ');
            comment.push_str(words.trim());
            continue;
        }
        let comment = std::mem::take(&mut comment).trim().to_owned();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let name = name.to_owned();
            found.push(Section {
                name,
                comment,
                keys: Vec::new(),
            });
        } else if let Some((name, default)) = line.split_once(" = ") {
            let (name, default) = (name.to_owned(), default.to_owned());
            let section = found.last_mut().expect("there is a section from the start");
            section.keys.push(Key {
                name,
                default,
                comment,
            });
        }
    }
    found
}
