//! What differs between two versions, by default the head and this folder, as
//! unified text.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use mirror_core::reconcile::{Facts, FileState};
use mirror_core::{Digest, Kind, RelPath, State};

use super::unified::{Named, unified};
use crate::api::{DiffQuery, EngineResult, FileDiff, VersionName};
use crate::error::EngineError;
use crate::packs::Content;
use crate::project::versions::{Chosen, path_of};
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::snapshots::Snapshot;

/// Larger files are compared by digest only.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// So much of a digest names a version in what is told of it.
const SHORT_DIGEST: usize = 12;

/// What a file is compared with.
enum End {
    Here,
    Commit(Box<Snapshot>),
    Version(RelPath, Version),
}

/// A single version of a single file.
struct Version {
    kind: Kind,
    digest: Digest,
    exec: Option<bool>,
    side: Side,
}

/// One side of a diff.
#[derive(Clone)]
enum Side {
    Nothing,
    Text(String),
    Binary,
}

impl Side {
    fn of(bytes: Vec<u8>) -> Self {
        if bytes.len() as u64 > MAX_TEXT_BYTES || bytes.contains(&0) {
            return Self::Binary;
        }
        String::from_utf8(bytes).map_or(Self::Binary, Self::Text)
    }

    fn read(content: &Content) -> EngineResult<Self> {
        let mut bytes = Vec::new();
        content.open()?.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(Self::of(bytes))
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Binary => None,
        }
    }
}

/// The facts of all paths, and both ends of a comparison with their names.
struct Ends<'a> {
    facts: &'a BTreeMap<RelPath, Facts>,
    ends: [(End, String); 2],
}

impl Worker {
    pub(crate) async fn diff(&mut self, query: &DiffQuery) -> EngineResult<Vec<FileDiff>> {
        if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "diff goes by what was read before");
        }
        self.observe_disk().await?;
        let selection = self.selection_of(&query.scope.names).await;
        let facts = self.all_facts();
        let (latest, names) = (VersionName::Latest, &query.scope.names);
        let from = self.end(query.from.as_ref().or(Some(&latest)), names).await?;
        let to = self.end(query.to.as_ref(), names).await?;
        let ends = Ends { facts: &facts, ends: [from, to] };
        let paths = self.paths_of(&ends);
        if let Err(unknown) = selection.check(&paths) {
            return Err(self.why_unknown(unknown).await);
        }
        let mut diffs = Vec::new();
        for path in paths.iter().filter(|path| selection.matches(path)) {
            let [from, to] = ends.states(path);
            if from != to {
                let diff = self.diff_at(path, &ends, query.context_lines).await;
                diffs.push((path.clone(), diff));
            }
        }
        self.those_shown(diffs, &ends)
    }

    /// What can't be shown is named among the others; where nothing can, that is all
    /// there is to say.
    fn those_shown(
        &self,
        diffs: Vec<(RelPath, EngineResult<FileDiff>)>,
        ends: &Ends<'_>,
    ) -> EngineResult<Vec<FileDiff>> {
        let is_any_shown = diffs.iter().any(|(_, diff)| diff.is_ok());
        let shown = diffs.into_iter().map(|(path, diff)| match diff {
            Err(error) if is_any_shown => Ok(self.unshown(&path, &error, ends)),
            diff => diff,
        });
        shown.collect()
    }

    fn unshown(&self, path: &RelPath, error: &EngineError, ends: &Ends<'_>) -> FileDiff {
        let state = ends.facts.get(path).map_or(FileState::InSync, |f| self.state_of(path, f));
        let [from, to] = ends.ends.each_ref().map(|(_, name)| name.clone());
        let (path, unified, fault) = (path.clone(), String::new(), Some(fault(path, error)));
        FileDiff { path, state, binary: false, unified, from, to, fault }
    }

    /// What the head's version of one file would change here.
    pub(crate) async fn diff_to_head(
        &mut self,
        path: &RelPath,
        context: usize,
    ) -> EngineResult<FileDiff> {
        let to = self.end(Some(&VersionName::Latest), &[]).await?;
        let facts = self.all_facts();
        let ends = Ends { facts: &facts, ends: [(End::Here, "local".to_owned()), to] };
        self.diff_at(path, &ends, context).await
    }

    /// An end by its name; `None` is this folder.
    async fn end(
        &mut self,
        name: Option<&VersionName>,
        scope: &[String],
    ) -> EngineResult<(End, String)> {
        let Some(name) = name else {
            return Ok((End::Here, "local".to_owned()));
        };
        let (seq, label) = match name {
            VersionName::Latest => (None, "head".to_owned()),
            VersionName::Commit(seq) => (Some(*seq), format!("#{seq}")),
            VersionName::Digest(_) => {
                let [path] = scope else { return Err(EngineError::OneFile) };
                let path = path_of(path)?;
                let Chosen { told, content, kind, exec, .. } = self.version(&path, name).await?;
                let digest = told.sha256.ok_or(EngineError::OneFile)?;
                let version = Version { kind, digest, exec, side: Side::read(&content)? };
                return Ok((End::Version(path, version), short(digest)));
            }
        };
        let snapshot = Snapshot::of(self.log.history(), seq, &self.fetcher)?;
        Ok((End::Commit(Box::new(snapshot)), label))
    }

    /// Every path that one of the ends may have.
    fn paths_of(&self, ends: &Ends<'_>) -> BTreeSet<RelPath> {
        let mut paths: BTreeSet<RelPath> = ends.facts.keys().cloned().collect();
        for (end, _) in &ends.ends {
            match end {
                End::Here => {}
                End::Commit(snapshot) => {
                    let covers = |path: &&RelPath| {
                        self.coverage.as_ref().is_some_and(|coverage| coverage.covers(path))
                    };
                    paths.extend(snapshot.files().into_keys().filter(covers).cloned());
                }
                End::Version(path, _) => return BTreeSet::from([path.clone()]),
            }
        }
        paths
    }

    async fn diff_at(
        &self,
        path: &RelPath,
        ends: &Ends<'_>,
        context: usize,
    ) -> EngineResult<FileDiff> {
        let [(from, from_name), (to, to_name)] = &ends.ends;
        let (before, after) = (self.side(path, from).await?, self.side(path, to).await?);
        let named = |name, side| Named { name, note: "", text: Side::text(side) };
        let (binary, unified) = match (&before, &after) {
            (Side::Binary, _) | (_, Side::Binary) => (true, String::new()),
            (before, after) => {
                let from = named(shown(from_name), before);
                let mut unified = unified(path, from, named(shown(to_name), after), context);
                if let [Some(old), Some(new)] = ends.states(path)
                    && old.exec != new.exec
                {
                    let change = if new.exec { "now executable" } else { "no longer executable" };
                    unified = format!("{unified}{path}: {change}\n");
                }
                (false, unified)
            }
        };
        let state = ends.facts.get(path).map_or(FileState::InSync, |f| self.state_of(path, f));
        let (from, to) = (from_name.clone(), to_name.clone());
        Ok(FileDiff { path: path.clone(), state, binary, unified, from, to, fault: None })
    }

    async fn side(&self, path: &RelPath, end: &End) -> EngineResult<Side> {
        match end {
            End::Here => self.local_side(path).await,
            End::Commit(snapshot) => side_in(path, snapshot).await,
            End::Version(_, version) => Ok(version.side.clone()),
        }
    }

    async fn local_side(&self, path: &RelPath) -> EngineResult<Side> {
        if self.index.get(path).is_none() {
            return Ok(Side::Nothing);
        }
        let (tree, path) = (self.parts.tree.clone(), path.clone());
        self.parts
            .outside
            .offload(move || {
                let Some((_, reader)) = tree.open(&path)? else { return Ok(Side::Nothing) };
                let mut bytes = Vec::new();
                reader.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes)?;
                Ok(Side::of(bytes))
            })
            .await
    }
}

impl Ends<'_> {
    /// What both ends have at a path.
    fn states(&self, path: &RelPath) -> [Option<State>; 2] {
        let facts = self.facts.get(path);
        self.ends.each_ref().map(|(end, label)| match end {
            End::Here => facts.and_then(|facts| facts.local),
            // As this disk can hold it (B10).
            End::Commit(_) if label == "head" && facts.is_some() => {
                facts.and_then(|facts| facts.remote).map(|remote| remote.state)
            }
            End::Commit(snapshot) => snapshot.file(path).map(mirror_core::Entry::state),
            End::Version(_, Version { kind, digest, exec, .. }) => {
                let here = facts.and_then(|facts| facts.local);
                let exec = exec.unwrap_or_else(|| here.is_some_and(|local| local.exec));
                Some(State { kind: *kind, digest: *digest, exec })
            }
        })
    }
}

fn short(digest: Digest) -> String {
    digest.to_string()[..SHORT_DIGEST].to_owned()
}

/// The folder that a diff says a file is in.
fn shown(label: &str) -> &str {
    if label == "local" { "here" } else { label }
}

async fn side_in(path: &RelPath, snapshot: &Snapshot) -> EngineResult<Side> {
    if snapshot.file(path).is_some_and(|entry| entry.size > MAX_TEXT_BYTES) {
        return Ok(Side::Binary);
    }
    match snapshot.read(path).await? {
        Some(content) => Side::read(&content),
        None => Ok(Side::Nothing),
    }
}
