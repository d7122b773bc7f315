//! The versions that one file has had, wherever they are kept: committed, as what
//! went into a merge (M2), or in the stash of this machine.
//!
//! A version is named by the commit that has it or by the beginning of its SHA-256.
//! One that the stash has is read there, so that it needs no backend.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::commit::{Change, Commit};
use mirror_core::plan::Selection;
use mirror_core::{Digest, Kind, RelPath, Timestamp};

use crate::api::{EngineResult, FileVersion, Stashed, VersionName, VersionRole};
use crate::error::EngineError;
use crate::packs::{Content, Wanted};
use crate::project::worker::Worker;
use crate::snapshots::Snapshot;

/// One version, and how its content is to be had.
pub(crate) struct Version {
    pub(crate) told: FileVersion,
    /// `None` where the file was deleted, and for what the stash has.
    in_log: Option<Logged>,
}

/// A version whose content is in packs.
struct Logged {
    wanted: Wanted,
    kind: Kind,
    exec: Option<bool>,
    private: bool,
}

/// A version that was asked for.
pub(crate) struct Chosen {
    pub(crate) told: FileVersion,
    pub(crate) content: Content,
    pub(crate) kind: Kind,
    /// `None` where nobody noted it.
    pub(crate) exec: Option<bool>,
    /// Whether it was for its owner alone (B14), as far as somebody noted it.
    pub(crate) private: bool,
}

/// What there is of a file, newest first.
pub(crate) struct Listing {
    pub(crate) versions: Vec<Version>,
    /// Why older entries of the log could not be read.
    pub(crate) ended: EngineResult<()>,
}

impl Worker {
    /// Every version of a file, newest first; renames are followed. Goes by what
    /// was read before when the backend is away.
    pub(crate) async fn versions_of(&mut self, path: &RelPath) -> EngineResult<Listing> {
        if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "history goes by what was read before");
        }
        let stash = self.stash().await?;
        let is_stashed = stash.iter().any(|stashed| stashed.path == *path);
        if !self.has_had(path) && !is_stashed {
            return Err(EngineError::UnknownPaths(vec![path.as_str().to_owned()]));
        }
        let author = &self.spec.author;
        let mut walk = Walk {
            names: BTreeSet::from([path.clone()]),
            user: author.user.clone(),
            machine: author.machine.clone(),
            stash,
            of_others: BTreeMap::new(),
            versions: Vec::new(),
        };
        let mut ended = Ok(());
        for seq in (1..=self.log.head()).rev() {
            match self.log.entry(seq).await {
                Ok(entry) => {
                    let commit = entry.commit.filter(|_| entry.void.is_none());
                    if let Some(commit) = commit {
                        walk.pass(&commit);
                    }
                }
                Err(error) => {
                    ended = Err(error);
                    break;
                }
            }
        }
        walk.pass_stash(None);
        Ok(Listing { versions: walk.distinct(), ended })
    }

    /// Whether the log has ever had the path.
    pub(crate) fn has_had(&self, path: &RelPath) -> bool {
        let history = self.log.history();
        history.manifest().contains_key(path)
            || history.past().has(path)
            || history.has_forgotten(path)
    }

    /// Names that other commits may know.
    pub(crate) fn not_in_commit(&self, names: Vec<String>, seq: u64) -> EngineError {
        let history = self.log.history();
        let meant = |names: &[String]| Selection::of(names, |name| self.is_known(name));
        let mut known = history.past().paths().chain(history.manifest().keys());
        // All of them at once, as there may be many.
        let all = meant(&names);
        let past = known.find(|path| all.names(path)).cloned();
        let is_of = |name: &&String, path| meant(std::slice::from_ref(name)).names(path);
        let name = past.as_ref().and_then(|path| names.iter().find(|name| is_of(name, path)));
        match (name.cloned(), past) {
            (Some(name), Some(past)) => EngineError::NotInCommit { name, seq, past },
            _ => EngineError::UnknownPaths(names),
        }
    }

    /// The version of a file that somebody means, with its content.
    pub(crate) async fn version(
        &mut self,
        path: &RelPath,
        name: &VersionName,
    ) -> EngineResult<Chosen> {
        let seq = match name {
            VersionName::Latest => None,
            VersionName::Commit(seq) => Some(*seq),
            VersionName::Digest(digits) => return self.version_by_digest(path, digits).await,
        };
        if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "a version is read as far as the log was read before");
        }
        let snapshot = Snapshot::of(self.log.history(), seq, &self.fetcher)?;
        let seq = snapshot.seq();
        let Some(entry) = snapshot.file(path).cloned() else {
            return Err(self.not_in_commit(vec![path.as_str().to_owned()], seq));
        };
        let made = self.log.history().snapshots().get(&seq);
        let told = FileVersion {
            seq: Some(seq),
            time: made.map_or(Timestamp(0), |made| made.time),
            user: made.map(|made| made.user.clone()).unwrap_or_default(),
            machine: made.map(|made| made.machine.clone()).unwrap_or_default(),
            sha256: Some(entry.sha256),
            size: entry.size,
            path: path.clone(),
            role: VersionRole::Committed,
            stash: None,
        };
        let content = self.fetch_at_newest_head(&Wanted::of(path, &entry)).await?;
        Ok(Chosen {
            told,
            content,
            kind: entry.kind,
            exec: Some(entry.exec),
            private: entry.private,
        })
    }

    async fn version_by_digest(&mut self, path: &RelPath, digits: &str) -> EngineResult<Chosen> {
        let Listing { versions, ended } = self.versions_of(path).await?;
        let mut found: BTreeMap<Digest, Vec<Version>> = BTreeMap::new();
        for version in versions {
            let Some(digest) = version.told.sha256 else { continue };
            if digest.to_string().starts_with(digits) {
                found.entry(digest).or_default().push(version);
            }
        }
        if found.len() > 1 {
            let candidates = found.keys().map(ToString::to_string).collect();
            let (path, typed) = (path.clone(), digits.to_owned());
            return Err(EngineError::AmbiguousVersion { path, typed, candidates });
        }
        let Some((_, mut copies)) = found.pop_first() else {
            ended?;
            return Err(self.no_such_version(path, digits).await?);
        };
        // What is here needs no backend.
        copies.sort_by_key(|version| version.told.role != VersionRole::Stash);
        let mut last = None;
        for version in copies {
            match self.read_version(version).await {
                Ok(chosen) => return Ok(chosen),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("a version was found"))
    }

    async fn read_version(&mut self, version: Version) -> EngineResult<Chosen> {
        let Version { told, in_log } = version;
        if let Some(id) = told.stash {
            let (stashed, content) = self.stashed(&id.to_string()).await?;
            let Stashed { kind, exec, private, .. } = stashed;
            let (kind, private) = (kind.unwrap_or(Kind::File), private.unwrap_or_default());
            return Ok(Chosen { told, content, kind, exec, private });
        }
        let missing = || EngineError::ContentMissing { path: told.path.clone() };
        let Logged { wanted, kind, exec, private } = in_log.ok_or_else(missing)?;
        let content = self.fetch_at_newest_head(&wanted).await?;
        Ok(Chosen { told, content, kind, exec, private })
    }

    /// Says which other file has had it, if one has.
    async fn no_such_version(&self, path: &RelPath, digits: &str) -> EngineResult<EngineError> {
        let begins = |digest: Digest| digest.to_string().starts_with(digits);
        let history = self.log.history();
        let current = history.manifest().iter().map(|(path, placed)| (path, placed.entry.sha256));
        let past = history.past().iter().map(|past| (&past.path, past.entry.sha256));
        let committed = current.chain(past).find(|(_, digest)| begins(*digest));
        let merged = || {
            let paths = history.manifest().keys().chain(history.past().paths());
            let mut paths = paths.collect::<BTreeSet<_>>().into_iter();
            paths.find(|path| history.inputs_of(path).any(begins)).cloned()
        };
        let elsewhere = committed.map(|(path, _)| path.clone()).or_else(merged);
        let elsewhere = match elsewhere {
            Some(elsewhere) => Some(elsewhere),
            None => {
                let stash = self.stash().await?;
                stash.into_iter().find(|kept| begins(kept.sha256)).map(|kept| kept.path)
            }
        };
        let (path, typed) = (path.clone(), digits.to_owned());
        Ok(EngineError::NoSuchVersion { path, typed, elsewhere })
    }
}

/// Goes back through the log beside the stash, whose versions have their place by
/// time.
struct Walk {
    names: BTreeSet<RelPath>,
    /// Who set aside what the stash has.
    user: String,
    machine: String,
    /// Oldest first; what has its place is taken out.
    stash: Vec<Stashed>,
    /// What was set aside of paths that are no name of the file, as far as that is
    /// known yet, each with its place among the versions.
    of_others: BTreeMap<RelPath, Vec<(usize, Version)>>,
    versions: Vec<Version>,
}

impl Walk {
    fn pass(&mut self, commit: &Commit) {
        self.pass_stash(Some(commit.time));
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
                let in_log = Some(Logged { wanted, kind: input.kind, exec: None, private: false });
                Version { told, in_log }
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

    /// Puts what was set aside after `time` before what is older.
    fn pass_stash(&mut self, time: Option<Timestamp>) {
        while let Some(stashed) = self.stash.pop_if(|one| time.is_none_or(|time| one.time > time)) {
            let is_of_the_file = self.names.contains(&stashed.path);
            let told = FileVersion {
                seq: None,
                time: stashed.time,
                user: self.user.clone(),
                machine: self.machine.clone(),
                sha256: Some(stashed.sha256),
                size: stashed.size,
                path: stashed.path,
                role: VersionRole::Stash,
                stash: Some(stashed.id),
            };
            let version = Version { told, in_log: None };
            match is_of_the_file {
                true => self.versions.push(version),
                false => {
                    let aside = self.of_others.entry(version.told.path.clone()).or_default();
                    // The oldest first, so that the places of the others stay.
                    aside.insert(0, (self.versions.len(), version));
                }
            }
        }
    }

    /// Leaves out inputs that are listed anyway.
    fn distinct(self) -> Vec<Version> {
        let is_committed = |version: &&Version| version.told.role == VersionRole::Committed;
        let committed = self.versions.iter().filter(is_committed);
        let mut listed: BTreeSet<_> = committed.filter_map(|version| version.told.sha256).collect();
        let mut versions = self.versions;
        versions.retain(|version| {
            version.told.role != VersionRole::Input
                || version.told.sha256.is_some_and(|digest| listed.insert(digest))
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
    let in_log = change.to.as_ref().map(|entry| Logged {
        wanted: Wanted::of(&change.path, entry),
        kind: entry.kind,
        exec: Some(entry.exec),
        private: entry.private,
    });
    Version { told, in_log }
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
    }
}

/// The path that somebody means by a name inside the project.
pub(crate) fn path_of(name: &str) -> EngineResult<RelPath> {
    let unknown = || EngineError::UnknownPaths(vec![name.to_owned()]);
    RelPath::new(name.trim_start_matches("./")).map_err(|_| unknown())
}
