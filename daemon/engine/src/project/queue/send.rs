//! Sending queued pushes (B8), each as a commit of its own.
//!
//! What can't go into the commit leaves the push first. So the commit with the
//! push's id brings all that the push still names, and to find it in the chain
//! is to know that the push is done, whatever a crash made of the rest.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mirror_core::plan::Root;
use mirror_core::{Entry, RelPath, Ulid};
use mirror_storage::FaultClass;

use super::replan::Replanned;
use crate::api::{EngineResult, FileFault, Notice, NoticeKind, QueuedKind, QueuedWork, Stashed};
use crate::data::queue::{MadeOn, QueuedChange, QueuedPush, content_name};
use crate::data::stash::{Stash, StashedCopies};
use crate::error::{EngineError, with_causes};
use crate::log::LogEntry;
use crate::project::commit::draft::Draft;
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::worker::Worker;
use crate::project::worker::faults::{fault, is_away};
use crate::project::worker::reporter::Reporter;

/// What the data folder kept of a queued version can't be found any more.
const GONE: &str = "what was kept of your version is gone";

/// Where a queued version that leaves its push is to be found.
pub(crate) enum StashCopy {
    /// The stash had it before.
    Known(Stashed),
    /// It is there now.
    Stashed(Stashed),
    Gone,
}

impl StashCopy {
    fn of_damaged(self) -> String {
        match self {
            Self::Known(_) => "your version is in the stash".to_owned(),
            Self::Stashed(kept) => format!("it was damaged since, and {}", where_kept(&kept)),
            Self::Gone => GONE.to_owned(),
        }
    }
}

/// Ends a message.
fn where_kept(kept: &Stashed) -> String {
    format!("your version was kept in the stash as {}", kept.id)
}

impl Worker {
    /// The daemon's own try: when it is due, or the backend has just come back.
    pub(crate) async fn send_due(&mut self) -> EngineResult<()> {
        let is_back = std::mem::take(&mut self.queue.is_away);
        let is_time = self.queue.is_due(self.now()) || is_back;
        if !is_time || self.queue.work.is_none() {
            return Ok(());
        }
        let mut reporter = Reporter::unheard();
        let sent = match self.recover_attempt(Some(&mut reporter)).await {
            Ok(()) => self.send_queue(&mut reporter).await,
            Err(error) => Err(error),
        };
        self.keep_what_it_met(reporter).await;
        match sent {
            Err(error) if error.class() != FaultClass::Stopped => {
                tracing::info!(%error, "queued pushes wait for another try");
                self.note_try(&error);
                Ok(())
            }
            sent => sent,
        }
    }

    /// Nobody waits for its report: the next one says it.
    async fn keep_what_it_met(&mut self, reporter: Reporter) {
        let mut notices = Vec::new();
        let report = reporter.into_report();
        for FileFault { path, message, .. } in report.failed {
            tracing::warn!(path, message, "a queued push met this");
            let path = RelPath::new(&path).ok();
            let is_told = report.notices.iter().any(|notice| notice.path == path);
            let still_waits = path.as_ref().is_some_and(|path| self.queue.brings(path));
            if !is_told && !still_waits {
                let (kind, time) = (NoticeKind::NotSent, self.now());
                notices.push(Notice { kind, path, message, time, stash: None });
            }
        }
        notices.extend(report.notices);
        self.keep_notices(&notices).await;
    }

    /// Notes that the head could not be read.
    pub(crate) fn note_away(&mut self, error: &EngineError) {
        self.queue.is_away = is_away(error);
        if self.queue.is_due(self.now()) {
            self.note_try(error);
        }
    }

    /// Sends all that is queued, in order, once the attempt is settled. A push
    /// that can't be sent keeps no other waiting.
    pub(crate) async fn send_queue(&mut self, reporter: &mut Reporter) -> EngineResult<()> {
        let ids: Vec<Ulid> = self.queue.pushes().iter().map(|push| push.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let observed = self.observe_disk().await;
        let is_here = matches!(observed, Ok((root, _)) if root != Root::Missing);
        let consent = reporter.consent;
        let mut unsent = None;
        for id in ids {
            reporter.consent = self.queue.get(id).is_some_and(|push| push.consent);
            let sent = self.send_queued(id, is_here, reporter).await;
            reporter.consent = consent;
            // Whatever it failed with came of that.
            self.refuse_when_cancelled()?;
            match sent {
                // An attempt that is left open is settled before the next (L5).
                Err(error) if is_of_this_push(&error) && self.state.attempt().is_none() => {
                    tracing::warn!(%id, %error, "a queued push can't be sent");
                    let fault = self.fault_of_push(id, &error);
                    reporter.add_faults(fault.into_iter().collect());
                    unsent = Some(error);
                }
                sent => sent?,
            }
        }
        match unsent {
            Some(error) => self.note_try(&error),
            None => self.queue.work = None,
        }
        Ok(())
    }

    async fn send_queued(
        &mut self,
        id: Ulid,
        is_here: bool,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let mut queued = QueuedCommit { id, is_here };
        while let Some(files) = until_won(self, reporter, &mut queued).await? {
            reporter.add_files(files);
        }
        Ok(())
    }

    /// Whether an entry that has been read is this commit. Most are known without
    /// another look: there may be many, and many pushes to be looked for.
    async fn is_at(&self, seq: u64, id: Ulid) -> EngineResult<bool> {
        match self.log.history().snapshots().get(&seq) {
            Some(snapshot) => Ok(snapshot.id == id),
            None => Ok(is_commit(&self.log.entry(seq).await?, id)),
        }
    }

    /// Takes out of a push what stands in the log already: by its own commit, or
    /// by an attempt that was open when it was queued (L5). Gives the commit that
    /// brought it.
    pub(crate) async fn drop_known_changes(&mut self, id: Ulid) -> EngineResult<Option<u64>> {
        let Some(push) = self.queue.get(id).cloned() else { return Ok(None) };
        for seq in push.head.saturating_add(1)..=self.log.head() {
            if self.is_at(seq, id).await? {
                let at = |c: &QueuedChange| (c.path.clone(), Some(MadeOn::at(c.state(), seq)));
                let settled = push.changes.iter().map(at).collect();
                self.take_from_queue(id, &settled).await?;
                return Ok(Some(seq));
            }
        }
        // One whose place has not been read is as open as before.
        let known = push.attempt.filter(|attempt| attempt.seq <= self.log.head());
        let Some(attempt) = known else { return Ok(None) };
        let stands = self.is_at(attempt.seq, attempt.id).await?;
        let made_on = |change: &QueuedChange| {
            let input = attempt.inputs.get(&change.path).filter(|_| stands)?;
            Some((*input, MadeOn::at(*input, attempt.seq)))
        };
        let brought = push.changes.iter().filter_map(|change| {
            let (input, base) = made_on(change)?;
            (input == change.state()).then(|| (change.path.clone(), Some(base)))
        });
        self.take_from_queue(id, &brought.collect()).await?;
        let brought_by = stands.then_some(attempt.seq);
        let Some(mut rest) = self.queue.get(id).cloned() else { return Ok(brought_by) };
        rest.attempt = None;
        for change in &mut rest.changes {
            change.made_on = made_on(change).map_or(change.made_on, |(_, base)| base);
        }
        self.queue.replace(rest).await?;
        Ok(brought_by)
    }

    /// The head has come to these versions by itself: the base follows (B1).
    fn record_come_true(&mut self, push: &QueuedPush, settled: &BTreeMap<RelPath, Option<MadeOn>>) {
        for QueuedChange { path, made_on, .. } in &push.changes {
            let Some(Some(base)) = settled.get(path) else { continue };
            if made_on.is_still(MadeOn::of(self.state.bases().get(path))) {
                self.state.set_base(path, base.record());
            }
        }
    }

    /// Takes changes out of a push. The bases here are stored for good first: an
    /// edit that is queued later is not known to follow a queue that is further
    /// than they are.
    pub(crate) async fn take_from_queue(
        &mut self,
        id: Ulid,
        settled: &BTreeMap<RelPath, Option<MadeOn>>,
    ) -> EngineResult<()> {
        self.save(true).await?;
        Ok(self.queue.drop_paths(id, settled).await?)
    }

    /// Keeps a version which can't be committed in the stash: it was promised a
    /// place in history, and whoever edits the conflict may write over it. While
    /// it still stands here its conflict tells of it.
    async fn stash_unsendable(
        &mut self,
        change: &QueuedChange,
        kept: &mut StashedCopies,
        is_here: bool,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let QueuedChange { path, to: Some(entry), .. } = change else { return Ok(()) };
        let local = self.index.get(path).map(|indexed| indexed.state);
        let stands_here = is_here && local == change.state();
        let home = self.stash_copy(kept, path, entry).await?;
        let why = format!("{path} was changed elsewhere while its push waited");
        if let StashCopy::Stashed(kept) = &home {
            reporter.stashed_for(path, kept.id, self.now(), &why);
        }
        let is_in_log = self.log.history().place(entry.sha256).is_some();
        let what = match home {
            StashCopy::Stashed(kept) if !stands_here => where_kept(&kept),
            StashCopy::Gone if !stands_here && !is_in_log => GONE.to_owned(),
            _ => return Ok(()),
        };
        reporter.fault(FileFault {
            path: path.as_str().to_owned(),
            class: FaultClass::Conflict,
            message: format!("{why}; {what}"),
            hint: None,
        });
        Ok(())
    }

    /// Copies what the data folder has of a queued version to the stash.
    pub(crate) async fn stash_copy(
        &self,
        kept: &mut StashedCopies,
        path: &RelPath,
        entry: &Entry,
    ) -> EngineResult<StashCopy> {
        let state = entry.state();
        if let Some(known) = self.is_among(kept, path, state.digest).await? {
            return Ok(StashCopy::Known(known));
        }
        let stash = Stash::of(path, &self.parts).because_of("queue");
        let mut stash = stash.noting_private(entry.private);
        let data = self.parts.data.clone();
        let keep = move || {
            let Some(mut source) = data.open(&content_name(state.digest))? else { return Ok(None) };
            stash.keep_whole(source.as_mut(), Some(state)).map(Some)
        };
        let stashed: std::io::Result<Option<Stashed>> = self.parts.outside.offload(keep).await;
        Ok(match stashed? {
            None => StashCopy::Gone,
            Some(stashed) => {
                kept.add(stashed.clone());
                StashCopy::Stashed(stashed)
            }
        })
    }

    /// Goes on without contents that are no longer as they were put in the data
    /// folder: what there is of them goes to the stash. One that could not be
    /// read says nothing of what it is, and its push waits.
    async fn drop_damaged(
        &mut self,
        push: &QueuedPush,
        damaged: Vec<(RelPath, Option<EngineError>)>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let mut paths = Vec::new();
        for (path, error) in damaged {
            error.map_or(Ok(()), Err)?;
            paths.push(path);
        }
        let (mut settled, mut kept) = (BTreeMap::new(), self.kept().await?);
        let changes: BTreeMap<_, _> = push.changes.iter().map(|c| (&c.path, c)).collect();
        for path in paths {
            let entry = changes.get(&path).and_then(|change| change.to.as_ref());
            let copy = match entry {
                Some(entry) => self.stash_copy(&mut kept, &path, entry).await?,
                None => StashCopy::Gone,
            };
            if let StashCopy::Stashed(kept) = &copy {
                let why = format!("{path} was damaged while its push waited");
                reporter.stashed_for(&path, kept.id, self.now(), &why);
            }
            let what = copy.of_damaged();
            reporter.fault(FileFault {
                path: path.as_str().to_owned(),
                class: FaultClass::Rejected,
                message: format!("{path} could not be sent as it was queued; {what}"),
                hint: None,
            });
            settled.insert(path, None);
        }
        self.take_from_queue(push.id, &settled).await
    }

    fn fault_of_push(&self, id: Ulid, error: &EngineError) -> Option<FileFault> {
        Some(fault(&self.queue.get(id)?.changes.first()?.path, error))
    }

    /// Notes why queued pushes wait on, where there are any.
    pub(crate) fn note_try(&mut self, error: &EngineError) {
        let Some(oldest) = self.queue.pushes().first() else { return };
        let since = oldest.created;
        let fault = FileFault {
            path: String::new(),
            class: error.class(),
            message: with_causes(error),
            hint: error.hint(),
        };
        let before = self.queue.work.take();
        let work = self.again(QueuedKind::Push, before, fault);
        self.queue.work = Some(QueuedWork { since, ..work });
    }
}

/// One queued push on its way into the log.
struct QueuedCommit {
    id: Ulid,
    /// The working tree can be looked at.
    is_here: bool,
}

#[async_trait]
impl Drafter for QueuedCommit {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        worker.drop_known_changes(self.id).await?;
        let Some(push) = worker.queue.get(self.id).cloned() else { return Ok(None) };
        let Replanned { draft, settled, unsendable } = worker.replan(&push, reporter).await?;
        let mut kept =
            if unsendable.is_empty() { StashedCopies::default() } else { worker.kept().await? };
        for change in &unsendable {
            worker.stash_unsendable(change, &mut kept, self.is_here, reporter).await?;
        }
        if !settled.is_empty() {
            worker.record_come_true(&push, &settled);
            worker.take_from_queue(self.id, &settled).await?;
        }
        Ok((!draft.outgoing.is_empty()).then_some(draft))
    }

    async fn changed(
        &mut self,
        worker: &mut Worker,
        damaged: Vec<(RelPath, Option<EngineError>)>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let Some(push) = worker.queue.get(self.id).cloned() else { return Ok(()) };
        worker.drop_damaged(&push, damaged, reporter).await
    }
}

/// Whether an error says nothing about other pushes.
fn is_of_this_push(error: &EngineError) -> bool {
    match error.class() {
        FaultClass::Transient | FaultClass::Auth | FaultClass::Stopped => false,
        _ => !matches!(error, EngineError::Store(_) | EngineError::Disk(_)),
    }
}

fn is_commit(entry: &LogEntry, id: Ulid) -> bool {
    entry.void.is_none() && entry.commit.as_ref().is_some_and(|commit| commit.id == id)
}
