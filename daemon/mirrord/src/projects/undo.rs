//! Takes back what setting up a project has made, should it fail.

use std::fs;
use std::path::PathBuf;

use mirror_engine::Project;

use crate::backends::Service;
use crate::error::RequestError;

/// What has been made so far, in the order it was made.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// Removed if they are empty: what a person put there meanwhile stays.
    pub(super) made_folders: Vec<PathBuf>,
    /// Was absent or empty, and has been filled by us alone.
    pub(super) filled_folder: Option<PathBuf>,
    /// The daemon's own: removed whole.
    pub(super) own_folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
    /// Its root on a server was made, and is removed if it is still empty.
    pub(super) made_root: Option<Service>,
    pub(super) project: Option<Project>,
    /// The backend got a project: its log is never removed (L2).
    pub(super) created: bool,
}

impl Undo {
    /// Undoes everything, and says in the error what can't be.
    pub(super) async fn run(self, error: RequestError) -> RequestError {
        if let Some(project) = &self.project {
            project.close().await;
        }
        for file in &self.files {
            report(file, fs::remove_file(file));
        }
        for folder in &self.own_folders {
            report(folder, fs::remove_dir_all(folder));
        }
        if let Some(folder) = &self.filled_folder {
            empty(folder);
        }
        for folder in self.made_folders.iter().rev() {
            // A folder that isn't empty holds what isn't ours to remove.
            drop(fs::remove_dir(folder));
        }
        if let Some(service) = &self.made_root
            && !self.created
        {
            service.clear_root().await;
        }
        if self.created {
            return RequestError::AfterCreation { cause: Box::new(error) };
        }
        error
    }
}

fn empty(folder: &PathBuf) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
        let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        report(&path, removed);
    }
}

fn report(path: &std::path::Path, removed: std::io::Result<()>) {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a left-over could not be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_made_goes_and_what_a_person_added_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for name in ["root", "backend", "clone/sub", "state/sled"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        fs::write(path("clone/sub/a.md"), "a").unwrap();
        fs::write(path("backend/theirs.txt"), "b").unwrap();
        fs::write(path("notes.toml"), "c").unwrap();
        let undo = Undo {
            made_folders: vec![path("root"), path("backend"), path("clone")],
            filled_folder: Some(path("clone")),
            own_folders: vec![path("state")],
            files: vec![path("notes.toml")],
            ..Undo::default()
        };

        let error = undo.run(RequestError::Stopping).await;

        assert!(matches!(error, RequestError::Stopping));
        let left: Vec<_> = fs::read_dir(place.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1);
        assert!(path("backend/theirs.txt").exists());
    }
}
