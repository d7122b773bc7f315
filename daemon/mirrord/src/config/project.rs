//! `projects/<name>.toml`: what a project is on this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mirror_core::patterns::Patterns;
use serde::Deserialize;

use super::ssh::SshConfig;
use super::{DaemonSettings, Effective, Origin, Place, Problem, SSH_KEYS, Seconds, Source};
use crate::url::BackendUrl;

const LONGEST_NAME: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    root: PathBuf,
    url: String,
    name: Option<String>,
    patterns: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    poll_interval: Option<Seconds>,
    key_file: Option<String>,
    known_hosts_file: Option<String>,
    identity_agent: Option<String>,
    ssh_options: Option<Vec<String>>,
}

impl Written {
    /// An empty value stands for none: there is no other way to unset a key.
    fn ssh(&mut self) -> SshConfig {
        let text = |text: &mut Option<String>| text.take().filter(|text| !text.is_empty());
        SshConfig {
            key_file: text(&mut self.key_file),
            known_hosts_file: text(&mut self.known_hosts_file),
            identity_agent: text(&mut self.identity_agent),
            ssh_options: self.ssh_options.take().unwrap_or_default(),
        }
    }
}

/// A project's file as it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectConfig {
    pub(crate) name: String,
    pub(crate) root: PathBuf,
    pub(crate) url: BackendUrl,
    /// Narrows what this machine mirrors.
    pub(crate) narrowing: Option<Patterns>,
    pub(crate) poll_interval: Option<Seconds>,
    /// Empty unless the backend is an SFTP server.
    pub(crate) ssh: SshConfig,
}

impl ProjectConfig {
    pub(crate) fn open(file: &Path) -> Result<Self, Problem> {
        Self::read(&Source::open(file)?, file)
    }

    pub(crate) fn read(source: &Source, file: &Path) -> Result<Self, Problem> {
        let mut written: Written = source.read_as(None)?;
        let ssh = written.ssh();
        let problem = |key: &str, what: String, fix: Option<String>| Problem {
            place: source.place_of(key),
            what,
            fix,
        };
        let name = name_of(file);
        check_name(&name).map_err(|what| Problem {
            place: Place::File { file: file.to_owned(), line: None },
            what: what.to_owned(),
            fix: Some("rename the file".to_owned()),
        })?;
        if let Some(other) = written.name.filter(|other| *other != name) {
            return Err(problem(
                "name",
                format!("the name {other:?} differs from the file's, {name:?}"),
                Some("a project is called as its file: rename the file, or drop the line".into()),
            ));
        }
        if !written.root.is_absolute() {
            let what = format!("root \"{}\" is not absolute", written.root.display());
            return Err(problem("root", what, Some("write the whole path".into())));
        }
        let url = BackendUrl::parse(&written.url)
            .map_err(|error| problem("url", error.to_string(), Some(error.hint())))?;
        if let Some(poll) = written.poll_interval {
            super::daemon::check_poll(poll, || source.place_of("poll_interval"))?;
        }
        let narrowing = narrowing(written.patterns, written.exclude);
        if let Some(patterns) = &narrowing {
            patterns.check().map_err(|error| problem("patterns", error.to_string(), None))?;
        }
        let wrong_key = ssh.values().next().filter(|_| !matches!(url, BackendUrl::Sftp(_)));
        if let Some((key, _)) = wrong_key {
            let what = format!("{key} is for sftp backends, and this one is a {}", url.scheme());
            return Err(problem(key, what, Some("leave it out".into())));
        }
        ssh.check().map_err(|wrong| problem(wrong.key, wrong.what, Some(wrong.fix)))?;
        let poll_interval = written.poll_interval;
        Ok(Self { name, root: written.root, url, narrowing, poll_interval, ssh })
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
        for (key, value) in self.ssh.values() {
            table[key] = toml_edit::value(value);
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
        if matches!(self.url, BackendUrl::Sftp(_)) {
            settings.extend(self.effective_ssh());
        }
        settings
    }

    fn effective_ssh(&self) -> impl Iterator<Item = Effective> {
        SSH_KEYS.into_iter().map(|key| {
            let set = self.ssh.values().find(|(set, _)| *set == key);
            let (value, origin) = match set {
                Some((_, value)) => (shown(&value), Origin::Project),
                None => (String::new(), Origin::Default),
            };
            Effective { key: key.to_owned(), value, origin }
        })
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
            ssh: SshConfig::default(),
        };
        assert_eq!(read(&config.to_text()).unwrap(), config);
    }

    const SFTP: &str = "root = \"/r\"\nurl = \"sftp://nas/notes\"\n";

    #[test]
    fn keys_of_ssh_read_back_the_same_and_are_shown() {
        let keys = "key_file = \"~/.ssh/id\"\nssh_options = [\"ProxyJump=a\", \"Ciphers=+x\"]\n";
        let config = read(&format!("{SFTP}{keys}")).unwrap();
        assert_eq!(read(&config.to_text()).unwrap(), config);
        let source = Source::parse(Path::new("/m"), "").unwrap();
        let daemon = DaemonSettings::read(&source, &super::super::Environment::default()).unwrap();
        let shown: Vec<_> = config
            .effective(None, &daemon)
            .into_iter()
            .filter(|one| SSH_KEYS.contains(&one.key.as_str()))
            .map(|one| (one.value, one.origin))
            .collect();
        let unset = (String::new(), Origin::Default);
        assert_eq!(shown[0], ("~/.ssh/id".to_owned(), Origin::Project));
        assert_eq!(shown[1..3], [unset.clone(), unset]);
        assert!(shown[3].0.contains("\"Ciphers=+x\""), "{}", shown[3].0);
    }

    #[test]
    fn key_of_ssh_that_is_wrong_or_out_of_place_names_its_line() {
        let place = format!("{FILE}:3");
        check_problem(&format!("{SFTP}key_file = \"id\""), &place, "absolute");
        let option = "ssh_options = [\"BatchMode=no\"]";
        check_problem(&format!("{SFTP}{option}"), &place, "BatchMode");
        let folder = "root = \"/r\"\nurl = \"/b\"\nkey_file = \"/k\"";
        check_problem(folder, &place, "for sftp backends");
    }

    #[test]
    fn empty_value_unsets_a_key_of_ssh() {
        let config = read(&format!("{SFTP}key_file = \"\"\nssh_options = []")).unwrap();
        assert_eq!(config.ssh, SshConfig::default());
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
