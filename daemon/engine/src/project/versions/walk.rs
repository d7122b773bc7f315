//! One file's way back through its versions.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::commit::{Change, Commit};
use mirror_core::{RelPath, Timestamp};

use super::version::{Source, Stands, Version};
use crate::api::{FileVersion, VersionRole};
use crate::packs::Wanted;

/// Goes back through the log beside what is kept here, whose versions have their
/// place by time.
pub(super) struct Walk {
    names: BTreeSet<RelPath>,
    /// Oldest first; what has its place is taken out.
    here: Vec<Version>,
    /// What is kept here of paths that are no name of the file, as far as that is
    /// known yet, each with its place among the versions.
    of_others: BTreeMap<RelPath, Vec<(usize, Version)>>,
    versions: Vec<Version>,
}

impl Walk {
    pub(super) fn of(path: &RelPath, here: Vec<Version>) -> Self {
        Self {
            names: BTreeSet::from([path.clone()]),
            here,
            of_others: BTreeMap::new(),
            versions: Vec::new(),
        }
    }

    pub(super) fn pass(&mut self, commit: &Commit) {
        self.pass_here(Some(commit.time));
        let changes = commit.changes.iter().filter(|change| self.names.contains(&change.path));
        let changes: Vec<&Change> = changes.collect();
        self.versions.extend(changes.iter().map(|change| committed(commit, change)));
        let resolved = commit.resolved.iter().filter(|one| self.names.contains(&one.path));
        for resolved in resolved {
            let inputs = resolved.inputs.iter().map(|input| {
                let told = FileVersion {
                    sha256: Some(input.sha256),
                    size: input.size,
                    role: VersionRole::Input,
                    ..told(commit, &resolved.path)
                };
                let wanted = Wanted {
                    path: resolved.path.clone(),
                    digest: input.sha256,
                    size: input.size,
                    chunks: input.chunks.clone(),
                };
                let stands = Stands::InPacks(wanted);
                let source = Source { stands, kind: input.kind, exec: None, private: false };
                Version { told, source: Some(source) }
            });
            self.versions.extend(inputs);
        }
        // Whoever has the path by this commit has it since, and what was set aside.
        for change in commit.changes.iter().filter(|change| change.to.is_some()) {
            self.of_others.remove(&change.path);
        }
        // From here back the file went by the other name as well.
        let older: Vec<_> = changes.iter().filter_map(|one| one.renamed_from.clone()).collect();
        for name in older {
            let aside = self.of_others.remove(&name).unwrap_or_default();
            for (place, version) in aside {
                self.versions.insert(place, version);
            }
            self.names.insert(name);
        }
    }

    /// Puts what is kept here since `time` before what is older.
    pub(super) fn pass_here(&mut self, time: Option<Timestamp>) {
        let is_later = |version: &mut Version| time.is_none_or(|time| version.told.time > time);
        while let Some(version) = self.here.pop_if(is_later) {
            match self.names.contains(&version.told.path) {
                true => self.versions.push(version),
                false => {
                    let aside = self.of_others.entry(version.told.path.clone()).or_default();
                    // The oldest first, so that the places of the others stay.
                    aside.insert(0, (self.versions.len(), version));
                }
            }
        }
    }

    /// Leaves out inputs, and sides of conflicts, that are listed anyway.
    pub(super) fn distinct(self) -> Vec<Version> {
        let is_doubtful = |version: &Version| {
            matches!(version.told.role, VersionRole::Input | VersionRole::Conflict)
        };
        let others = self.versions.iter().filter(|version| !is_doubtful(version));
        let mut listed: BTreeSet<_> = others.filter_map(|version| version.told.sha256).collect();
        let mut versions = self.versions;
        versions.retain(|version| {
            !is_doubtful(version) || version.told.sha256.is_some_and(|digest| listed.insert(digest))
        });
        versions
    }
}

fn committed(commit: &Commit, change: &Change) -> Version {
    let told = FileVersion {
        sha256: change.to.as_ref().map(|entry| entry.sha256),
        size: change.to.as_ref().map_or(0, |entry| entry.size),
        ..told(commit, &change.path)
    };
    let source = change.to.as_ref().map(|entry| Source {
        stands: Stands::InPacks(Wanted::of(&change.path, entry)),
        kind: entry.kind,
        exec: Some(entry.exec),
        private: entry.private,
    });
    Version { told, source }
}

fn told(commit: &Commit, path: &RelPath) -> FileVersion {
    FileVersion {
        seq: Some(commit.seq),
        time: commit.time,
        user: commit.user.clone(),
        machine: commit.machine.clone(),
        sha256: None,
        size: 0,
        path: path.clone(),
        role: VersionRole::Committed,
        stash: None,
        push: None,
    }
}
