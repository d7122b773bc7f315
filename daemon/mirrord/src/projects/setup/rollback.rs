//! Takes back what setting up a project has made, should it fail.
//!
//! What a person has saved meanwhile never goes with it: then the project stays
//! as it is, half-made, for the next job to go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_engine::StatusReport;
use tokio::task::spawn_blocking;

use super::begun::remove_note;
use super::error::SetUpError;
use super::fetched_files::FetchedFiles;
use crate::error::RequestError;
use crate::projects::registry::Open;
use crate::services::Account;

/// What has been made so far, in the order it was made.
#[derive(Debug, Default)]
pub(super) struct Rollback {
    /// Removed if they are empty: what a person put there meanwhile stays.
    pub(super) made_folders: Vec<PathBuf>,
    /// Was absent or empty: all of it is fetched, unless a person put it there.
    pub(super) filled_folder: bool,
    pub(super) written: Option<FetchedFiles>,
    /// The daemon's own: removed whole.
    pub(super) own_folders: Vec<PathBuf>,
    /// The project's file, from before its first job on.
    pub(super) file: Option<PathBuf>,
    /// Something was written to it.
    pub(super) used: Option<Arc<dyn Account>>,
    /// Its root was made, and is removed if it is still empty.
    pub(super) made_root: bool,
    pub(super) open: Option<Open>,
    pub(super) created: Created,
    /// Says that the set-up was begun. It stays while something of it does.
    pub(super) note: Option<PathBuf>,
}

/// Whether the backend got a project: its log is never removed (L2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Created {
    #[default]
    No,
    /// The answer was lost.
    Perhaps,
    Yes,
}

impl Rollback {
    /// The project as it is, and why it can't be taken back, if so.
    pub(super) async fn stays(&mut self) -> Option<(PathBuf, Open, &'static str)> {
        let (file, open) = (self.file.clone()?, self.open.clone()?);
        let why = match (open.project.stash().await, open.project.status(true).await) {
            (Ok(stash), _) if !stash.is_empty() => "its stash holds versions of yours",
            (Ok(_), _) if !self.filled_folder => return None,
            (Ok(_), Ok(status)) if status.files_known => {
                self.written = fetched(&open.config.root, status).await;
                match self.written {
                    Some(_) => return None,
                    None => "its folder holds what did not come from the backend",
                }
            }
            (Err(_), _) | (_, Ok(_) | Err(_)) => {
                "it can't be seen whether anything of yours is in it"
            }
        };
        Some((file, open, why))
    }

    /// Undoes everything, and says in the error what can't be.
    ///
    /// The project's file goes first and its state next: a project whose files
    /// went before them would have them deleted everywhere.
    pub(super) async fn run(self, error: RequestError) -> RequestError {
        if let Some(open) = &self.open {
            open.project.close().await;
        }
        if let Some(file) = &self.file {
            report(file, fs::remove_file(file));
        }
        for folder in &self.own_folders {
            report(folder, fs::remove_dir_all(folder));
        }
        if let Some(written) = self.written {
            drop(spawn_blocking(move || written.take_back()).await);
        }
        match &self.used {
            Some(account) if self.made_root => account.clear_root().await,
            Some(account) => account.clear_own().await,
            None => {}
        }
        for folder in self.made_folders.iter().rev() {
            // A folder that isn't empty holds what isn't ours to remove.
            drop(fs::remove_dir(folder));
        }
        let stays = match self.created {
            Created::No => {
                if let Some(note) = &self.note {
                    remove_note(note);
                }
                return error;
            }
            Created::Perhaps => "may stay",
            Created::Yes => "stays",
        };
        SetUpError::AfterCreation { cause: error, stays }.into()
    }
}

async fn fetched(root: &Path, status: StatusReport) -> Option<FetchedFiles> {
    let root = root.to_owned();
    let look = spawn_blocking(move || FetchedFiles::by_project(&root, &status.files));
    look.await.ok().flatten()
}

fn report(path: &Path, removed: std::io::Result<()>) {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a left-over could not be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use mirror_core::{Digest, RelPath};

    use super::*;
    use crate::backends::Backends;
    use crate::error::Refusal;
    use crate::services::{BackendUrl, Settings};

    #[tokio::test]
    async fn what_was_made_goes_and_what_a_person_added_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for name in ["root", "backend/_mirror/log/0000000", "clone/sub", "state/sled"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        fs::write(path("clone/sub/a.md"), "a").unwrap();
        fs::write(path("backend/theirs.txt"), "b").unwrap();
        fs::write(path("notes.toml"), "c").unwrap();
        let mut written = FetchedFiles::below(&path("clone"));
        written.note(RelPath::new("sub/a.md").unwrap(), Digest::of(b"a"));
        let url = BackendUrl::of_folder(&path("backend")).unwrap();
        let backends = Backends::new(path("home"));
        let rollback = Rollback {
            made_folders: vec![path("root"), path("backend"), path("clone")],
            written: Some(written),
            own_folders: vec![path("state")],
            file: Some(path("notes.toml")),
            used: Some(backends.account(&url, &Settings::default())),
            ..Rollback::default()
        };

        let error = rollback.run(Refusal::Stopping.into()).await;

        assert!(matches!(error.as_raised(), Some(Refusal::Stopping)));
        let names = |folder: &Path| -> Vec<_> {
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
        };
        assert_eq!(names(place.path()), ["backend"]);
        assert_eq!(names(&path("backend")), ["theirs.txt"]);
    }
}
