//! The same for an edit of the view that waits for a person.
//!
//! The decision makes the edit known to the log; the view follows then.

use mirror_core::commit::{Action, Input, Resolved, Strategy};
use mirror_core::plan::Send;
use mirror_core::{Digest, Kind, State};
use mirror_storage::RemotePath;

use crate::api::{ConflictKind, EngineResult, FileReport, Resolution};
use crate::data::conflicts::{Folder, Record};
use crate::error::EngineError;
use crate::project::commit::append::{CommitOutcome, CommitProgress};
use crate::project::commit::draft::{ContentSource, Draft, Outgoing};
use crate::project::conflict::decision::{Decision, action_of, refuse_markers};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

/// A lost race is progress of somebody else; so many in a row are a fault.
const MOST_ROUNDS: usize = 1_000;

impl Worker {
    /// Settles an edit of the view as a person says; `false` when none of the
    /// path waits.
    pub(crate) async fn resolve_outside(
        &mut self,
        decision: &Decision,
        reporter: &mut Reporter,
    ) -> EngineResult<bool> {
        let recorded =
            self.outside_conflicts.values().find(|record| record.path.as_str() == decision.path);
        let Some(recorded) = recorded.cloned() else { return Ok(false) };
        if decision.no_push {
            let what = "an edit on the backend is settled there: leave --no-push out";
            return Err(EngineError::Usage(what.to_owned()));
        }
        let path = recorded.path.clone();
        refuse_markers(&path, &decision.resolution)?;
        self.recover_attempt(Some(&mut *reporter)).await?;
        let shown = decision.token.clone().unwrap_or_else(|| recorded.token());
        let mut progress = CommitProgress::default();
        for _ in 0..MOST_ROUNDS {
            self.catch_up().await?;
            let standing = self.outside_standing();
            let record = standing.into_iter().find(|record| record.place == recorded.place);
            let record = record.filter(|record| record.token() == shown);
            let record = record.ok_or_else(|| EngineError::ConflictMoved(path.clone()))?;
            if record.kind == ConflictKind::NameClash {
                return Err(EngineError::NameClash(path));
            }
            let report = FileReport {
                path: path.clone(),
                action: action_of(&decision.resolution),
                from: None,
            };
            if reporter.dry_run {
                reporter.report.files.push(report);
                return Ok(true);
            }
            let draft = self.settling(&record, &decision.resolution).await?;
            if !matches!(
                self.try_commit(&draft, &mut progress, reporter).await?,
                CommitOutcome::Won
            ) {
                continue;
            }
            reporter.report.files = vec![report];
            reporter.report.pull_pending = !draft.outgoing.is_empty();
            self.let_go_of(&record).await;
            self.finish_view(false, reporter).await?;
            return Ok(true);
        }
        Err(EngineError::Internal("the head moved on at every try".to_owned()))
    }

    /// The commit that settles it: the edit is one of its inputs (M2).
    async fn settling(&self, record: &Record, resolution: &Resolution) -> EngineResult<Draft> {
        let place = record.place.clone().unwrap_or_default();
        let folder = Folder::outside(&place, &self.parts.data);
        let local = record.local.ok_or(EngineError::NoProject)?;
        let (name, data) = (folder.content(local.digest), self.parts.data.clone());
        let stored = name.clone();
        let size = self.parts.outside.offload(move || match data.open(&stored)? {
            Some(mut reader) => std::io::copy(&mut reader, &mut std::io::sink()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        });
        let size = size.await?;
        let head = self.log.history().manifest().get(&record.path).map(|placed| &placed.entry);
        let mut draft = Draft::of(Action::External, None);
        draft.held.insert(local.digest, ContentSource::Stored(name));
        let (result, strategy) = match resolution {
            Resolution::Local => (Some((local.digest, size)), Strategy::KeepLocal),
            Resolution::Remote => (None, Strategy::KeepRemote),
            Resolution::Merged(bytes) => {
                let digest = Digest::of(bytes);
                draft.held.insert(digest, ContentSource::Bytes(bytes.clone()));
                (Some((digest, bytes.len() as u64)), Strategy::Edited)
            }
        };
        let mut inputs = vec![Input { sha256: local.digest, size, chunks: None }];
        inputs.extend(head.map(|head| Input {
            sha256: head.sha256,
            size: head.size,
            chunks: head.chunks.clone(),
        }));
        inputs.sort_by_key(|input| input.sha256);
        inputs.dedup_by_key(|input| input.sha256);
        let (path, base) = (record.path.clone(), record.base_digest());
        draft.resolved.push(Resolved { path, base, inputs, strategy });
        let from = head.map(|head| head.sha256);
        // No version is made that equals the head (M1).
        if let Some((digest, size)) = result.filter(|(digest, _)| Some(*digest) != from) {
            let to = Some(State { kind: Kind::File, digest, exec: local.exec });
            let send = Send { path: record.path.clone(), from, to, renamed_from: None };
            draft.outgoing.push(Outgoing { send, size, mtime: Some(self.now()), input: None });
        }
        Ok(draft)
    }

    /// The log has it: an aside goes, and the view may be written again.
    async fn let_go_of(&mut self, record: &Record) {
        let place = record.place.clone().unwrap_or_default();
        self.drop_outside_conflict(&place).await;
        self.add_unprojected([record.path.clone()].into_iter());
        let Ok(remote) = RemotePath::new(&place) else { return };
        if let Some(local) = record.local_digest().filter(|_| remote.is_ours()) {
            // What is left is dropped by the next look.
            match self.view.drop_aside(&remote, local).await {
                Ok(()) => self.state.set_aside(&place, None),
                Err(error) => tracing::info!(place, %error, "an aside could not be dropped"),
            }
        }
    }
}
