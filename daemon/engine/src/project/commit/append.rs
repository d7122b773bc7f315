//! Making one commit: packs, the head again, the saved attempt, the entry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mirror_core::commit::{Change, CheckpointRef, Commit, FORMAT, MAX_ENTRY_BYTES, Pack};
use mirror_core::plan::Send;
use mirror_core::reconcile::Sighted;
use mirror_core::{Digest, RelPath};

use super::again::{Again, named_by};
use super::draft::{ContentSource, Draft, Outgoing, opener_for};
use crate::api::{EngineResult, FileAction, FileReport, NoticeKind};
use crate::error::EngineError;
use crate::log::{Appended, LogEntry};
use crate::packs::{Item, Packer};
use crate::planted;
use crate::planted::Rule;
use crate::project::worker::Worker;
use crate::project::worker::outcome::FileOutcome;
use crate::project::worker::reporter::Reporter;
use crate::state::{Attempt, BaseRecord};

/// What one job has done towards its commit, over lost races.
#[derive(Default)]
pub(crate) struct CommitProgress {
    /// Packs of an attempt that lost its place: no longer this machine's own (P7).
    packs: Vec<Pack>,
    /// Contents of the log that were read back for this commit (P8).
    pub(super) checked: BTreeSet<Digest>,
}

impl CommitProgress {
    /// What the packs hold that were stored for it.
    pub(super) fn brought(&self) -> BTreeSet<Digest> {
        self.packs.iter().flat_map(|pack| &pack.contents).map(|one| one.sha256).collect()
    }

    pub(super) fn add(&mut self, packs: impl IntoIterator<Item = Pack>) {
        self.packs.extend(packs);
    }
}

/// How a try ended.
pub(crate) enum CommitOutcome {
    /// What it did to each file.
    Won(Vec<FileOutcome>),
    /// Somebody else's entry stands at the place.
    Lost,
    /// Files were no longer as they were seen, or could not be read.
    Changed(Vec<(RelPath, Option<EngineError>)>),
}

impl Worker {
    /// Tries to make a draft the next commit (L1, L3, B3): packs and the head
    /// again side by side, then the attempt is saved, then the entry created.
    pub(crate) async fn try_commit(
        &mut self,
        draft: &Draft,
        progress: &mut CommitProgress,
        reporter: &mut Reporter,
    ) -> EngineResult<CommitOutcome> {
        let mut contents = self.contents_of(draft);
        let Again { items, sources } = self.contents_again(draft, progress).await?;
        contents.extend(items);
        let held = draft.held.iter().map(|(digest, source)| (*digest, source.clone()));
        let held = held.chain(sources).collect();
        let changed = self.store_contents(held, &contents, progress, reporter).await?;
        if !changed.is_empty() {
            return Ok(CommitOutcome::Changed(changed));
        }
        self.refuse_when_cancelled()?;
        let (packs, left) = self.split_uploads(&contents);
        progress.add(packs);
        let attempt = Arc::new(self.attempt(draft, progress, reporter)?);
        if planted::stands(Rule::P7) {
            // They are no longer this machine's own once it is sent.
            self.state.set_uploads(left);
        }
        if planted::stands(Rule::B3) {
            self.state.set_attempt(Some(attempt.clone()));
        }
        // Save the attempt first: a crash after this line is settled by B3.
        self.save(true).await?;
        let appended = self.log.append(&attempt).await;
        if !planted::stands(Rule::S6) && self.parts.outside.interrupt.is_cancelled() {
            self.state.set_attempt(None);
            return Err(EngineError::Cancelled);
        }
        match self.note_stop(appended)? {
            Appended::Lost => {
                self.state.set_attempt(None);
                Ok(CommitOutcome::Lost)
            }
            Appended::Won(entry) => {
                // They are this commit's; another one of the same job has its own (P1).
                progress.packs.clear();
                self.record_won(&attempt, &entry, Some(&mut *reporter)).await?;
                let sends = draft.outgoing.iter().map(|outgoing| &outgoing.send);
                let files = reports_of_sends(sends).map(FileOutcome::Done).collect();
                Ok(CommitOutcome::Won(files))
            }
        }
    }

    /// Packs and stores what no pack holds yet, and looks at the head beside the
    /// last of it. Names the files that were no longer as they were seen.
    async fn store_contents(
        &mut self,
        sources: BTreeMap<Digest, ContentSource>,
        contents: &[Item],
        progress: &CommitProgress,
        reporter: &Reporter,
    ) -> EngineResult<Vec<(RelPath, Option<EngineError>)>> {
        let uploaded = self.uploaded_contents(contents).await?;
        let brought = progress.brought();
        let is_packed =
            |item: &&Item| brought.contains(&item.digest) || uploaded.contains(&item.digest);
        let items: Vec<Item> = contents.iter().filter(|item| !is_packed(item)).cloned().collect();
        let [packing, uploading] = ["pack", "upload"].map(|step| reporter.meter(step, &items));
        let (head, digest) = (self.log.head(), self.log.history().head_digest());
        let (parts, opener) = (self.parts.clone(), opener_for(&self.parts, sources));
        let packer = Packer {
            opener,
            disk: &parts.cache,
            backend: parts.backend.as_ref(),
            outside: &parts.outside,
            packing,
            uploading,
        };
        let plans = packer.plan(items);
        let names: Vec<_> = plans.iter().map(|plan| plan.name).collect();
        self.begin_uploads(&plans).await?;
        let (stored, confirmed) = packer.store(plans, self.log.confirm(head, digest)).await;
        self.end_uploads(&names, &stored).await?;
        self.note_stop(confirmed)?;
        stored.failure.map_or(Ok(()), Err)?;
        Ok(stored.rejected.into_iter().map(|rejected| (rejected.path, rejected.error)).collect())
    }

    /// The contents of a draft that the log has in no pack.
    fn contents_of(&self, draft: &Draft) -> Vec<Item> {
        let history = self.log.history();
        named_by(draft).filter(|item| history.place(item.digest).is_none()).collect()
    }
    /// Writes the commit out for its place in the log, and checks that every
    /// reader will take it.
    fn attempt(
        &mut self,
        draft: &Draft,
        progress: &CommitProgress,
        reporter: &Reporter,
    ) -> EngineResult<Attempt> {
        let commit = self.compose(draft, progress, reporter);
        if let Err(void) = self.log.history_mut().check(&commit) {
            return Err(EngineError::Internal(format!("the commit would be void: {void}")));
        }
        let bytes = commit.to_bytes();
        if bytes.len() as u64 > MAX_ENTRY_BYTES {
            let count = draft.outgoing.len();
            let what =
                format!("{count} files are more than one commit can hold: push them in parts");
            return Err(EngineError::Usage(what));
        }
        let changes = draft.outgoing.iter().map(Outgoing::as_tried).collect();
        let losses = draft.losses as u64;
        Ok(Attempt { seq: commit.seq, id: commit.id, bytes, changes, losses })
    }

    fn compose(&self, draft: &Draft, progress: &CommitProgress, reporter: &Reporter) -> Commit {
        let mut changes: Vec<Change> = draft.outgoing.iter().map(Outgoing::change).collect();
        changes.sort_by(|left, right| left.path.cmp(&right.path));
        let consent = reporter.consent || draft.is_named;
        let author = &self.spec.author;
        Commit {
            format: FORMAT,
            seq: self.log.head() + 1,
            id: draft.queued.unwrap_or_else(|| self.parts.outside.ulid()),
            parent: self.log.history().head_digest(),
            parent_ref: None,
            time: self.now(),
            user: author.user.clone(),
            machine: author.machine.clone(),
            machine_id: author.machine_id,
            action: draft.action,
            tag: None,
            message: draft.message.clone(),
            settings: draft.settings.clone(),
            consent: (consent && draft.takes_away()).then_some(true),
            allow_secrets: None,
            checkpoint: self.checkpoint_to_vouch(),
            changes,
            resolved: draft.resolved.clone(),
            packs: progress.packs.clone(),
            dropped_packs: Vec::new(),
            forgotten: Vec::new(),
            promote: None,
            moved: None,
        }
    }

    /// The checkpoint that this machine has made itself and nobody has vouched
    /// for yet (L8).
    fn checkpoint_to_vouch(&self) -> Option<CheckpointRef> {
        let vouched = self.log.history().vouched();
        self.made_checkpoint.filter(|made| vouched.is_none_or(|vouched| vouched.seq < made.seq))
    }

    /// Records an append that stands: the base is the local input (B4).
    pub(crate) async fn record_won(
        &mut self,
        attempt: &Attempt,
        entry: &LogEntry,
        reporter: Option<&mut Reporter>,
    ) -> EngineResult<()> {
        self.state.set_attempt(None);
        if let Some(reason) = &entry.void {
            self.save(false).await?;
            if let Some(reporter) = reporter {
                let message =
                    format!("commit #{} is void: {reason}; nothing was pushed", entry.seq);
                reporter.notice(NoticeKind::VoidEntry, None, message, self.now());
            }
            return Err(EngineError::Internal(format!("commit #{} is void: {reason}", entry.seq)));
        }
        for change in &attempt.changes {
            self.move_base(change, attempt.seq);
        }
        if !planted::stands(Rule::B1) {
            self.take_head_as_base();
        }
        let sent = attempt.changes.iter().filter_map(|change| {
            let is_own = change.input.as_ref().is_some_and(|input| input.state == change.to);
            Some((change.path.clone(), change.to.filter(|_| is_own)?))
        });
        if let Err(error) = self.agree_to(sent.collect()).await {
            // The commit stands; at worst its own version is asked about here.
            tracing::warn!(%error, "what was sent could not be noted as agreed to");
        }
        let consent = entry.commit.as_ref().is_some_and(|commit| commit.consent == Some(true));
        self.count_or_clear(usize::try_from(attempt.losses).unwrap_or(usize::MAX), consent);
        self.add_unprojected(attempt.changes.iter().map(|change| change.path.clone()));
        self.save(false).await?;
        self.set_phase_head();
        if let Some(reporter) = reporter {
            reporter.committed(attempt.seq, attempt.id);
        }
        if self.log.is_checkpoint_due() {
            self.made_checkpoint = self.log.make_checkpoint(true).await;
        }
        Ok(())
    }

    /// One cursor for all paths: for a simulation without B1 only.
    fn take_head_as_base(&mut self) {
        let head = self.log.history().manifest().iter();
        let head: Vec<_> = head.map(|(path, placed)| (path.clone(), placed.sighted())).collect();
        for (path, Sighted { state, seq }) in head {
            self.state.set_base(&path, Some(BaseRecord::Known { state, seq }));
        }
    }
}

/// A file that was renamed is one, though its commit deletes the old name as well.
pub(crate) fn reports_of_sends<'a>(
    sends: impl Iterator<Item = &'a Send> + Clone,
) -> impl Iterator<Item = FileReport> {
    let old: BTreeSet<&RelPath> =
        sends.clone().filter_map(|send| send.renamed_from.as_ref()).collect();
    let is_old_name = move |send: &&Send| send.to.is_none() && old.contains(&send.path);
    sends.filter(move |send| !is_old_name(send)).map(report_of_send)
}

pub(crate) fn report_of_send(send: &Send) -> FileReport {
    let action = match (&send.to, &send.renamed_from) {
        (None, _) => FileAction::DeletedRemote,
        (Some(_), Some(_)) => FileAction::Renamed,
        (Some(_), None) => FileAction::Sent,
    };
    FileReport { path: send.path.clone(), action, from: send.renamed_from.clone() }
}
