//! Edits of the view that wait for a person: *remote* is what somebody wrote
//! there, *local* what the project has, and this folder with it.
//!
//! The edit stays where it was found, in the view or aside, and its bytes are
//! here too. Settling it makes them known to the log; the view follows then.

use std::io::Read;

use mirror_core::history::Placed;
use mirror_core::reconcile::{FileState, Sighted};
use mirror_core::{Kind, RelPath, State};

use super::detect::is_binary;
use crate::api::{ConflictKind, EngineResult, FileStatus, NoticeKind};
use crate::data::conflicts::{Folder, Record};
use crate::error::EngineError;
use crate::project::commit::draft::ContentSource;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::view::Found;

impl Worker {
    /// Keeps an edit that can't be imported, and names it.
    pub(crate) async fn keep_outside_conflict(
        &mut self,
        found: &Found,
        kind: ConflictKind,
        content: &ContentSource,
        reporter: &mut Reporter,
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
        reporter.notice(NoticeKind::ViewUnsettled, Some(path), message, self.now());
        reporter.add_conflicts([path.clone()]);
        Ok(())
    }

    /// Whether this very edit is recorded.
    pub(crate) fn waits_outside(&self, found: &Found) -> bool {
        let known = self.outside_conflicts.get(found.place.as_str());
        known.and_then(Record::remote_digest) == Some(found.seen.digest)
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
            local: placed.map(|placed| placed.entry.state()),
            remote: Some(Sighted { state: file(found.seen.digest), seq: seq_of(placed) }),
            since: known.map_or(self.now(), |known| known.since),
            place: Some(found.place.as_str().to_owned()),
        }
    }

    async fn record_outside(
        &mut self,
        place: &str,
        mut record: Record,
        content: &ContentSource,
    ) -> EngineResult<()> {
        let folder = Folder::outside(place, &self.parts.data);
        let (kept, held, data) = (folder.clone(), content.clone(), self.parts.data.clone());
        let edit = record.remote_digest().expect("an edit has content");
        let keep = move || -> EngineResult<bool> {
            let mut reader: Box<dyn Read> = match held {
                ContentSource::Bytes(bytes) => Box::new(std::io::Cursor::new(bytes)),
                ContentSource::Stored(name) => match data.open(&name)? {
                    Some(reader) => reader,
                    None => return Ok(false),
                },
            };
            Ok(kept.keep(edit, reader.as_mut())?)
        };
        if !self.parts.outside.offload(keep).await? {
            return Err(EngineError::Internal("an edit changed while it was kept".to_owned()));
        }
        let path = record.path.clone();
        if let Some(local) = record.local_digest() {
            self.keep_version(&folder, &path, local).await?;
        }
        if let Some(base) = record.base_digest()
            && let Err(error) = self.keep_version(&folder, &path, base).await
        {
            if !error.is_gone() {
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
    pub(crate) fn name_outside_conflicts(&self, reporter: &mut Reporter) {
        reporter.add_conflicts(self.outside_conflicts.values().map(|record| record.path.clone()));
    }

    /// Follows the head, so that a token is of now.
    pub(crate) fn outside_standing(&self) -> Vec<Record> {
        let manifest = self.log.history().manifest();
        let standing = |record: &Record| {
            let placed = manifest.get(&record.path);
            let seq = seq_of(placed);
            let local = placed.map(|placed| placed.entry.state());
            let remote = record.remote.map(|remote| Sighted { seq, ..remote });
            Record { local, remote, ..record.clone() }
        };
        self.outside_conflicts.values().map(standing).collect()
    }

    /// The same, in the words of `status`.
    pub(crate) fn outside_statuses(&self) -> Vec<FileStatus> {
        let status = |record: Record| FileStatus {
            held: false,
            state: FileState::Conflict,
            base: record.base_digest(),
            local: record.local_digest(),
            remote: record.remote_digest(),
            size: 0,
            path: record.path,
        };
        self.outside_standing().into_iter().map(status).collect()
    }

    /// The edit of a path that waits, with its sides as they are now; what is not
    /// here yet is fetched where that `may` be.
    pub(crate) async fn outside_named(
        &mut self,
        name: &str,
        may: bool,
    ) -> EngineResult<(Folder, Record)> {
        let record = self.outside_standing().into_iter().find(|one| one.path.as_str() == name);
        let record = record.ok_or_else(|| EngineError::NoConflict(name.to_owned()))?;
        let place = record.place.clone().unwrap_or_default();
        let folder = Folder::outside(&place, &self.parts.data);
        if let Some(local) = record.local_digest().filter(|_| may) {
            self.keep_version(&folder, &record.path, local).await?;
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
    pub(crate) async fn drop_settled_outside(&mut self, stands: impl Fn(&RelPath) -> bool) {
        let history = self.log.history();
        let is_settled = |record: &&Record| {
            record.kind == ConflictKind::NameClash && !stands(&record.path)
                || record
                    .remote_digest()
                    .is_some_and(|edit| history.known_of(&record.path).contains(&edit))
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

    pub(crate) async fn drop_outside_conflict(&mut self, place: &str) {
        let Some(record) = self.outside_conflicts.remove(place) else { return };
        let folder = Folder::outside(place, &self.parts.data);
        if let Err(error) = self.parts.outside.offload(move || folder.drop_all(&record)).await {
            tracing::warn!(place, %error, "a settled conflict could not be dropped");
        }
    }
}

/// The commit that the project's version is of, so that a token names it.
fn seq_of(placed: Option<&Placed>) -> u64 {
    placed.map_or(0, |placed| placed.seq)
}
