//! The files of a memory backend, and what each change does to them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::system::is_in_system_folder;
use crate::{Access, Expect, Guarded, NewFile, RemoteFile, RemotePath, Revision, StorageError};

/// All files by path, and how many changes there have been.
#[derive(Default)]
pub(super) struct Files {
    by_path: BTreeMap<RemotePath, MemoryFile>,
    changes: u64,
}

struct MemoryFile {
    content: Bytes,
    modified: SystemTime,
    revision: Revision,
    access: Option<Access>,
    is_flushed: bool,
}

/// How a file is written, whichever it is.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// The service's clock; its changes are counted in seconds where it has none.
    pub(super) now: Option<SystemTime>,
    /// Who may use a file that is not private, once somebody has said it.
    pub(super) access: Option<Access>,
    pub(super) is_flushed: bool,
}

impl Files {
    pub(super) fn described(&self, path: &RemotePath) -> Option<RemoteFile> {
        let stored = self.by_path.get(path)?;
        Some(describe(path, stored))
    }

    pub(super) fn content(&self, path: &RemotePath) -> Option<Bytes> {
        Some(self.by_path.get(path)?.content.clone())
    }

    pub(super) fn access(&self, path: &RemotePath) -> Option<Access> {
        self.by_path.get(path)?.access
    }

    /// Loses the bytes that were not flushed; names are kept, as disks do it.
    pub(super) fn lose_unflushed(&mut self) {
        for file in self.by_path.values_mut().filter(|file| !file.is_flushed) {
            file.content = Bytes::new();
        }
    }

    pub(super) fn below(&self, prefix: &RemotePath) -> Vec<RemoteFile> {
        self.stored_below(prefix)
            .filter(|(path, _)| !prefix.is_root() || !path.is_ours())
            .filter(|(path, _)| path.is_ours() || !is_in_system_folder(below(prefix, path)))
            .map(|(path, stored)| describe(path, stored))
            .collect()
    }

    pub(super) fn put(
        &mut self,
        file: &NewFile,
        content: Bytes,
        manner: Manner,
    ) -> Result<Guarded<Revision>, StorageError> {
        let NewFile { path, expect, attributes, .. } = file;
        self.check_place(path)?;
        if !self.is_as(expect, path) {
            return Ok(Guarded::Refused);
        }
        self.changes += 1;
        let counted = SystemTime::UNIX_EPOCH + Duration::from_secs(self.changes);
        let now = manner.now.unwrap_or(counted);
        let stored = MemoryFile {
            content,
            modified: attributes.modified.map_or(now, |asked| asked.min(now)),
            revision: Revision(self.changes.to_string()),
            access: if attributes.is_private { Some(Access::Owner) } else { manner.access },
            is_flushed: manner.is_flushed,
        };
        let revision = stored.revision.clone();
        self.by_path.insert(path.clone(), stored);
        Ok(Guarded::Done(revision))
    }

    pub(super) fn take(&mut self, path: &RemotePath, expect: &Expect) -> Guarded<()> {
        if self.by_path.contains_key(path) && !self.is_as(expect, path) {
            return Guarded::Refused;
        }
        self.by_path.remove(path);
        Guarded::Done(())
    }

    pub(super) fn rename(
        &mut self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        if self.by_path.contains_key(to) || !self.by_path.contains_key(from) {
            return Ok(Guarded::Refused);
        }
        self.check_place(to)?;
        if let Some(stored) = self.by_path.remove(from) {
            self.by_path.insert(to.clone(), stored);
        }
        Ok(Guarded::Done(()))
    }

    fn is_as(&self, expect: &Expect, path: &RemotePath) -> bool {
        match (expect, self.by_path.get(path)) {
            (Expect::Anything, _) | (Expect::Absent, None) => true,
            (Expect::At(revision), Some(stored)) => stored.revision == *revision,
            (Expect::Absent, Some(_)) | (Expect::At(_), None) => false,
        }
    }

    /// Refuses a file below another file, and one where a folder stands.
    fn check_place(&self, path: &RemotePath) -> Result<(), StorageError> {
        let rejected = |reason: &str| {
            Err(StorageError::Rejected { path: path.clone(), reason: reason.to_owned() })
        };
        if path.is_root() || self.stored_below(path).next().is_some() {
            return rejected("a folder stands there");
        }
        if path.folders().any(|folder| self.by_path.contains_key(&folder)) {
            return rejected("a file stands where a folder is needed");
        }
        Ok(())
    }

    fn stored_below(
        &self,
        prefix: &RemotePath,
    ) -> impl Iterator<Item = (&RemotePath, &MemoryFile)> {
        let start = (Bound::Excluded(prefix), Bound::Unbounded);
        // "a-b" stands between "a" and "a/b": skip what only shares the text.
        self.by_path
            .range::<RemotePath, _>(start)
            .take_while(move |(path, _)| path.as_str().starts_with(prefix.as_str()))
            .filter(move |(path, _)| path.is_within(prefix))
    }
}

/// The path from `prefix` on.
fn below<'a>(prefix: &RemotePath, path: &'a RemotePath) -> &'a str {
    path.as_str()[prefix.as_str().len()..].trim_start_matches('/')
}

fn describe(path: &RemotePath, stored: &MemoryFile) -> RemoteFile {
    RemoteFile {
        path: path.clone(),
        size: stored.content.len() as u64,
        modified: Some(stored.modified),
        revision: stored.revision.clone(),
        is_private: stored.access.map(|access| access == Access::Owner),
    }
}
