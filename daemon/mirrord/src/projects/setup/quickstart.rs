//! A project with no account at all: its backend is a folder of the daemon.

use std::fs::{self, File};
use std::io::{self, Write};
use std::iter::once;
use std::path::{Path, PathBuf};

use mirror_core::{Digest, RelPath};
use mirror_engine::{JobEvent, Report};
use tokio::sync::mpsc;

use super::SetUpOutcome;
use super::fetched_files::FetchedFiles;
use super::plan::{SetUp, SetUpKind};
use super::rollback::Rollback;
use crate::config::{Problem, check_name};
use crate::error::{FolderError, RequestError};
use crate::folders::make_private;
use crate::path_args::resolved;
use crate::private_file::write_private;
use crate::projects::cancellation::Cancellation;
use crate::projects::registry::Registry;
use crate::services::BackendUrl;

/// The backend is this folder's own, where an earlier quickstart made it.
const KIND: SetUpKind = SetUpKind::Init { push: true, join: true, consent: false };

const SAMPLE_FOLDER: &str = "mirrord-sample";

const SAMPLES: [(&str, &str); 3] = [
    ("README.md", include_str!("../../../samples/README.md")),
    ("CLAUDE.md", include_str!("../../../samples/CLAUDE.md")),
    ("memory/notes.md", include_str!("../../../samples/memory/notes.md")),
];

impl Registry {
    /// Mirrors `folder`, or a sample in the home folder when it is `None`.
    pub(crate) async fn quickstart(
        &self,
        folder: Option<PathBuf>,
        events: mpsc::Sender<JobEvent>,
        cancellation: &Cancellation,
    ) -> Result<SetUpOutcome, RequestError> {
        let is_sample = folder.is_none();
        let folder = folder.unwrap_or_else(|| self.folders.home.join(SAMPLE_FOLDER));
        if let Some(name) = self.rooted_at(&folder) {
            let config = self.view(&name).and_then(|view| view.config);
            return match config.is_some_and(|config| self.is_unfinished(&config)) {
                true => self.go_on(&name, KIND, events, cancellation).await,
                false => self.already_there(&name).await,
            };
        }
        let backends = self.folders.quickstart();
        make_private(&backends).map_err(|error| Problem::unusable(&backends, &error))?;
        let root = resolved(&folder).display().to_string();
        let name = self.name_for(&folder, &root)?;
        let plan = SetUp {
            kind: KIND,
            folder: folder.clone(),
            url: BackendUrl::of_folder(&backends.join(&name))?,
            name: Some(name.clone()),
            preset: None,
            patterns: Vec::new(),
            excludes: Vec::new(),
            gitignore: false,
            settings: Vec::new(),
        };
        let mut begun = self.begin(plan).await?;
        let note = note_of(&backends, &name);
        write_private(&note, &root).map_err(|error| Problem::unusable(&note, &error))?;
        if is_sample && let Err(cause) = write_samples(&folder, &mut begun.rollback) {
            let error = FolderError {
                what: "the sample can't be written into",
                folder,
                cause: Some(cause),
                hint: "name another folder: `mirrorctl quickstart DIR`",
            };
            return Err(begun.rollback.run(error.into()).await);
        }
        Box::pin(self.finish(begun, events, cancellation)).await
    }

    async fn already_there(&self, name: &str) -> Result<SetUpOutcome, RequestError> {
        let open = self.open(name).await?;
        Ok(SetUpOutcome {
            shared_mode: super::sharing::of(&open).await,
            project_id: open.project.project_id().to_string(),
            head: open.project.head(),
            config: open.config.as_ref().clone(),
            joined: false,
            already_there: true,
            covered: None,
            report: Report::default(),
        })
    }

    /// A free name that no other folder's backend has. A backend that an earlier
    /// quickstart made for this very folder is used again.
    fn name_for(&self, folder: &Path, root: &str) -> Result<String, RequestError> {
        let last = folder.file_name().unwrap_or_default().to_string_lossy();
        let base = if check_name(&last).is_ok() { last.as_ref() } else { "quickstart" };
        let backends = self.folders.quickstart();
        let numbered = (2_u32..).map(|number| format!("{base}-{number}"));
        let is_free = |name: &String| {
            let made_for = fs::read_to_string(note_of(&backends, name)).ok();
            !self.slots().contains_key(name)
                && !self.is_reserved(name)
                && !self.folders.project_file(name).exists()
                && (made_for.as_deref() == Some(root)
                    || is_unused(&backends.join(name)) && !self.is_left_over(name))
        };
        once(base.to_owned())
            .chain(numbered)
            .find(is_free)
            .ok_or_else(|| RequestError::usage("no name is free"))
    }
}

/// Says which folder a backend was made for.
fn note_of(backends: &Path, name: &str) -> PathBuf {
    backends.join(format!("{name}.root"))
}

fn is_unused(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Whether all that stands in a folder is the beginning of a sample, as a crash
/// leaves it.
fn is_half_a_sample(folder: &Path) -> bool {
    let is_begun = |(name, text): &(&str, &str)| {
        fs::read_to_string(folder.join(name)).is_ok_and(|begun| text.starts_with(&begun))
    };
    let count = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    let begun = SAMPLES.iter().filter(|sample| is_begun(sample)).count();
    // The folder within is one more.
    let memory = usize::from(folder.join("memory").is_dir());
    begun < SAMPLES.len() && count(folder) + count(&folder.join("memory")) == begun + memory
}

/// Writes the sample into a folder that is missing, empty, or holds the half of one.
fn write_samples(folder: &Path, rollback: &mut Rollback) -> io::Result<()> {
    if !is_unused(folder) && !is_half_a_sample(folder) {
        return Ok(());
    }
    for missing in [folder.to_owned(), folder.join("memory")] {
        if !missing.is_dir() {
            fs::create_dir(&missing)?;
            rollback.made_folders.push(missing);
        }
    }
    let written = rollback.written.insert(FetchedFiles::below(folder));
    for (name, text) in SAMPLES {
        let path = folder.join(name);
        // Looked at: what stands there is no more than the beginning of it.
        File::create(&path)?
            .write_all(text.as_bytes())
            .inspect_err(|_| drop(fs::remove_file(&path)))?;
        let name = RelPath::new(name).expect("the samples' names are allowed");
        written.note(name, Digest::of(text.as_bytes()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;

    #[test]
    fn sample_goes_only_where_nothing_is() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("sample");

        write_samples(&folder, &mut Rollback::default()).unwrap();
        assert!(folder.join("memory/notes.md").is_file());
        fs::write(folder.join("README.md"), "mine").unwrap();
        let mut rollback = Rollback::default();
        write_samples(&folder, &mut rollback).unwrap();
        assert!(rollback.written.is_none());
        assert_eq!(fs::read_to_string(folder.join("README.md")).unwrap(), "mine");
    }

    #[test]
    fn sample_that_a_crash_cut_off_is_completed() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("sample");
        fs::create_dir_all(folder.join("memory")).unwrap();
        fs::write(folder.join("README.md"), &SAMPLES[0].1[..10]).unwrap();

        write_samples(&folder, &mut Rollback::default()).unwrap();

        for (name, text) in SAMPLES {
            assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn sample_that_led_nowhere_is_taken_back_but_for_what_was_edited() {
        let place = tempfile::tempdir().unwrap();
        for edited in [None, Some("memory/notes.md")] {
            let folder = place.path().join("sample");
            let mut rollback = Rollback::default();
            write_samples(&folder, &mut rollback).unwrap();
            if let Some(edited) = edited {
                fs::write(folder.join(edited), "mine").unwrap();
            }

            drop(rollback.run(Refusal::Stopping.into()).await);

            let left = edited.map(|edited| fs::read_to_string(folder.join(edited)).unwrap());
            assert_eq!(left.as_deref(), edited.map(|_| "mine"));
            assert!(!folder.join("README.md").exists());
            assert_eq!(folder.exists(), edited.is_some());
        }
    }
}
