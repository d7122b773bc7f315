//! `projects/<name>.toml`: what a project is on this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mirror_core::patterns::Patterns;
use serde::Deserialize;

use super::keys::project_keys;
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
    /// The keys beside the URL, which its kind of backend has.
    pub(crate) settings: Settings,
}

impl ProjectConfig {
    pub(crate) fn open(file: &Path) -> Result<Self, Problem> {
        Self::read(&Source::open(file)?, file)
    }

    pub(crate) fn read(source: &Source, file: &Path) -> Result<Self, Problem> {
        source.check_names(&project_keys())?;
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
        let narrowing = narrowing(written.patterns, written.exclude);
        if let Some(patterns) = &narrowing {
            patterns.check().map_err(|error| {
                Problem::without_fix(source.place_of("patterns"), error.to_string())
            })?;
        }
        let settings = settings_beside(source, url.kind())?;
        let poll_interval = written.poll_interval;
        Ok(Self { name, root: written.root, url, narrowing, poll_interval, settings })
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
        for (key, value) in self.settings.iter() {
            table[key] = toml_edit::value(written(value));
        }
        table.to_string()
    }

    pub(crate) fn poll(&self, daemon: &DaemonSettings) -> Duration {
        self.poll_interval.map_or_else(|| daemon.poll(), Duration::from)
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
mod tests {
    use super::*;

    const FILE: &str = "/c/projects/notes.toml";

    fn read(text: &str) -> Result<ProjectConfig, Problem> {
        ProjectConfig::read(&Source::parse(Path::new(FILE), text)?, Path::new(FILE))
    }

    #[track_caller]
    fn check_problem(text: &str, place: &str, what: &str) {
        let problem = read(text).unwrap_err();
        assert_eq!(problem.place.to_string(), place);
        assert!(problem.what.contains(what), "{problem}");
    }

    #[test]
    fn wrong_file_names_the_line_and_the_setting() {
        check_problem("root = \"/r\"", FILE, "\"url\" is missing");
        check_problem("root = \"r\"\nurl = \"/b\"", &format!("{FILE}:1"), "not absolute");
        check_problem("root = \"/r\"\nurl = \"fodler:/b\"", &format!("{FILE}:2"), "fodler");
        check_problem(
            "root = \"/r\"\nurl = \"/b\"\nname = \"other\"",
            &format!("{FILE}:3"),
            "differs",
        );
        check_problem("root = \"/r\"\nurl = \"/b\"\nautto = 1", &format!("{FILE}:3"), "autto");
    }

    #[test]
    fn root_is_found_in_a_file_that_is_wrong_elsewhere() {
        let text = "url = 3\nurl =\n root = \"/r\" # mine\n";
        assert_eq!(root_in(text), Some(PathBuf::from("/r")));
        assert_eq!(root_in("roof = \"/r\""), None);
    }

    #[test]
    fn written_file_reads_back_the_same() {
        let config = ProjectConfig {
            name: "notes".into(),
            root: "/home/ann/no\"tes".into(),
            url: BackendUrl::parse("/mnt/nas").unwrap(),
            narrowing: narrowing(None, Some(vec!["draft/**".into()])),
            poll_interval: Some(Seconds(5)),
            settings: Settings::default(),
        };
        assert_eq!(read(&config.to_text()).unwrap(), config);
    }

    const SFTP: &str = "root = \"/r\"\nurl = \"sftp://nas/notes\"\n";

    #[test]
    fn keys_of_a_service_read_back_the_same_and_are_shown() {
        let keys = "key_file = \"~/.ssh/id\"\nssh_options = [\"ProxyJump=a\", \"Ciphers=+x\"]\n";
        let config = read(&format!("{SFTP}{keys}")).unwrap();
        assert_eq!(read(&config.to_text()).unwrap(), config);
        let source = Source::parse(Path::new("/m"), "").unwrap();
        let daemon = DaemonSettings::read(&source, &super::super::Environment::default()).unwrap();
        let shown: Vec<_> = config
            .effective(None, &daemon)
            .into_iter()
            .filter(|one| config.url.kind().keys().iter().any(|key| key.name == one.key))
            .map(|one| (one.value, one.origin))
            .collect();
        let unset = (String::new(), Origin::Default);
        assert_eq!(shown[0], ("~/.ssh/id".to_owned(), Origin::Project));
        assert_eq!(shown[1..3], [unset.clone(), unset]);
        assert!(shown[3].0.contains("\"Ciphers=+x\""), "{}", shown[3].0);
    }

    #[test]
    fn key_of_a_service_that_is_wrong_or_out_of_place_names_its_line() {
        let place = format!("{FILE}:3");
        check_problem(&format!("{SFTP}key_file = \"id\""), &place, "absolute");
        let option = "ssh_options = [\"BatchMode=no\"]";
        check_problem(&format!("{SFTP}{option}"), &place, "BatchMode");
        let folder = "root = \"/r\"\nurl = \"/b\"\nkey_file = \"/k\"";
        check_problem(folder, &place, "for sftp backends");
    }

    #[test]
    fn secret_is_shown_to_nobody() {
        let token = Key {
            name: "token",
            shape: Shape::Text,
            is_secret: true,
            help: "a secret",
            check: |_| Ok(()),
        };
        let mut config = read(SFTP).unwrap();
        config.settings.set(&token, KeyValue::Text("hunter2".into()));

        let shown = config.effective_key(&token);

        assert_eq!((shown.value.as_str(), shown.origin), ("***", Origin::Project));
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn empty_value_unsets_a_key() {
        let config = read(&format!("{SFTP}key_file = \"\"\nssh_options = []")).unwrap();
        assert_eq!(config.settings, Settings::default());
    }

    #[test]
    fn settings_say_where_they_come_from() {
        let config = read("root = \"/r\"\nurl = \"/b\"").unwrap();
        let source = Source::parse(Path::new("/m"), "").unwrap();
        let daemon = DaemonSettings::read(&source, &super::super::Environment::default()).unwrap();
        let shared = Patterns { include: vec!["**/*".into()], exclude: vec![] };
        let settings = config.effective(Some(&shared), &daemon);
        let find = |key: &str| settings.iter().find(|one| one.key == key).unwrap();
        assert_eq!(
            (find("patterns").value.trim(), find("patterns").origin),
            ("[\"**/*\"]", Origin::Shared)
        );
        assert_eq!(find("poll_interval").origin, Origin::Default);
        assert_eq!(find("url").origin, Origin::Project);
    }

    #[test]
    fn names_that_no_file_or_command_line_can_hold_are_refused() {
        for name in ["", ".hidden", "-x", "a/b", "a\nb", "ends "] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["notes", "My Notes", "été-2", "a.b_c"] {
            assert_eq!(check_name(name), Ok(()), "{name:?}");
        }
    }
}
