//! What this machine keeps of a project and may stand nowhere else: stashed
//! versions, queued pushes, conflicts. Only a person who says so drops it.
//!
//! It is read from the data folder, so that it is known of a project that can't
//! be opened, and of one whose file is gone.

use std::fs;
use std::path::Path;

use mirror_core::Digest;
use mirror_engine::real::LocalDisk;
use mirror_engine::{Kept, kept, local_project};
use mirror_storage::FaultClass;

use super::registry::Registry;
use crate::config::check_name;
use crate::error::{Explained, FolderError, RequestError};

/// Why something is not removed, or not written over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepsVersions {
    #[error("{name} keeps what may be nowhere else: {what}; nothing was removed")]
    Project { name: String, what: String },

    /// Committed, and perhaps gone from the backend.
    #[error(
        "{0} is stopped, and versions that were committed may be nowhere but in its cache \
         here; nothing was removed"
    )]
    LastCopies(String),

    /// Of another project, by the same name.
    #[error("an earlier project {name:?} left what may be nowhere else: {what}")]
    LeftOver { name: String, what: String },
}

impl Explained for KeepsVersions {
    fn class(&self) -> FaultClass {
        match self {
            Self::Project { .. } | Self::LastCopies(_) => FaultClass::Consent,
            Self::LeftOver { .. } => FaultClass::Rejected,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Project { name, .. } => format!(
                "with --project {name:?}: `mirrorctl stash list`, `queue list` and `conflict list` \
                 show it, `queue drop --all` puts what waits into the stash, `stash restore ID \
                 --output DIR` writes it out; what is left then goes for good with `mirrorctl \
                 remove {name:?} --discard`"
            ),
            Self::LastCopies(name) => format!(
                "bring the backend's newer log back if you can; with --project {name:?}: \
                 `mirrorctl history PATH` lists versions and `show PATH@DIGEST > FILE` writes one \
                 out; what is left then goes for good with `mirrorctl remove {name:?} --discard`"
            ),
            Self::LeftOver { name, .. } => format!(
                "choose another name with --name; `mirrorctl --project {name:?} stash list`, \
                 `queue list` and `conflict list` show what there is, `stash restore ID --output \
                 DIR` writes it out; `mirrorctl remove {name:?} --discard` drops it for good"
            ),
        })
    }
}

impl Registry {
    /// What is kept of the project of this name, configured or not.
    pub(crate) fn kept_of(&self, name: &str) -> Result<Kept, RequestError> {
        let disk = self.data_of(name);
        Ok(kept(&disk).map_err(|cause| self.unreadable(name, cause))?)
    }

    /// Whose data stands under a name, where any was read.
    pub(in crate::projects) fn project_kept_as(
        &self,
        name: &str,
    ) -> Result<Option<Digest>, RequestError> {
        let disk = self.data_of(name);
        Ok(local_project(&disk).map_err(|cause| self.unreadable(name, cause))?)
    }

    /// For looking only.
    pub(crate) fn data_of(&self, name: &str) -> LocalDisk {
        let [_, data, _] = self.folders.of_project(name);
        LocalDisk::at(data)
    }

    fn unreadable(&self, name: &str, cause: std::io::Error) -> FolderError {
        let [_, folder, _] = self.folders.of_project(name);
        FolderError {
            what: "it can't be seen what is kept in",
            folder,
            cause: Some(cause),
            hint: "make it readable for yourself",
        }
    }

    /// Projects that are configured no more and whose data holds something of a
    /// person's, or can't be looked at, sorted by name.
    pub(crate) fn left_over(&self) -> Vec<(String, Result<Kept, RequestError>)> {
        let names = folders_in(&self.folders.data.join("projects"));
        let is_nobodys =
            |name: &String| !self.slots().contains_key(name) && !self.is_reserved(name);
        let found = names.into_iter().filter(is_nobodys).filter_map(|name| {
            let kept = self.kept_of(&name);
            let is_nothing = kept.as_ref().is_ok_and(Kept::is_empty);
            (!is_nothing).then_some((name, kept))
        });
        found.collect()
    }

    /// Whether something stands under the name of a project that is configured
    /// no more.
    pub(crate) fn is_left_over(&self, name: &str) -> bool {
        let folders = self.folders.of_project(name);
        check_name(name).is_ok()
            && !self.slots().contains_key(name)
            && !self.is_reserved(name)
            && folders.iter().any(|folder| folder.is_dir())
    }
}

fn folders_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| check_name(name).is_ok()).collect();
    names.sort();
    names
}

/// How much there is, in words.
pub(in crate::projects) fn counted(kept: &Kept) -> String {
    let counts = [
        (kept.pushes.len(), "push waits", "pushes wait"),
        (kept.stashed.len(), "stashed version", "stashed versions"),
        (kept.conflicts.len(), "conflict", "conflicts"),
        (kept.unreadable, "record that can't be read", "records that can't be read"),
    ];
    let words = counts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_counted_by_kind() {
        let kept = Kept {
            conflicts: vec!["a.md", "b.md"]
                .into_iter()
                .map(|path| mirror_core::RelPath::new(path).unwrap())
                .collect(),
            unreadable: 1,
            ..Kept::default()
        };
        assert_eq!(counted(&kept), "2 conflicts, 1 record that can't be read");
        assert_eq!(counted(&Kept::default()), "");
    }
}
