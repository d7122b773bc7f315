//! A project with no account at all: its backend is a folder of the daemon.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mirror_engine::{JobEvent, Report};
use tokio::sync::mpsc;

use super::registry::Registry;
use super::set_up::{SetUp, SetUpKind, SetUpOutcome};
use crate::config::{Problem, check_name, write_private};
use crate::error::RequestError;
use crate::folders::make_private;
use crate::names::resolved;
use crate::url::BackendUrl;

const SAMPLE_FOLDER: &str = "mirrord-sample";

const SAMPLES: [(&str, &str); 3] = [
    ("README.md", include_str!("../../samples/README.md")),
    ("CLAUDE.md", include_str!("../../samples/CLAUDE.md")),
    ("memory/notes.md", include_str!("../../samples/memory/notes.md")),
];

impl Registry {
    /// Mirrors `folder`, or a sample in the home folder when it is `None`.
    pub(crate) async fn quickstart(
        &self,
        folder: Option<PathBuf>,
        events: mpsc::Sender<JobEvent>,
    ) -> Result<SetUpOutcome, RequestError> {
        let _turn = self.changes.lock().await;
        let is_sample = folder.is_none();
        let folder = folder.unwrap_or_else(|| self.folders.home.join(SAMPLE_FOLDER));
        if let Some(name) = self.rooted_at(&folder) {
            return self.already_there(&name).await;
        }
        let (name, backend) = self.place_for(&folder)?;
        let made = if is_sample { write_samples(&folder)? } else { Vec::new() };
        let plan = SetUp {
            kind: SetUpKind::Init { push: true },
            folder,
            url: BackendUrl::Folder(backend),
            name: Some(name),
            patterns: Vec::new(),
            excludes: Vec::new(),
            settings: Vec::new(),
        };
        let outcome = self.set_up_in_turn(plan, events).await;
        if outcome.is_err() {
            take_back(&made);
        }
        outcome
    }

    async fn already_there(&self, name: &str) -> Result<SetUpOutcome, RequestError> {
        let open = self.open(name).await?;
        Ok(SetUpOutcome {
            project_id: open.project.project_id().to_string(),
            head: open.project.head(),
            config: open.config.as_ref().clone(),
            joined: false,
            already_there: true,
            report: Report::default(),
        })
    }

    /// A free name, and the backend's folder under it. A backend that an
    /// earlier quickstart made for this very folder is used again.
    fn place_for(&self, folder: &Path) -> Result<(String, PathBuf), RequestError> {
        let last = folder.file_name().unwrap_or_default().to_string_lossy();
        let base = if check_name(&last).is_ok() { last.as_ref() } else { "quickstart" };
        let backends = self.folders.quickstart();
        make_private(&backends).map_err(|error| Problem::unusable(&backends, &error))?;
        let root = resolved(folder).display().to_string();
        for number in 1_u32.. {
            let name = if number == 1 { base.to_owned() } else { format!("{base}-{number}") };
            let backend = backends.join(&name);
            let note = backends.join(format!("{name}.root"));
            let made_for = fs::read_to_string(&note).ok();
            let is_free = !self.slots().contains_key(&name)
                && (made_for.as_deref() == Some(&root) || is_unused(&backend));
            if is_free {
                write_private(&note, &root).map_err(|error| Problem::unusable(&note, &error))?;
                return Ok((name, backend));
            }
        }
        Err(RequestError::usage("no name is free"))
    }
}

fn is_unused(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Writes the sample into a folder that is missing or empty, and names what
/// was made, outermost first.
fn write_samples(folder: &Path) -> Result<Vec<PathBuf>, RequestError> {
    if !is_unused(folder) {
        return Ok(Vec::new());
    }
    let mut made = Vec::new();
    let written = write_into(folder, &mut made);
    written.map_err(|cause| {
        take_back(&made);
        RequestError::Folder {
            what: "the sample can't be written into",
            folder: folder.to_owned(),
            cause: Some(cause),
            hint: "name another folder: `mirrorctl quickstart DIR`",
        }
    })?;
    Ok(made)
}

fn write_into(folder: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    for missing in [folder.to_owned(), folder.join("memory")] {
        if !missing.is_dir() {
            fs::create_dir(&missing)?;
            made.push(missing);
        }
    }
    for (name, text) in SAMPLES {
        let path = folder.join(name);
        fs::write(&path, text)?;
        made.push(path);
    }
    Ok(())
}

fn take_back(made: &[PathBuf]) {
    for path in made.iter().rev() {
        // Only what is still as it was made: a folder with other files stays.
        drop(if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_goes_only_where_nothing_is() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("sample");

        let made = write_samples(&folder).unwrap();
        assert!(folder.join("memory/notes.md").is_file());
        assert_eq!(made.len(), 5);
        fs::write(folder.join("README.md"), "mine").unwrap();
        assert_eq!(write_samples(&folder).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(fs::read_to_string(folder.join("README.md")).unwrap(), "mine");
    }

    #[test]
    fn sample_that_led_nowhere_is_taken_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("sample");
        let made = write_samples(&folder).unwrap();

        take_back(&made);

        assert!(!folder.exists());
    }
}
