//! What a set-up has written into a project's folder, and how that goes again.
//!
//! A file goes only while it is as it was written, and is looked at as it goes
//! (B9). Whatever else stands there stays, with the folders around it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mirror_core::reconcile::FileState;
use mirror_core::{Digest, RelPath, State, Ulid};
use mirror_engine::FileStatus;
use mirror_engine::outside::tree::TEMP_PREFIX;
use mirror_engine::outside::{DirEntry, Taken, Tree, TreeError};
use mirror_engine::real::LocalTree;

use crate::wire::tree_at;

/// Files below a folder, by their contents.
#[derive(Debug)]
pub(super) struct FetchedFiles {
    root: PathBuf,
    files: BTreeMap<RelPath, Digest>,
}

impl FetchedFiles {
    pub(super) fn below(root: &Path) -> Self {
        Self { root: root.to_owned(), files: BTreeMap::new() }
    }

    pub(super) fn note(&mut self, path: RelPath, content: Digest) {
        self.files.insert(path, content);
    }

    /// What a project has fetched; `None` when its folder holds anything else.
    pub(super) fn by_project(root: &Path, files: &[FileStatus]) -> Option<Self> {
        let mut fetched = Self::below(root);
        for file in files {
            match (file.state, file.local) {
                (_, None) => {}
                (
                    FileState::InSync | FileState::RemoteAhead | FileState::DeletedRemote,
                    Some(content),
                ) => fetched.note(file.path.clone(), content),
                (
                    FileState::LocalAhead
                    | FileState::Diverged
                    | FileState::Conflict
                    | FileState::NewLocal
                    | FileState::NewRemote
                    | FileState::DeletedLocal,
                    Some(_),
                ) => return None,
            }
        }
        fetched.is_all_there_is().unwrap_or(false).then_some(fetched)
    }

    /// Goes by names alone: also what no project covers may be somebody's.
    fn is_all_there_is(&self) -> Result<bool, TreeError> {
        let tree = tree_at(&self.root, Vec::new());
        let mut folders = vec![None];
        while let Some(folder) = folders.pop() {
            for found in tree.list(folder.as_ref())? {
                let path = found.name.and_then(|name| path_of(folder.as_ref(), &name));
                match (path, found.entry) {
                    (Some(path), DirEntry::Folder) => folders.push(Some(path)),
                    (Some(path), DirEntry::File(_)) if self.files.contains_key(&path) => {}
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    /// Removes the files, and every folder below the root that is empty then.
    pub(super) fn take_back(&self) {
        let tree = tree_at(&self.root, Vec::new());
        for (path, content) in &self.files {
            match self.take(&tree, path, *content) {
                Ok(Taken::Done) => {}
                Ok(Taken::Changed) => tracing::warn!(%path, "it was edited, and stays"),
                Err(error) => tracing::warn!(%path, %error, "a left-over could not be removed"),
            }
        }
        remove_empty_below(&self.root);
    }

    fn take(&self, tree: &LocalTree, path: &RelPath, digest: Digest) -> Result<Taken, TreeError> {
        let Some(stamp) = tree.stamp(path)? else { return Ok(Taken::Done) };
        let expected = State { kind: stamp.kind, digest, exec: stamp.exec };
        let temp_name = format!("{TEMP_PREFIX}{}", Ulid::generate());
        tree.take(path, expected, &temp_name, &mut |version| self.rescue(path, version))
    }

    /// Keeps a version that a program saved while its file was taken away.
    fn rescue(&self, path: &RelPath, version: &mut dyn Read) -> io::Result<()> {
        let name = format!("{}.kept-{}", path.name(), Ulid::generate());
        tracing::warn!(%path, name, "it was edited as it went; the edit is kept");
        let mut file = File::create_new(self.root.join(name))?;
        io::copy(version, &mut file)?;
        file.sync_all()
    }
}

fn path_of(folder: Option<&RelPath>, name: &str) -> Option<RelPath> {
    let path = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
    RelPath::new(&path).ok()
}

fn remove_empty_below(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|found| found.is_dir()) {
            remove_empty_below(&entry.path());
            // One that holds something holds what isn't ours to remove.
            drop(fs::remove_dir(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files and a status that says so of them.
    fn folder(files: &[(&str, FileState)]) -> (tempfile::TempDir, Vec<FileStatus>) {
        let place = tempfile::tempdir().unwrap();
        let status = |(path, state): &(&str, FileState)| {
            let file = place.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, path).unwrap();
            let (base, remote, size) = (None, None, 0);
            let local = Some(Digest::of(path.as_bytes()));
            let path = RelPath::new(path).unwrap();
            FileStatus { path, state: *state, base, local, remote, size, held: false }
        };
        let files = files.iter().map(status).collect();
        (place, files)
    }

    #[test]
    fn folder_that_was_only_fetched_is_emptied() {
        let files = [("a.md", FileState::InSync), ("sub/deep/b.md", FileState::RemoteAhead)];
        let (place, files) = folder(&files);
        fs::create_dir_all(place.path().join("begun/deep")).unwrap();

        FetchedFiles::by_project(place.path(), &files).unwrap().take_back();

        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn folder_with_anything_else_is_not_taken_back() {
        for state in [FileState::LocalAhead, FileState::NewLocal, FileState::Conflict] {
            let (place, files) = folder(&[("a.md", FileState::InSync), ("b.md", state)]);
            assert!(FetchedFiles::by_project(place.path(), &files).is_none(), "{state:?}");
        }
        for mine in ["mine.bin", ".mirrord-01", "sub/deep/mine.bin"] {
            let (place, mut files) =
                folder(&[("a.md", FileState::InSync), (mine, FileState::InSync)]);
            files.pop();
            assert!(FetchedFiles::by_project(place.path(), &files).is_none(), "{mine}");
        }
    }

    #[test]
    fn file_that_was_edited_after_the_look_stays() {
        let (place, files) =
            folder(&[("a.md", FileState::InSync), ("sub/b.md", FileState::InSync)]);
        let written = FetchedFiles::by_project(place.path(), &files).unwrap();
        fs::write(place.path().join("sub/b.md"), "mine").unwrap();

        written.take_back();

        assert!(!place.path().join("a.md").exists());
        assert_eq!(fs::read_to_string(place.path().join("sub/b.md")).unwrap(), "mine");
    }
}
