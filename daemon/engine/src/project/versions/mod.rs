//! The versions that one file has had, wherever they are kept: committed, as what
//! went into a merge (M2), or on this machine alone.
//!
//! A version is named by the commit that has it or by the beginning of its SHA-256.
//! One that this machine keeps is read here, so that it needs no backend.

mod here;
mod version;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::plan::Selection;
use mirror_core::{Digest, Kind, RelPath, Timestamp};

use self::version::{Source, Stands, Version};
use self::walk::Walk;
use crate::api::{EngineResult, FileVersion, VersionName, VersionRole};
use crate::error::EngineError;
use crate::packs::{Content, Wanted};
use crate::project::stash::{whole, whole_content};
use crate::project::worker::Worker;
use crate::snapshots::Snapshot;

/// A version that was asked for.
pub(crate) struct Chosen {
    pub(crate) told: FileVersion,
    pub(crate) content: Content,
    pub(crate) kind: Kind,
    pub(crate) exec: Option<bool>,
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
        let here = self.versions_here().await?;
        let is_here = here.iter().any(|version| version.told.path == *path);
        if !self.has_had(path) && !is_here {
            return Err(EngineError::UnknownPaths(vec![path.as_str().to_owned()]));
        }
        let mut walk = Walk::of(path, here);
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
        walk.pass_here(None);
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
            push: None,
        };
        let content = self.content_of(&Wanted::of(path, &entry)).await?;
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
        copies.sort_by_key(|version| !version.is_here());
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
        let Version { told, source } = version;
        let missing = || EngineError::ContentMissing { path: told.path.clone() };
        let Source { stands, kind, exec, private } = source.ok_or_else(missing)?;
        let content = match stands {
            Stands::InPacks(wanted) => self.content_of(&wanted).await?,
            Stands::Here(name) => {
                let (data, cache) = (self.parts.data.clone(), self.parts.cache.clone());
                let is = (told.sha256.ok_or_else(missing)?, told.size);
                let read = move || whole_content(data.as_ref(), cache.as_ref(), &name, is);
                self.parts.outside.offload(read).await?.ok_or_else(missing)?
            }
        };
        Ok(Chosen { told, content, kind, exec, private })
    }

    /// A content of a commit. Where it is not to be had from the backend, the file here may
    /// still be that version.
    async fn content_of(&mut self, wanted: &Wanted) -> EngineResult<Content> {
        let error = match self.fetch_at_newest_head(wanted).await {
            Err(error) if !matches!(error, EngineError::Cancelled) => error,
            fetched => return fetched,
        };
        let (tree, cache) = (self.parts.tree.clone(), self.parts.cache.clone());
        let (path, is) = (wanted.path.clone(), (wanted.digest, wanted.size));
        let look = move || {
            let (_, file) = tree.open(&path).ok()??;
            whole(file, cache.as_ref(), is).ok()?
        };
        self.parts.outside.offload(look).await.ok_or(error)
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
                let here = self.versions_here().await?.into_iter().map(|version| version.told);
                let mut here = here.filter(|told| told.sha256.is_some_and(begins));
                here.next().map(|told| told.path)
            }
        };
        let (path, typed) = (path.clone(), digits.to_owned());
        Ok(EngineError::NoSuchVersion { path, typed, elsewhere })
    }
}

/// The path that somebody means by a name inside the project.
pub(crate) fn path_of(name: &str) -> EngineResult<RelPath> {
    let unknown = || EngineError::UnknownPaths(vec![name.to_owned()]);
    RelPath::new(name.trim_start_matches("./")).map_err(|_| unknown())
}
