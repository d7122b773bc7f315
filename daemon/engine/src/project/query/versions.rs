//! The versions that one file has had, under every name it went by.

use std::collections::BTreeSet;

use mirror_core::commit::{Change, Commit};
use mirror_core::{RelPath, Timestamp};

use crate::api::{EngineResult, FileVersion};
use crate::error::EngineError;
use crate::project::worker::Worker;

impl Worker {
    /// Newest first. Goes by what was read before when the backend is away.
    pub(crate) async fn versions(
        &mut self,
        path: &str,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> EngineResult<Vec<FileVersion>> {
        if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "history goes by what was read before");
        }
        let mut names = BTreeSet::from([self.known_name(path)?]);
        let mut versions = Vec::new();
        for seq in (1..=self.log.head()).rev() {
            let entry = self.log.entry(seq).await?;
            let Some(commit) = entry.commit.filter(|_| entry.void.is_none()) else { continue };
            let changes = commit.changes.iter().filter(|change| names.contains(&change.path));
            let changes: Vec<&Change> = changes.collect();
            let in_time = since.is_none_or(|since| since <= commit.time)
                && until.is_none_or(|until| commit.time <= until);
            if in_time {
                versions.extend(changes.iter().map(|change| version_of(&commit, change)));
            }
            // From here back the file went by the other name as well.
            names.extend(changes.iter().filter_map(|change| change.renamed_from.clone()));
        }
        Ok(versions)
    }

    /// The path of that name, if the log has ever had it.
    fn known_name(&self, name: &str) -> EngineResult<RelPath> {
        let unknown = || EngineError::UnknownPaths(vec![name.to_owned()]);
        let path = RelPath::new(name.trim_start_matches("./")).map_err(|_| unknown())?;
        let history = self.log.history();
        let is_known = history.manifest().contains_key(&path)
            || history.past_of(&path).next().is_some()
            || history.has_forgotten(&path);
        is_known.then_some(path).ok_or_else(unknown)
    }
}

fn version_of(commit: &Commit, change: &Change) -> FileVersion {
    FileVersion {
        seq: commit.seq,
        time: commit.time,
        user: commit.user.clone(),
        machine: commit.machine.clone(),
        sha256: change.to.as_ref().map(|entry| entry.sha256),
        size: change.to.as_ref().map_or(0, |entry| entry.size),
        path: change.path.clone(),
    }
}
