//! `projects/<name>.toml`: what a project is on this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mirror_core::patterns::Patterns;
use serde::Deserialize;

use super::auto::{AutoMode, AutoSettings, WakeMode};
use super::keys::project_keys;
use super::memory::{self, MemoryFolders};
use super::{DaemonSettings, Effective, Origin, Place, Problem, Seconds, Source};
use crate::error::Explained;
use crate::services::{self, BackendUrl, Key, KeyValue, Kind, Settings, Shape};

const LONGEST_NAME: usize = 64;

/// What it says whatever its backend is.
#[derive(Debug, Deserialize)]
struct Written {
    root: PathBuf,
    url: String,
    name: Option<String>,
    patterns: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    poll_interval: Option<Seconds>,
    auto: Option<AutoMode>,
    auto_quiet: Option<Seconds>,
    wake: Option<WakeMode>,
    #[serde(default)]
    paused: bool,
    hold: Option<bool>,
    #[serde(default)]
    memory: MemoryFolders,
}

/// What is shown in place of a secret.
const SECRET: &str = "***";

/// A project's file as it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectConfig {
    pub(crate) name: String,
    pub(crate) root: PathBuf,
    pub(crate) url: BackendUrl,
    /// Narrows what this machine mirrors.
    pub(crate) narrowing: Option<Patterns>,
    pub(crate) poll_interval: Option<Seconds>,
    pub(crate) auto: AutoSettings,
    /// Whether what an agent may run waits until somebody here agrees to it.
    pub(crate) hold: Option<bool>,
    /// Folders of this machine that stand for shared ones.
    pub(crate) memory: MemoryFolders,
    /// The keys beside the URL, which its kind of backend has.
    pub(crate) settings: Settings,
}

impl ProjectConfig {
    pub(crate) fn open(file: &Path) -> Result<Self, Problem> {
        Self::read(&Source::open(file)?, file)
    }

    pub(crate) fn read(source: &Source, file: &Path) -> Result<Self, Problem> {
        let known = [&project_keys()[..], &[memory::MEMORY]].concat();
        source.check_names(&known)?;
        let written: Written = source.read_as(None)?;
        let name = named(source, file, written.name)?;
        if !written.root.is_absolute() {
            let what = format!("root \"{}\" is not absolute", written.root.display());
            return Err(Problem::with_fix(source.place_of("root"), what, "write the whole path"));
        }
        let url = BackendUrl::parse(&written.url).map_err(|error| Problem {
            place: source.place_of("url"),
            what: error.to_string(),
            fix: error.hint(),
            about: error.about(),
        })?;
        if let Some(poll) = written.poll_interval {
            super::daemon::check_poll(poll, || source.place_of("poll_interval"))?;
        }
        let auto = AutoSettings {
            mode: written.auto,
            quiet: written.auto_quiet,
            wake: written.wake,
            is_paused: written.paused,
        };
        auto.check(|key| source.place_of(key))?;
        memory::check(&written.memory, |key| source.place_of(key))?;
        let narrowing = narrowing(written.patterns, written.exclude);
        if let Some(patterns) = &narrowing {
            patterns.check().map_err(|error| {
                Problem::without_fix(source.place_of("patterns"), error.to_string())
            })?;
        }
        let settings = settings_beside(source, url.kind())?;
        let poll_interval = written.poll_interval;
        let (root, hold, memory) = (written.root, written.hold, written.memory);
        Ok(Self { name, root, url, narrowing, poll_interval, auto, hold, memory, settings })
    }

    /// The text of a new file.
    pub(crate) fn to_text(&self) -> String {
        let mut table = toml_edit::DocumentMut::new();
        table["root"] = toml_edit::value(self.root.to_string_lossy().as_ref());
        table["url"] = toml_edit::value(self.url.to_string());
        if let Some(patterns) = &self.narrowing {
            table["patterns"] = toml_edit::value(list(&patterns.include));
            if !patterns.exclude.is_empty() {
                table["exclude"] = toml_edit::value(list(&patterns.exclude));
            }
        }
        if let Some(poll) = self.poll_interval {
            table["poll_interval"] = toml_edit::value(poll.to_string());
        }
        self.auto.write(&mut table);
        if let Some(hold) = self.hold {
            table["hold"] = toml_edit::value(hold);
        }
        for (key, value) in self.settings.iter() {
            table[key] = toml_edit::value(written(value));
        }
        memory::write(table.as_table_mut(), &self.memory);
        table.to_string()
    }

    pub(crate) fn holds(&self) -> bool {
        self.hold.unwrap_or(true)
    }

    pub(crate) fn poll(&self, daemon: &DaemonSettings) -> Duration {
        self.poll_interval.map_or_else(|| daemon.poll(), Duration::from)
    }

    /// Whether it says the same, but maybe for whether it is paused.
    pub(crate) fn is_but_for_pause(&self, other: &Self) -> bool {
        let mut like = other.clone();
        like.auto.is_paused = self.auto.is_paused;
        *self == like
    }

    /// What holds for this project, given what all machines share (if known).
    pub(crate) fn effective(
        &self,
        shared: Option<&Patterns>,
        daemon: &DaemonSettings,
    ) -> Vec<Effective> {
        let own = |key: &str, value: String| Effective {
            key: key.to_owned(),
            value,
            origin: Origin::Project,
        };
        let usual = Patterns::default();
        let (patterns, origin) = match (&self.narrowing, shared) {
            (Some(narrowing), _) => (narrowing, Origin::Project),
            (None, Some(shared)) => (shared, Origin::Shared),
            (None, None) => (&usual, Origin::Default),
        };
        let daemon_poll = daemon
            .effective()
            .into_iter()
            .find(|setting| setting.key == "poll_interval")
            .map_or(Origin::Default, |setting| setting.origin);
        let (poll, poll_origin) = match self.poll_interval {
            Some(poll) => (poll, Origin::Project),
            None => (daemon.poll_interval, daemon_poll),
        };
        let mut settings = vec![
            own("name", self.name.clone()),
            own("root", self.root.display().to_string()),
            own("url", self.url.to_string()),
            Effective {
                key: "patterns".into(),
                value: list(&patterns.include).to_string(),
                origin,
            },
            Effective { key: "exclude".into(), value: list(&patterns.exclude).to_string(), origin },
            Effective { key: "poll_interval".into(), value: poll.to_string(), origin: poll_origin },
        ];
        settings.extend(self.auto.effective());
        settings.push(Effective {
            key: "hold".into(),
            value: self.holds().to_string(),
            origin: if self.hold.is_some() { Origin::Project } else { Origin::Default },
        });
        let keys = self.url.kind().keys().iter();
        settings.extend(keys.map(|key| self.effective_key(key)));
        settings
    }

    fn effective_key(&self, key: &Key) -> Effective {
        let (value, origin) = match self.settings.get(key.name) {
            Some(_) if key.is_secret => (SECRET.to_owned(), Origin::Project),
            Some(value) => (shown(&written(value)), Origin::Project),
            None => (String::new(), Origin::Default),
        };
        Effective { key: key.name.to_owned(), value, origin }
    }
}

/// The project's name, which is its file's.
fn named(source: &Source, file: &Path, said: Option<String>) -> Result<String, Problem> {
    let name = name_of(file);
    check_name(&name).map_err(|what| {
        let place = Place::File { file: file.to_owned(), line: None };
        Problem::with_fix(place, what, "rename the file")
    })?;
    match said.filter(|other| *other != name) {
        None => Ok(name),
        Some(other) => Err(Problem::with_fix(
            source.place_of("name"),
            format!("the name {other:?} differs from the file's, {name:?}"),
            "a project is called as its file: rename the file, or drop the line",
        )),
    }
}

/// Reads the keys that this kind of backend has; no other may be set.
fn settings_beside(source: &Source, kind: &dyn Kind) -> Result<Settings, Problem> {
    for key in services::keys() {
        let is_ours = kind.keys().iter().any(|own| own.name == key.name);
        if !is_ours && value_of(source, key)?.is_some_and(|value| !value.is_none()) {
            let theirs = services::KINDS.into_iter();
            let theirs = theirs.filter(|kind| kind.keys().iter().any(|own| own.name == key.name));
            let theirs = theirs.map(Kind::name).collect::<Vec<_>>().join(" and ");
            let name = key.name;
            let what =
                format!("{name} is for {theirs} backends, and this one is a {}", kind.name());
            return Err(Problem {
                about: Some(name),
                ..Problem::with_fix(source.place_of(name), what, "leave it out")
            });
        }
    }
    let mut settings = Settings::default();
    for key in kind.keys() {
        let Some(value) = value_of(source, key)?.filter(|value| !value.is_none()) else {
            continue;
        };
        value.texts().iter().try_for_each(|text| (key.check)(text)).map_err(|wrong| Problem {
            about: Some(key.name),
            ..Problem::with_fix(source.place_of(key.name), wrong.what, wrong.fix)
        })?;
        settings.set(key, value);
    }
    Ok(settings)
}

fn value_of(source: &Source, key: &Key) -> Result<Option<KeyValue>, Problem> {
    Ok(match key.shape {
        Shape::Text => source.setting(key.name)?.map(KeyValue::Text),
        Shape::List => source.setting(key.name)?.map(KeyValue::List),
    })
}

fn written(value: &KeyValue) -> toml_edit::Value {
    match value {
        KeyValue::Text(text) => text.as_str().into(),
        KeyValue::List(texts) => list(texts).into(),
    }
}

/// What a machine takes part in, if its file says anything about it.
pub(crate) fn narrowing(
    patterns: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
) -> Option<Patterns> {
    if patterns.is_none() && exclude.is_none() {
        return None;
    }
    Some(Patterns {
        include: patterns.unwrap_or_else(|| vec!["**/*".to_owned()]),
        exclude: exclude.unwrap_or_default(),
    })
}

pub(crate) fn list(globs: &[String]) -> toml_edit::Array {
    globs.iter().map(String::as_str).collect()
}

/// Text without its quotes.
fn shown(value: &toml_edit::Value) -> String {
    value.as_str().map_or_else(|| value.to_string().trim().to_owned(), str::to_owned)
}

/// The root that a file names, whatever else is wrong with it.
pub(crate) fn root_in(text: &str) -> Option<PathBuf> {
    text.lines().find_map(|line| {
        let line: toml_edit::DocumentMut = line.parse().ok()?;
        line.get("root")?.as_str().map(PathBuf::from)
    })
}

/// The project that a file configures.
pub(crate) fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// Says why a text can't be a project's name here: names are file names and
/// stand on command lines.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    let known = |letter: char| letter.is_alphanumeric() || " ._-".contains(letter);
    match name.chars().next() {
        None => Err("a project needs a name"),
        Some('.' | '-' | ' ') => Err("a project's name starts with a letter or digit"),
        Some(_) if name.len() > LONGEST_NAME => Err("a project's name has at most 64 bytes"),
        Some(_) if !name.chars().all(known) || name.ends_with(' ') => {
            Err("a project's name has only letters, digits, spaces and ._-")
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
