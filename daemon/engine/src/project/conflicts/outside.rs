//! Edits of the view that wait for a person: *local* is what somebody wrote
//! there, *remote* the head.
//!
//! The edit stays where it was found, in the view or aside, and its bytes are
//! here too. Settling it makes them known to the log; the view follows then.

use std::collections::BTreeMap;
use std::io::Read;

use mirror_core::commit::{Action, Input, Resolved, Strategy};
use mirror_core::plan::Send;
use mirror_core::reconcile::FileState;
use mirror_core::{Digest, Kind, RelPath, State};
use mirror_storage::RemotePath;

use super::is_binary;
use super::record::{Folder, Record};
use super::resolving::{Decision, action_of, refuse_markers};
use crate::api::{ConflictKind, EngineResult, FileReport, FileStatus, NoticeKind, Resolution};
use crate::error::EngineError;
use crate::project::commit::{Committing, Tried};
use crate::project::outgoing::{Draft, Held, Outgoing};
use crate::project::worker::{Telling, Worker};
use crate::view::Found;

/// A lost race is progress of somebody else; so many in a row are a fault.
const MOST_ROUNDS: usize = 1_000;

/// What is recorded, by the place where the edit was found.
pub(in crate::project) type OutsideConflicts = BTreeMap<String, Record>;

impl Worker {
    /// Keeps an edit that can't be imported, and names it.
    pub(in crate::project) async fn keep_outside_conflict(
        &mut self,
        found: &Found,
        kind: ConflictKind,
        content: &Held,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let path = &found.path;
        let place = found.place.as_str().to_owned();
        let record = self.outside_record(found, kind);
        let known = self.outside_conflicts.get(&place);
        if !known.is_some_and(|known| known.has_sides_of(&record)) {
            self.record_outside(&place, record, content).await?;
        }
        let message = format!(
            "{path} was changed on the backend in a way that doesn't merge; that version is kept \
             in {place} there: see `mirrorctl conflict show {path}`"
        );
        telling.notice(NoticeKind::ViewUnsettled, Some(path), message, self.now());
        name_conflict(path, telling);
        Ok(())
    }

    /// Whether this very edit is recorded.
    pub(in crate::project) fn waits_outside(&self, found: &Found) -> bool {
        let known = self.outside_conflicts.get(found.place.as_str());
        known.and_then(Record::local_digest) == Some(found.seen.digest)
    }

    fn outside_record(&self, found: &Found, kind: ConflictKind) -> Record {
        let placed = self.log.history().manifest().get(&found.path);
        let exec = placed.is_some_and(|placed| placed.entry.exec);
        let file = |digest| State { kind: Kind::File, digest, exec };
        let known = self.outside_conflicts.get(found.place.as_str());
        Record {
            path: found.path.clone(),
            kind,
            binary: false,
            base: found.base.map(|base| file(base.digest)),
            local: Some(file(found.seen.digest)),
            remote: placed.map(mirror_core::history::Placed::sighted),
            since: known.map_or(self.now(), |known| known.since),
            place: Some(found.place.as_str().to_owned()),
        }
    }

    async fn record_outside(
        &mut self,
        place: &str,
        mut record: Record,
        content: &Held,
    ) -> EngineResult<()> {
        let folder = Folder::outside(place, &self.parts.data);
        let (kept, held, data) = (folder.clone(), content.clone(), self.parts.data.clone());
        let local = record.local_digest().expect("an edit has content");
        let keep = move || -> EngineResult<bool> {
            let mut reader: Box<dyn Read> = match held {
                Held::Bytes(bytes) => Box::new(std::io::Cursor::new(bytes)),
                Held::Stored(name) => match data.open(&name)? {
                    Some(reader) => reader,
                    None => return Ok(false),
                },
            };
            Ok(kept.keep(local, reader.as_mut())?)
        };
        if !self.parts.outside.offload(keep).await? {
            return Err(EngineError::Internal("an edit changed while it was kept".to_owned()));
        }
        let path = record.path.clone();
        if let Some(remote) = record.remote_digest() {
            self.keep_version(&folder, &path, remote).await?;
        }
        if let Some(base) = record.base_digest()
            && let Err(error) = self.keep_version(&folder, &path, base).await
        {
            if !super::is_gone(&error) {
                return Err(error);
            }
            record.base = None;
        }
        let write = move || {
            record.binary = is_binary(&folder, &record)?;
            folder.write(&record).map(|()| record)
        };
        let record = self.parts.outside.offload(write).await?;
        self.outside_conflicts.insert(place.to_owned(), record);
        Ok(())
    }

    /// Names every edit of the view that waits, once.
    pub(in crate::project) fn name_outside_conflicts(&self, telling: &mut Telling) {
        for record in self.outside_conflicts.values() {
            name_conflict(&record.path, telling);
        }
    }

    /// Follows the head, so that a token is of now.
    pub(super) fn outside_standing(&self) -> Vec<Record> {
        let manifest = self.log.history().manifest();
        let standing = |record: &Record| {
            let placed = manifest.get(&record.path);
            Record { remote: placed.map(mirror_core::history::Placed::sighted), ..record.clone() }
        };
        self.outside_conflicts.values().map(standing).collect()
    }

    /// The same, in the words of `status`.
    pub(in crate::project) fn outside_statuses(&self) -> Vec<FileStatus> {
        let status = |record: Record| FileStatus {
            state: FileState::Conflict,
            base: record.base_digest(),
            local: record.local_digest(),
            remote: record.remote_digest(),
            size: 0,
            path: record.path,
        };
        self.outside_standing().into_iter().map(status).collect()
    }

    /// The edit of a path that waits, with its sides as they are now.
    pub(super) async fn outside_named(&mut self, name: &str) -> EngineResult<(Folder, Record)> {
        let record = self.outside_standing().into_iter().find(|one| one.path.as_str() == name);
        let record = record.ok_or_else(|| EngineError::NoConflict(name.to_owned()))?;
        let place = record.place.clone().unwrap_or_default();
        let folder = Folder::outside(&place, &self.parts.data);
        if let Some(remote) = record.remote_digest() {
            self.keep_version(&folder, &record.path, remote).await?;
        }
        let (kept, mut record) = (folder.clone(), record);
        let write = move || {
            record.binary = is_binary(&kept, &record)?;
            kept.write(&record).map(|()| record)
        };
        let record = self.parts.outside.offload(write).await?;
        self.outside_conflicts.insert(place, record.clone());
        Ok((folder, record))
    }

    /// Drops the records of edits that the log has by now, and of names that
    /// stand in the view no more.
    pub(in crate::project) async fn drop_settled_outside(
        &mut self,
        stands: impl Fn(&RelPath) -> bool,
    ) {
        let history = self.log.history();
        let is_settled = |record: &&Record| {
            record.kind == ConflictKind::NameClash && !stands(&record.path)
                || record
                    .local_digest()
                    .is_some_and(|local| history.known_of(&record.path).contains(&local))
        };
        let settled: Vec<String> = self
            .outside_conflicts
            .values()
            .filter(is_settled)
            .filter_map(|record| record.place.clone())
            .collect();
        for place in settled {
            self.drop_outside_conflict(&place).await;
        }
    }

    pub(in crate::project) async fn drop_outside_conflict(&mut self, place: &str) {
        let Some(record) = self.outside_conflicts.remove(place) else { return };
        let folder = Folder::outside(place, &self.parts.data);
        if let Err(error) = self.parts.outside.offload(move || folder.drop_all(&record)).await {
            tracing::warn!(place, %error, "a settled conflict could not be dropped");
        }
    }

    /// Settles an edit of the view as a person says; `false` when none of the
    /// path waits.
    pub(super) async fn resolve_outside(
        &mut self,
        decision: &Decision,
        telling: &mut Telling,
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
        self.settle_attempt(Some(&mut *telling)).await?;
        let shown = decision.token.clone().unwrap_or_else(|| recorded.token());
        let mut committing = Committing::default();
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
            if telling.dry_run {
                telling.report.files.push(report);
                return Ok(true);
            }
            let draft = self.settling(&record, &decision.resolution).await?;
            if !matches!(self.try_commit(&draft, &mut committing, telling).await?, Tried::Won) {
                continue;
            }
            telling.report.files = vec![report];
            telling.report.pull_pending = !draft.outgoing.is_empty();
            self.let_go_of(&record).await;
            self.finish_view(false, telling).await?;
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
        draft.held.insert(local.digest, Held::Stored(name));
        let (result, strategy) = match resolution {
            Resolution::Local => (Some((local.digest, size)), Strategy::KeepLocal),
            Resolution::Remote => (None, Strategy::KeepRemote),
            Resolution::Merged(bytes) => {
                let digest = Digest::of(bytes);
                draft.held.insert(digest, Held::Bytes(bytes.clone()));
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

fn name_conflict(path: &RelPath, telling: &mut Telling) {
    let conflicts = &mut telling.report.conflicts;
    if !conflicts.contains(path) {
        conflicts.push(path.clone());
        conflicts.sort();
    }
}
