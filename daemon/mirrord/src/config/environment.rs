//! Settings of the daemon that stand in variables: `MIRRORD_USER`,
//! `MIRRORD_LOG__LEVEL`.

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::keys::{DAEMON_KEYS, TEXTS};
use super::{Place, Problem};
use crate::spelling::nearest;

const PREFIX: &str = "MIRRORD_";

/// Variables that are no settings: where things are, and what is logged.
const RESERVED: [&str; 3] = ["MIRRORD_HOME", "MIRRORD_BIN", "MIRRORD_LOG"];

/// What a metadata name says of a value that came from here.
pub(super) const METADATA_NAME: &str = "environment";

/// The variables that override settings, taken once at start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Key with dots, and the text as it stands there.
    settings: Vec<(&'static str, String)>,
    /// Variables with our prefix that name no setting.
    pub(crate) unknown: Vec<Problem>,
}

impl Environment {
    pub(crate) fn of_process() -> Self {
        Self::new(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    pub(crate) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut found = Self::default();
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if RESERVED.contains(&name.as_str()) || value.is_empty() {
                continue;
            }
            let key = rest.to_lowercase().replace("__", ".");
            match DAEMON_KEYS.iter().find(|known| **known == key) {
                Some(known) => found.settings.push((known, value)),
                None => found.unknown.push(unknown(name, &key)),
            }
        }
        found
    }

    pub(crate) fn sets(&self, key: &str) -> bool {
        self.settings.iter().any(|(known, _)| *known == key)
    }
}

fn unknown(name: String, key: &str) -> Problem {
    let meant = nearest(key, DAEMON_KEYS);
    let fix = meant.map_or_else(
        || format!("it changes nothing; known: {}", DAEMON_KEYS.map(variable).join(", ")),
        |meant| format!("did you mean {}?", variable(meant)),
    );
    Problem::with_fix(Place::Variable(name), "no setting has this variable", fix)
}

/// The variable that sets `key`.
pub(crate) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(METADATA_NAME)
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut settings = Dict::new();
        for (key, text) in &self.settings {
            let value = match text.parse::<i64>() {
                // A machine may be called 42: only what is a number is read as one.
                Ok(number) if !TEXTS.contains(key) => Value::from(number),
                _ => Value::from(text.as_str()),
            };
            match key.split_once('.') {
                None => drop(settings.insert((*key).to_owned(), value)),
                Some((table, key)) => {
                    let entry = settings
                        .entry(table.to_owned())
                        .or_insert_with(|| Value::from(Dict::new()));
                    if let Value::Dict(_, inner) = entry {
                        inner.insert(key.to_owned(), value);
                    }
                }
            }
        }
        Ok(Profile::Default.collect(settings))
    }
}
