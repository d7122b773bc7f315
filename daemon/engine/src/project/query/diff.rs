//! What differs between the head and this machine, as unified text.

use std::io::Read;

use mirror_core::RelPath;
use mirror_core::reconcile::{Facts, file_state};

use super::unified::unified;
use crate::api::{EngineResult, FileDiff, Scope};
use crate::project::worker::Worker;
use crate::snapshots::Snapshot;

/// Larger files are compared by digest only.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// One side of a diff.
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

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Binary => None,
        }
    }
}

impl Worker {
    pub(crate) async fn diff(
        &mut self,
        scope: &Scope,
        context: usize,
    ) -> EngineResult<Vec<FileDiff>> {
        if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "diff goes by what was read before");
        }
        self.observe_disk().await?;
        let selection = self.selection_of(&scope.names).await;
        let facts = self.all_facts();
        if let Err(unknown) = selection.check(facts.keys()) {
            return Err(self.why_unknown(unknown).await);
        }
        let head = Snapshot::of(self.log.history(), None, &self.fetcher)?;
        let mut diffs = Vec::new();
        for (path, facts) in &facts {
            if !selection.matches(path) {
                continue;
            }
            let remote = facts.remote.map(|remote| remote.state);
            if remote == facts.local || Self::is_quiet(file_state(facts)) {
                continue;
            }
            diffs.push(self.diff_of(path, facts, &head, context).await?);
        }
        Ok(diffs)
    }

    async fn diff_of(
        &self,
        path: &RelPath,
        facts: &Facts,
        head: &Snapshot,
        context: usize,
    ) -> EngineResult<FileDiff> {
        let (remote, local) = (remote_side(path, head).await?, self.local_side(path).await?);
        let (binary, unified) = match (&remote, &local) {
            (Side::Binary, _) | (_, Side::Binary) => (true, String::new()),
            (remote, local) => {
                let mut unified = unified(path, remote.text(), local.text(), context);
                let modes = (facts.remote.map(|r| r.state.exec), facts.local.map(|s| s.exec));
                if let (Some(old), Some(new)) = modes
                    && old != new
                {
                    let change = if new { "now executable" } else { "no longer executable" };
                    unified = format!("{unified}{path}: {change}\n");
                }
                (false, unified)
            }
        };
        Ok(FileDiff { path: path.clone(), state: self.state_of(path, facts), binary, unified })
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

async fn remote_side(path: &RelPath, head: &Snapshot) -> EngineResult<Side> {
    if head.file(path).is_some_and(|entry| entry.size > MAX_TEXT_BYTES) {
        return Ok(Side::Binary);
    }
    let Some(content) = head.read(path).await? else { return Ok(Side::Nothing) };
    let mut bytes = Vec::new();
    content.open()?.read_to_end(&mut bytes)?;
    Ok(Side::of(bytes))
}
