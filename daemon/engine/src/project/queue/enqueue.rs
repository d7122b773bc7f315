//! Queueing a push whose backend is away (B8): what it would send is copied to
//! the data folder, so that the working tree can go on changing meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::io::Read;

use mirror_core::digest::Hasher;
use mirror_core::plan::{Agreed, Intent, Root, Send, losses};
use mirror_core::reconcile::{BaseFact, Facts, Sighted};
use mirror_core::{Digest, Entry, RelPath};

use crate::api::{EngineResult, Settle};
use crate::data::queue::{MadeOn, OpenAttempt, QueuedChange, QueuedPush, content_name};
use crate::error::{EngineError, with_causes};
use crate::outside::{Disk, Tree, TreeError};
use crate::project::commit::draft::Outgoing;
use crate::project::commit::rereads::Rereads;
use crate::project::plan::draw::{CycleRequest, leave_out};
use crate::project::worker::Worker;
use crate::project::worker::faults::is_away;
use crate::project::worker::reporter::Reporter;

type Copied = Result<(), Option<TreeError>>;

/// Ends in an error unless it gave the content it should, so that nothing else
/// is kept under its name.
struct Verified {
    reader: Box<dyn Read + std::marker::Send>,
    /// `None` once it has ended.
    hasher: Option<Hasher>,
    content: Digest,
    is_other: bool,
}

impl Read for Verified {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.reader.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.is_other = true;
                return Err(error);
            }
            count => count?,
        };
        let Some(mut hasher) = self.hasher.take() else { return Ok(0) };
        if count > 0 || buffer.is_empty() {
            hasher.update(&buffer[..count]);
            self.hasher = Some(hasher);
            return Ok(count);
        }
        self.is_other = hasher.finish() != self.content;
        if self.is_other { Err(io::Error::other("it changed while it was read")) } else { Ok(0) }
    }
}

impl Worker {
    /// Queues what a push or a sync could not send for `error`; gives the error
    /// back where there is nothing to queue.
    pub(crate) async fn queue_instead(
        &mut self,
        request: &CycleRequest<'_>,
        error: EngineError,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.refuse_when_cancelled()?;
        if reporter.dry_run || request.intent == Intent::Pull {
            return Err(error);
        }
        let queued = is_away(&error)
            && (self.queue_news(request, &error, reporter).await?
                || self.queue.holds(request.selection));
        if matches!(error, EngineError::Storage(_)) {
            self.note_try(&error);
        }
        self.queue.is_away = queued;
        if !queued {
            return Err(error);
        }
        reporter.queued();
        Ok(())
    }

    /// `false` when nothing is new since what is queued already.
    async fn queue_news(
        &mut self,
        request: &CycleRequest<'_>,
        error: &EngineError,
        reporter: &mut Reporter,
    ) -> EngineResult<bool> {
        // What an attempt turned out to have brought is the base of what follows.
        for id in self.queue.pushes().iter().map(|push| push.id).collect::<Vec<_>>() {
            if let Err(error) = self.drop_known_changes(id).await {
                tracing::debug!(%id, %error, "a queued push stays on the base it was made on");
            }
        }
        let mut rereads = Rereads::default();
        loop {
            let (root, unsettled) = self.observe_disk().await?;
            if root != Root::Missing {
                self.check_names(request.selection).await?;
            }
            let facts = self.facts_behind_queue();
            let mut plan = self.plan(&facts, request, root, Agreed::All, reporter)?;
            leave_out(&mut plan, &rereads.given_up, &unsettled);
            let losses = losses(&plan, &facts).at_head.len();
            let mut changes = self.changes_of(&plan.sends);
            if request.policy.settle != Settle::KeepRemote {
                let diverged = std::mem::take(&mut plan.diverged);
                changes.extend(self.changes_of(&local_sides(&diverged, &facts)));
            }
            if let Err((path, error)) = self.spool(&changes).await? {
                rereads.count((path, error.map(Into::into)));
                continue;
            }
            self.conclude(&plan, &rereads, &unsettled, &facts, reporter);
            if changes.is_empty() {
                return Ok(false);
            }
            let push = self.push_of(request, error, changes, reporter);
            // The base that a version was made on lasts as long as the version:
            // without it what is edited on top has nothing to merge on.
            self.save(true).await?;
            let added = self.queue.add(push).await;
            self.tidy_unless(added).await?;
            // They count when a person asks for them, not when they are sent.
            self.count_or_clear(losses, reporter.consent);
            return Ok(true);
        }
    }

    /// What is known of each path, as if the queue had been sent: a version that
    /// is queued already is not news, and one that was made on it replaces it.
    fn facts_behind_queue(&self) -> BTreeMap<RelPath, Facts> {
        let mut facts = self.facts();
        for (path, tip) in self.queue.tips() {
            let Some(facts) = facts.get_mut(&path) else { continue };
            if !tip.follows(MadeOn::of(self.state.bases().get(&path))) {
                continue;
            }
            let seq = self.log.head() + 1;
            facts.base = tip.state.map_or(BaseFact::Absent, |state| BaseFact::Known { state, seq });
            facts.remote = tip.state.map(|state| Sighted { state, seq });
        }
        facts
    }

    fn changes_of(&self, sends: &[Send]) -> Vec<QueuedChange> {
        let tips = self.queue.tips();
        let change = |send: &Send| {
            let Outgoing { size, mtime, private, .. } = self.outgoing(send.clone());
            let made_on = MadeOn::of(self.state.bases().get(&send.path));
            let tip = tips.get(&send.path).filter(|tip| tip.follows(made_on));
            let entry = |state: mirror_core::State| Entry {
                kind: state.kind,
                sha256: state.digest,
                size,
                exec: state.exec,
                private,
                mtime,
                chunks: None,
            };
            QueuedChange {
                path: send.path.clone(),
                to: send.to.map(entry),
                made_on,
                after: tip.map(|tip| tip.push),
            }
        };
        sends.iter().map(change).collect()
    }

    fn push_of(
        &self,
        request: &CycleRequest<'_>,
        error: &EngineError,
        changes: Vec<QueuedChange>,
        reporter: &Reporter,
    ) -> QueuedPush {
        QueuedPush {
            id: self.parts.outside.ulid(),
            number: self.queue.next_number(),
            created: self.now(),
            action: request.action(),
            message: request.message.clone(),
            consent: reporter.consent,
            keep_local: request.policy.settle == Settle::KeepLocal,
            head: self.log.head(),
            attempt: self.open_attempt(&changes),
            why: with_causes(error),
            changes,
        }
    }

    /// The attempt that may have brought some of these versions already.
    fn open_attempt(&self, changes: &[QueuedChange]) -> Option<OpenAttempt> {
        let attempt = self.state.attempt()?;
        // What follows a queued version has the attempt behind it by that.
        let first: BTreeSet<&RelPath> =
            changes.iter().filter(|c| c.after.is_none()).map(|change| &change.path).collect();
        let tried = attempt.changes.iter().filter(|tried| first.contains(&tried.path));
        let inputs: BTreeMap<_, _> = tried
            .filter_map(|tried| Some((tried.path.clone(), tried.input.as_ref()?.state)))
            .collect();
        (!inputs.is_empty()).then_some(OpenAttempt { seq: attempt.seq, id: attempt.id, inputs })
    }

    /// Copies contents to the data folder, also those that should be there by an
    /// earlier push: nobody has looked whether they still are. Names a file that
    /// is no longer as it was seen, or can't be read. Nothing half-kept stays
    /// when it fails.
    async fn spool(
        &mut self,
        changes: &[QueuedChange],
    ) -> EngineResult<Result<(), (RelPath, Option<TreeError>)>> {
        for QueuedChange { path, to, .. } in changes {
            self.refuse_when_cancelled()?;
            let Some(Entry { sha256, .. }) = to else { continue };
            let (tree, data) = (self.parts.tree.clone(), self.parts.data.clone());
            let (file, content) = (path.clone(), *sha256);
            let copy = move || copy(tree.as_ref(), data.as_ref(), &file, content);
            let copied = self.parts.outside.offload(copy).await;
            match self.tidy_unless(copied).await? {
                Ok(()) => {}
                Err(error) => return Ok(Err((path.clone(), error))),
            }
        }
        Ok(Ok(()))
    }

    async fn tidy_unless<T>(&self, written: io::Result<T>) -> EngineResult<T> {
        if written.is_err()
            && let Err(error) = self.queue.remove_leftovers().await
        {
            tracing::warn!(%error, "what was not queued after all is removed at the next start");
        }
        Ok(written?)
    }
}

/// What stands here of paths that changed on both sides.
fn local_sides(diverged: &[RelPath], facts: &BTreeMap<RelPath, Facts>) -> Vec<Send> {
    let local = |path: &RelPath| facts.get(path)?.local;
    let send = |path: &RelPath| Send {
        path: path.clone(),
        from: None,
        to: local(path),
        renamed_from: None,
    };
    diverged.iter().filter(|path| local(path).is_some()).map(send).collect()
}

fn copy(tree: &dyn Tree, data: &dyn Disk, path: &RelPath, content: Digest) -> io::Result<Copied> {
    let reader = match tree.open(path) {
        Ok(Some((_, reader))) => reader,
        Ok(None) => return Ok(Err(None)),
        Err(error) => return Ok(Err(Some(error))),
    };
    let mut source = Verified { reader, hasher: Some(Hasher::new()), content, is_other: false };
    match data.write(&content_name(content), &mut source, true) {
        Ok(()) => Ok(Ok(())),
        Err(_) if source.is_other => Ok(Err(None)),
        Err(error) => Err(error),
    }
}
