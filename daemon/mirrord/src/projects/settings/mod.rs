//! Shows and changes settings. Whatever is written has been understood first.

mod shared;

use std::collections::BTreeMap;
use std::path::Path;

use futures::future::join_all;
use mirror_engine::{Cancel, Job, JobRequest, SharedSettings};
use tokio::sync::mpsc;
use toml_edit::{Array, Value};

use super::registry::Registry;
use crate::config::{
    DAEMON_KEYS, DaemonSettings, Effective, Place, Problem, ProjectConfig, SHARED, Source,
    check_key, is_list, list, project_keys, settable, typed_value, with_setting,
};
use crate::error::RequestError;
use crate::finding::{Finding, Level};
use crate::private_file::write_through;
use crate::services::BackendUrl;
use shared::{shared_value, with_shared};

/// One setting to change.
#[derive(Clone, Debug)]
pub(crate) struct SetRequest {
    /// `None` changes the daemon's own.
    pub(crate) project: Option<String>,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) shared: bool,
}

/// How one configuration file is, for `config check`.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) place: Place,
    pub(crate) problem: Option<Problem>,
    /// The daemon goes on without it.
    pub(crate) harmless: bool,
}

impl From<&Checked> for Finding {
    fn from(checked: &Checked) -> Self {
        let place = checked.place.to_string();
        let Some(problem) = &checked.problem else {
            return Self::ok(place, "understood");
        };
        let level = if checked.harmless { Level::Warn } else { Level::Fail };
        Self { level, fix: problem.fix.clone(), ..Self::ok(place, problem.what.as_str()) }
    }
}

impl Registry {
    pub(crate) async fn list_settings(
        &self,
        project: Option<&str>,
    ) -> Result<Vec<Effective>, RequestError> {
        let Some(name) = project else {
            return Ok(self.settings().effective());
        };
        let name = self.named(name)?;
        let config = self.view(&name).and_then(|view| view.config);
        let config = config.ok_or_else(|| self.stopped(&name))?;
        // A project that doesn't run still has its file.
        let shared = match self.open(&name).await {
            Ok(open) => open.project.settings().await.ok(),
            Err(_) => None,
        };
        let patterns = shared.as_ref().map(SharedSettings::patterns);
        let mut settings = config.effective(patterns.as_ref(), &self.settings());
        if let Some(shared) = shared {
            let after = settings.iter().position(|setting| setting.key == "exclude");
            let at = after.map_or(settings.len(), |at| at + 1);
            let preset = shared.preset.is_some().then_some("preset");
            let keys = ["gitignore", "shared_mode", "merge"].into_iter().chain(preset);
            settings.splice(at..at, keys.map(|key| shared_value(&shared, key)));
        }
        Ok(settings)
    }

    pub(crate) async fn set(&self, request: SetRequest) -> Result<Effective, RequestError> {
        match (&request.project, request.shared) {
            (Some(name), true) => self.set_shared(name, &request).await,
            (Some(name), false) => self.set_of_project(name, &request).await,
            (None, false) => self.set_of_daemon(&request).await,
            (None, true) => Err(RequestError::usage_with_hint(
                "a shared setting belongs to a project",
                "name it with --project, or go into its folder",
            )),
        }
    }

    /// Has a project do nothing by itself, or again what its settings say; tells whether
    /// that is new.
    pub(crate) async fn pause(&self, name: &str, is_paused: bool) -> Result<bool, RequestError> {
        let known = self.view(name).and_then(|view| view.config);
        if known.is_some_and(|config| config.auto.is_paused == is_paused) {
            return Ok(false);
        }
        let (project, key) = (Some(name.to_owned()), "paused".to_owned());
        let value = is_paused.to_string();
        self.set(SetRequest { project, key, value, shared: false }).await?;
        Ok(true)
    }

    async fn set_of_daemon(&self, request: &SetRequest) -> Result<Effective, RequestError> {
        check_key(&request.key, &DAEMON_KEYS)?;
        let settings = {
            let _order = self.changes.lock().await;
            let file = self.folders.daemon_file();
            let text = changed(&file, request)?;
            let source = Source::parse(&file, &text).map_err(Problem::of_request)?;
            let settings =
                DaemonSettings::read(&source, &self.environment).map_err(Problem::of_request)?;
            write(&file, source.text())?;
            self.replace_settings(settings.clone());
            settings
        };
        self.bring_all_up_to_date().await;
        found(settings.effective(), &request.key)
    }

    async fn set_of_project(
        &self,
        name: &str,
        request: &SetRequest,
    ) -> Result<Effective, RequestError> {
        let name = self.named(name)?;
        check_key(&request.key, &project_keys())?;
        let config = {
            let _order = self.changes.lock().await;
            let file = self.folders.project_file(&name);
            let text = changed(&file, request)?;
            let source = Source::parse(&file, &text).map_err(Problem::of_request)?;
            let config = ProjectConfig::read(&source, &file).map_err(Problem::of_request)?;
            let claim = self.check_claim(&config, Some(&name)).await?;
            write(&file, source.text())?;
            self.replace_config(config.clone(), claim);
            config
        };
        self.bring_up_to_date(&name).await;
        found(config.effective(None, &self.settings()), &request.key)
    }

    /// Changes it for every machine, by a commit.
    async fn set_shared(
        &self,
        name: &str,
        request: &SetRequest,
    ) -> Result<Effective, RequestError> {
        let name = self.named(name)?;
        check_key(&request.key, &SHARED)?;
        let open = self.open(&name).await?;
        let _order = open.sharing.lock().await;
        let before = open.project.settings().await?;
        let settings = with_shared(before, request)?;
        let changed = shared_value(&settings, &request.key);
        let job =
            JobRequest { job: Job::ChangeSettings { settings }, dry_run: false, consent: false };
        let (events, mut unheard) = mpsc::channel(16);
        let drain = async { while unheard.recv().await.is_some() {} };
        // The events end a moment before the report is there.
        let (report, ()) = tokio::join!(open.project.run(job, events, Cancel::new()), drain);
        report?;
        Ok(changed)
    }

    /// Every configuration file, and what is wrong with it.
    pub(crate) async fn check_config(&self) -> Vec<Checked> {
        let daemon_file = self.folders.daemon_file();
        let daemon = DaemonSettings::open(&daemon_file, &self.environment);
        let mut checked = vec![of(&daemon_file, daemon.err())];
        checked.extend(self.environment.unknown.iter().map(|problem| Checked {
            place: problem.place.clone(),
            problem: Some(problem.clone()),
            harmless: true,
        }));
        match self.project_files() {
            Err(problem) => checked.push(of(&self.folders.project_files(), Some(problem))),
            Ok(files) => {
                let looks = files.iter().map(|file| self.check_project_file(file));
                checked.extend(join_all(looks).await);
            }
        }
        checked
    }

    async fn check_project_file(&self, file: &Path) -> Checked {
        let problem = match ProjectConfig::open(file) {
            Err(problem) => Some(problem),
            Ok(config) => {
                let checked = self.check_claim(&config, Some(&config.name)).await;
                checked.err().map(|error| Problem {
                    place: Place::File { file: file.to_owned(), line: None },
                    what: error.message(),
                    fix: error.hint(),
                    about: error.about(),
                })
            }
        };
        of(file, problem)
    }
}

fn of(file: &Path, problem: Option<Problem>) -> Checked {
    let place = problem.as_ref().map_or_else(
        || Place::File { file: file.to_owned(), line: None },
        |problem| problem.place.clone(),
    );
    Checked { place, problem, harmless: false }
}

fn changed(file: &Path, request: &SetRequest) -> Result<String, RequestError> {
    let source = Source::open(file)?;
    let value = match typed_value(&request.value) {
        // One glob stands for a list of one.
        Value::String(glob) if is_list(&request.key) => list(&[glob.into_value()]).into(),
        value => value,
    };
    Ok(with_setting(source.text(), &request.key, value)?)
}

fn write(file: &Path, text: &str) -> Result<(), Problem> {
    write_through(file, text).map_err(|error| Problem::unusable(file, &error))
}

fn found(settings: Vec<Effective>, key: &str) -> Result<Effective, RequestError> {
    settings
        .into_iter()
        .find(|setting| setting.key == key)
        .ok_or_else(|| RequestError::usage(format!("{key:?} has no value")))
}

/// What `init` and `clone` were given beside the URL, as a project's file
/// would have it; root and name are not the project's.
pub(crate) fn given(
    url: &BackendUrl,
    settings: &[(String, String)],
) -> Result<ProjectConfig, RequestError> {
    let mut text = with_setting("root = \"/\"\n", "url", url.to_string().into())?;
    let mut lists: BTreeMap<&str, Array> = BTreeMap::new();
    for (key, value) in settings {
        check_key(key, &settable())?;
        let mut value = typed_value(value);
        if is_list(key) {
            let list = lists.entry(key).or_default();
            match value {
                Value::Array(more) => list.extend(more),
                one => list.push(one),
            }
            value = list.clone().into();
        }
        text = with_setting(&text, key, value)?;
    }
    let file = Path::new("set.toml");
    let source = Source::parse(file, &text).map_err(Problem::of_request)?;
    Ok(ProjectConfig::read(&source, file).map_err(Problem::of_request)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Seconds;

    #[test]
    fn one_glob_stands_for_a_list_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.toml");
        std::fs::write(&file, "root = \"/a\"\n").unwrap();
        for (value, written) in
            [("**/*", "patterns = [\"**/*\"]"), ("[\"a\"]", "patterns = [\"a\"]")]
        {
            let text = changed(&file, &request("patterns", value)).unwrap();
            assert!(text.contains(written), "{text}");
        }
    }

    fn request(key: &str, value: &str) -> SetRequest {
        SetRequest { project: None, key: key.into(), value: value.into(), shared: true }
    }

    #[test]
    fn setting_given_to_init_is_checked_before_anything_is_made() {
        let folder = BackendUrl::parse("/b").unwrap();
        let given = |key: &str, value: &str| given(&folder, &[(key.to_owned(), value.to_owned())]);
        assert_eq!(given("poll_interval", "5s").unwrap().poll_interval, Some(Seconds(5)));
        let error = given("pol_interval", "5").unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean \"poll_interval\"?"));
        let error = given("poll_interval", "1").unwrap_err();
        assert!(error.message().contains("shortest"), "{}", error.message());
        let error = given("key_file", "/k").unwrap_err();
        assert!(error.message().contains("for sftp backends"), "{}", error.message());
    }

    #[test]
    fn options_given_one_by_one_make_one_list() {
        let url = BackendUrl::parse("sftp://nas/notes").unwrap();
        let pair = |value: &str| ("ssh_options".to_owned(), value.to_owned());
        let settings = ["ProxyJump=a", "[\"Compression=yes\", \"Ciphers=+x\"]", "Port2=1"];
        let config = given(&url, &settings.map(pair)).unwrap();
        let options = config.settings.list("ssh_options").to_vec();
        assert_eq!(options, ["ProxyJump=a", "Compression=yes", "Ciphers=+x", "Port2=1"]);
        let error = given(&url, &[pair("BatchMode=no")]).unwrap_err();
        assert!(error.message().contains("nobody is there"), "{}", error.message());
    }
}
