//! The same for an edit of the view that waits for a person.
//!
//! The decision makes the edit known to the log; the view follows then.

use async_trait::async_trait;
use mirror_core::commit::{Action, Input, Resolved, Strategy};
use mirror_core::plan::{Selection, Send};
use mirror_core::{Digest, Kind, RelPath, State};
use mirror_storage::RemotePath;

use crate::api::{ConflictKind, EngineResult, FileReport, Resolution, Settle};
use crate::data::conflicts::{Folder, Record};
use crate::error::EngineError;
use crate::project::commit::draft::{ContentSource, Draft, Outgoing};
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::conflict::decision::{Decision, action_of, refuse_markers};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

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
        let shown = decision.token.clone().unwrap_or_else(|| recorded.token());
        if let Some(chosen) = chosen_state(&recorded, &decision.resolution) {
            self.agree_to(vec![(path.clone(), chosen)]).await?;
        }
        let is_news =
            self.settle_recorded(&recorded, &decision.resolution, shown, reporter).await?;
        let action = action_of(&decision.resolution);
        reporter.file(FileReport { path, action, from: None });
        if is_news {
            reporter.pull_pending();
        }
        self.finish_view(false, reporter).await?;
        Ok(true)
    }

    /// Settles every edit of the view that waits, as a `sync` was asked to; what it
    /// brings comes here by the ordinary way.
    pub(crate) async fn settle_outside(
        &mut self,
        selection: &Selection,
        settle: Settle,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let resolution = match settle {
            Settle::Wait => return Ok(()),
            Settle::KeepLocal => Resolution::Local,
            Settle::KeepRemote => Resolution::Remote,
        };
        let is_open = |record: &Record| {
            record.kind != ConflictKind::NameClash && selection.matches(&record.path)
        };
        let waiting: Vec<Record> =
            self.outside_standing().into_iter().filter(|record| is_open(record)).collect();
        for recorded in waiting {
            // What was settled just now is the side that the next one meets.
            let standing = self.outside_standing();
            let same = standing.into_iter().find(|record| record.place == recorded.place);
            let Some(recorded) = same else { continue };
            let shown = recorded.token();
            self.settle_recorded(&recorded, &resolution, shown, reporter).await?;
            reporter.no_longer_waits(&recorded.path);
            if resolution == Resolution::Local {
                let (path, action) = (recorded.path.clone(), action_of(&resolution));
                reporter.file(FileReport { path, action, from: None });
            }
        }
        Ok(())
    }

    /// Makes the edit known to the log, as decided; tells whether the project has a
    /// new version by that.
    async fn settle_recorded(
        &mut self,
        recorded: &Record,
        resolution: &Resolution,
        shown: String,
        reporter: &mut Reporter,
    ) -> EngineResult<bool> {
        self.recover_attempt(Some(&mut *reporter)).await?;
        self.catch_up().await?;
        let mut settling =
            ViewSettling { recorded, resolution, shown, settled: None, is_news: false };
        until_won(self, reporter, &mut settling).await?;
        let is_news = settling.is_news;
        if let Some(record) = settling.settled {
            self.let_go_of(&record).await;
        }
        Ok(is_news)
    }

    /// The commit that settles it: the edit is one of its inputs (M2).
    async fn settling(&self, record: &Record, resolution: &Resolution) -> EngineResult<Draft> {
        let place = record.place.clone().unwrap_or_default();
        let folder = Folder::outside(&place, &self.parts.data);
        let edit = record.remote.map(|remote| remote.state).ok_or(EngineError::NoProject)?;
        let (name, data) = (folder.content(edit.digest), self.parts.data.clone());
        let stored = name.clone();
        let size = self.parts.outside.offload(move || match data.open(&stored)? {
            Some(mut reader) => std::io::copy(&mut reader, &mut std::io::sink()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        });
        let size = size.await?;
        let head = self.log.history().manifest().get(&record.path).map(|placed| &placed.entry);
        let mut draft = Draft::of(Action::External, None);
        draft.held.insert(edit.digest, ContentSource::Stored(name));
        let (result, strategy) = match resolution {
            Resolution::Local => (None, Strategy::KeepLocal),
            Resolution::Remote => (Some((edit.digest, size)), Strategy::KeepRemote),
            Resolution::Side(_) => unreachable!("a name has become a side by then"),
            Resolution::Merged(bytes) => {
                let digest = Digest::of(bytes);
                draft.held.insert(digest, ContentSource::Bytes(bytes.clone()));
                (Some((digest, bytes.len() as u64)), Strategy::Edited)
            }
        };
        let mut inputs = vec![Input::whole(edit, size)];
        inputs.extend(head.map(Input::from));
        inputs.sort_by_key(|input| (input.sha256, input.kind));
        inputs.dedup_by_key(|input| (input.sha256, input.kind));
        let (path, base) = (record.path.clone(), record.base_digest());
        draft.resolved.push(Resolved { path, base, inputs, strategy });
        let from = head.map(|head| head.sha256);
        // No version is made that equals the head (M1).
        if let Some((digest, size)) = result.filter(|(digest, _)| Some(*digest) != from) {
            let to = Some(State { kind: Kind::File, digest, exec: edit.exec });
            let send = Send { path: record.path.clone(), from, to, renamed_from: None };
            let private = self.log.history().is_private(&record.path);
            let mtime = Some(self.now());
            draft.outgoing.push(Outgoing { send, size, mtime, private, input: None });
        }
        Ok(draft)
    }

    /// The log has it: an aside goes, and the view may be written again.
    async fn let_go_of(&mut self, record: &Record) {
        let place = record.place.clone().unwrap_or_default();
        self.drop_outside_conflict(&place).await;
        self.add_unprojected([record.path.clone()].into_iter());
        let Ok(remote) = RemotePath::new(&place) else { return };
        if let Some(edit) = record.remote_digest().filter(|_| remote.is_ours()) {
            // What is left is dropped by the next look.
            match self.view.drop_aside(&remote, edit).await {
                Ok(()) => self.state.set_aside(&place, None),
                Err(error) => tracing::info!(place, %error, "an aside could not be dropped"),
            }
        }
    }
}

/// The version that whoever decided has seen, or made (B16).
fn chosen_state(record: &Record, resolution: &Resolution) -> Option<State> {
    let edit = record.remote?.state;
    match resolution {
        Resolution::Local | Resolution::Side(_) => None,
        Resolution::Remote => Some(State { kind: Kind::File, ..edit }),
        Resolution::Merged(bytes) => {
            Some(State { kind: Kind::File, digest: Digest::of(bytes), ..edit })
        }
    }
}

/// A decision about an edit of the view, on its way into the log.
struct ViewSettling<'a> {
    recorded: &'a Record,
    resolution: &'a Resolution,
    /// The token of the sides that it is about.
    shown: String,
    /// What the last draft settles.
    settled: Option<Record>,
    /// The last draft brings a new version.
    is_news: bool,
}

#[async_trait]
impl Drafter for ViewSettling<'_> {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        let standing = worker.outside_standing();
        let record = standing.into_iter().find(|record| record.place == self.recorded.place);
        let record = record.filter(|record| record.token() == self.shown);
        let path = &self.recorded.path;
        let record = record.ok_or_else(|| EngineError::ConflictMoved(path.clone()))?;
        if record.kind == ConflictKind::NameClash {
            return Err(EngineError::NameClash(path.clone()));
        }
        if reporter.dry_run {
            return Ok(None);
        }
        let draft = worker.settling(&record, self.resolution).await?;
        self.is_news = !draft.outgoing.is_empty();
        self.settled = Some(record);
        Ok(Some(draft))
    }

    async fn changed(
        &mut self,
        _worker: &mut Worker,
        _paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        Ok(())
    }
}
