//! Settling what changed on both sides: by a three-way merge, or as the caller
//! asked. What neither settles waits for a person.
//!
//! A result is appended before it is written here (B4), with the versions that
//! went into it (M2); one that equals the head needs no commit (M1). A version
//! of this machine that makes way for another is in that commit or the stash.

use std::collections::BTreeMap;
use std::io::Read;

use bytes::Bytes;
use mirror_core::commit::{Input, Resolved, Strategy};
use mirror_core::merge::{Merged, Merger};
use mirror_core::plan::{Fetch, Send};
use mirror_core::reconcile::{BaseFact, Facts, Sighted};
use mirror_core::{Digest, Kind, RelPath, State, merge};

use crate::api::{EngineResult, FileAction, NoticeKind, Settle};
use crate::packs::Wanted;
use crate::project::commit::draft::{ContentSource, Outgoing};
use crate::project::held::Held;
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::reporter::Reporter;
use crate::state::LocalInput;

/// Results that one commit may hold in memory; the rest takes another. Small
/// in tests, so that a story can come to it.
const HELD_BYTES: usize = if cfg!(test) { 4 << 10 } else { 64 << 20 };

/// What a job does about paths that changed on both sides.
#[derive(Default)]
pub(crate) struct Resolutions {
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) resolved: Vec<Resolved>,
    pub(crate) held: BTreeMap<Digest, ContentSource>,
    /// Results that the head has already: they only come here.
    pub(crate) arriving: Vec<Fetch>,
    /// What becomes of each path's local version, by the path.
    pub(crate) replacements: BTreeMap<RelPath, Replacement>,
    /// Indexes that the merge made longer than those who read them do.
    pub(crate) overlong: Vec<RelPath>,
    /// More can be settled once this is.
    pub(crate) is_partial: bool,
}

impl Resolutions {
    /// The paths that are settled, and what is told of them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&RelPath, FileAction)> {
        self.replacements.iter().map(|(path, way)| (path, way.action()))
    }

    fn held_bytes(&self) -> usize {
        let size = |held: &ContentSource| match held {
            ContentSource::Bytes(bytes) => bytes.len(),
            ContentSource::Stored(_) => 0,
        };
        self.held.values().map(size).sum()
    }
}

/// A path's version here, and what takes its place.
pub(crate) struct Replacement {
    pub(crate) before: State,
    pub(crate) after: State,
    pub(crate) strategy: Strategy,
}

impl Replacement {
    pub(crate) fn action(&self) -> FileAction {
        match self.strategy {
            Strategy::Merged | Strategy::Edited => FileAction::Merged,
            Strategy::KeepLocal => FileAction::Sent,
            Strategy::KeepRemote => FileAction::Fetched,
        }
    }
}

/// How one path is settled: this state, with its content where neither a pack
/// nor the working tree holds it.
pub(crate) struct Outcome {
    pub(crate) state: State,
    pub(crate) content: Option<Bytes>,
    pub(crate) strategy: Strategy,
}

/// How those paths are settled that changed on both sides.
#[derive(Clone, Copy)]
pub(crate) struct MergePolicy {
    /// Whether what can be merged is.
    pub(crate) merges: bool,
    pub(crate) settle: Settle,
}

/// The policy of each path.
pub(crate) struct Policies<'a> {
    pub(crate) usual: MergePolicy,
    /// Nothing of the other side may come here.
    pub(crate) held: &'a Held,
}

impl Policies<'_> {
    pub(crate) fn of(&self, path: &RelPath) -> MergePolicy {
        match (self.held.has(path), self.usual.settle) {
            (false, _) => self.usual,
            (true, Settle::KeepLocal) => MergePolicy { merges: false, ..self.usual },
            (true, Settle::Wait | Settle::KeepRemote) => {
                MergePolicy { merges: false, settle: Settle::Wait }
            }
        }
    }
}

/// One path that changed on both sides, with all that is known of it.
pub(crate) struct Sides<'a> {
    pub(crate) path: &'a RelPath,
    pub(crate) facts: &'a Facts,
    pub(crate) local: State,
    pub(crate) remote: Sighted,
    /// Where the local version stands when it isn't in the working tree (B8).
    pub(crate) spooled: Option<Spooled>,
}

/// A version that was copied to the data folder.
pub(crate) struct Spooled {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) input: LocalInput,
}

impl<'a> Sides<'a> {
    /// `None` when a side has no file.
    pub(crate) fn of(path: &'a RelPath, facts: &'a Facts) -> Option<Self> {
        let (local, remote) = (facts.local?, facts.remote?);
        Some(Self { path, facts, local, remote, spooled: None })
    }

    /// The executable bit by the same three-way rule as everything else. It
    /// has two values, so both sides never change it apart.
    pub(crate) fn exec(&self) -> bool {
        let (local, remote) = (self.local.exec, self.remote.state.exec);
        match self.facts.base.state() {
            Some(base) if local == base.exec => remote,
            Some(_) => local,
            None => local || remote,
        }
    }
}

/// The contents of one path; there is no base where there was no file.
struct Texts {
    base: Option<Bytes>,
    local: Bytes,
    remote: Bytes,
}

impl Worker {
    /// Settles what can be settled of `diverged`; the rest stays in it.
    pub(crate) async fn merge_diverged(
        &self,
        diverged: &mut Vec<RelPath>,
        facts: &BTreeMap<RelPath, Facts>,
        policies: &Policies<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<Resolutions> {
        let mut resolutions = Resolutions::default();
        let mut waiting = Vec::new();
        for path in std::mem::take(diverged) {
            if resolutions.held_bytes() > HELD_BYTES {
                resolutions.is_partial = true;
                break;
            }
            let sides = facts.get(&path).and_then(|facts| Sides::of(&path, facts));
            let Some(sides) = sides else { continue };
            match self.outcome_of(&sides, policies.of(&path), reporter).await? {
                Some(outcome) => self.add_outcome(&mut resolutions, &sides, outcome),
                None => waiting.push(path),
            }
        }
        *diverged = waiting;
        Ok(resolutions)
    }

    /// `None`: it waits for a person.
    pub(crate) async fn outcome_of(
        &self,
        sides: &Sides<'_>,
        policy: MergePolicy,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Outcome>> {
        if policy.merges
            && let Some((state, content)) = self.try_merge(sides, reporter).await?
        {
            return Ok(Some(Outcome { state, content, strategy: Strategy::Merged }));
        }
        let (state, strategy) = match policy.settle {
            Settle::Wait => return Ok(None),
            Settle::KeepLocal => (sides.local, Strategy::KeepLocal),
            Settle::KeepRemote => (sides.remote.state, Strategy::KeepRemote),
        };
        Ok(Some(Outcome { state, content: None, strategy }))
    }

    /// The three-way merge of one path, when there is one. Where neither side had
    /// the file before, the way that it is merged may still put both together; where
    /// nobody knows, nothing is (B5).
    async fn try_merge(
        &self,
        sides: &Sides<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<(State, Option<Bytes>)>> {
        let (local, remote) = (sides.local, sides.remote.state);
        let base = match sides.facts.base {
            BaseFact::Known { state, .. } => Some(state),
            BaseFact::Absent => None,
            BaseFact::Unknown(_) => return Ok(None),
        };
        let kind = base.map_or(Kind::File, |base| base.kind);
        if (local.kind, remote.kind) != (kind, kind) {
            return Ok(None);
        }
        let with = |digest| State { kind, digest, exec: sides.exec() };
        let before = base.map(|base| base.digest);
        if Some(remote.digest) == before {
            return Ok(Some((with(local.digest), None)));
        }
        if before.is_some() && [before, Some(remote.digest)].contains(&Some(local.digest)) {
            let merged = with(remote.digest);
            // A commit of ours would name this content whole, and no pack has
            // it whole.
            let wanted = self.wanted_at_head(sides.path);
            let is_whole = wanted.is_some_and(|wanted| wanted.chunks.is_none());
            return Ok((merged == remote || is_whole).then_some((merged, None)));
        }
        let how = self.merger(sides.path).filter(|_| kind == Kind::File);
        let Some(how) = how.filter(|how| before.is_some() || how.needs_no_base()) else {
            return Ok(None);
        };
        let Some(Texts { base, local, remote }) = self.texts(sides, before, reporter).await? else {
            return Ok(None);
        };
        let merge = move || merge::merge(how, base.as_deref(), [&local, &remote]);
        let Merged::Clean(merged) = self.parts.outside.offload(merge).await else {
            return Ok(None);
        };
        Ok(Some((with(Digest::of(&merged)), Some(Bytes::from(merged)))))
    }

    /// As the settings say. What they want merged in a way of a later version waits
    /// for a person (M4).
    pub(crate) fn merger(&self, path: &RelPath) -> Option<Merger> {
        self.log.history().settings()?.merger(path)
    }

    /// Base, local and remote content; `None` when one can't be had, or is more
    /// than what is merged. A base that is gone makes a conflict (M3).
    async fn texts(
        &self,
        sides: &Sides<'_>,
        base: Option<Digest>,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Texts>> {
        let Some(local) = self.local_text(sides).await else {
            return Ok(None);
        };
        let base = match base.map(|base| self.wanted_version(sides.path, base)) {
            None => None,
            Some(None) => return Ok(None),
            Some(Some(base)) => match self.fetch_text(&base).await {
                Err(error) if error.ends_the_job() => return Err(error),
                Err(_) | Ok(None) => return Ok(None),
                Ok(base) => base,
            },
        };
        let Some(remote) = self.wanted_version(sides.path, sides.remote.state.digest) else {
            return Ok(None);
        };
        match self.fetch_text(&remote).await {
            Err(error) if error.ends_the_job() => Err(error),
            Err(error) => {
                reporter.fault(fault(sides.path, &error));
                Ok(None)
            }
            Ok(remote) => Ok(remote.map(|remote| Texts { base, local, remote })),
        }
    }

    /// `None` when it is too large to be merged.
    async fn fetch_text(&self, wanted: &Wanted) -> EngineResult<Option<Bytes>> {
        if wanted.size > merge::MAX_TEXT_BYTES as u64 {
            return Ok(None);
        }
        self.fetch_bytes(wanted).await.map(Some)
    }

    /// A local file's bytes, if they are few enough and have this digest.
    async fn local_text(&self, sides: &Sides<'_>) -> Option<Bytes> {
        let (path, digest) = (sides.path.clone(), sides.local.digest);
        let spooled = sides.spooled.as_ref().map(|spooled| spooled.name.clone());
        let (tree, data) = (self.parts.tree.clone(), self.parts.data.clone());
        let read = move || {
            let reader = match spooled {
                Some(name) => data.open(&name).ok()??,
                None => tree.open(&path).ok()??.1,
            };
            let mut bytes = Vec::new();
            reader.take(merge::MAX_TEXT_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
            let whole = bytes.len() <= merge::MAX_TEXT_BYTES && Digest::of(&bytes) == digest;
            whole.then(|| Bytes::from(bytes))
        };
        self.parts.outside.offload(read).await
    }

    /// Adds one path's outcome to what a job does.
    pub(crate) fn add_outcome(
        &self,
        resolutions: &mut Resolutions,
        sides: &Sides<'_>,
        outcome: Outcome,
    ) {
        let Sides { path, facts, local, remote, .. } = *sides;
        let Outcome { state: after, content, strategy } = outcome;
        if content.as_deref().is_some_and(|content| self.is_overlong(path, content)) {
            resolutions.overlong.push(path.clone());
        }
        resolutions
            .replacements
            .insert(path.clone(), Replacement { before: local, after, strategy });
        if after == remote.state {
            // No commit is made whose result equals the head (M1).
            let (path, expected_local) = (path.clone(), Some(local));
            resolutions.arriving.push(Fetch { path, remote, expected_local, replaces: None });
            return;
        }
        let (local_size, input) = self.local_input(sides);
        let placed = self.log.history().manifest().get(path);
        let entry = placed.map(|placed| &placed.entry);
        let remote_size = entry.map_or(0, |entry| entry.size);
        let mut inputs = vec![Input::whole(local, local_size)];
        inputs.extend(entry.map(Input::from));
        // The commit says no more than the set of both sides does (M1).
        inputs.sort_by_key(|input| (input.sha256, input.kind));
        inputs.dedup_by_key(|input| (input.sha256, input.kind));
        let base = facts.base.state().map(|base| base.digest);
        resolutions.resolved.push(Resolved { path: path.clone(), base, inputs, strategy });
        let size = match &content {
            Some(content) => content.len() as u64,
            None if after.digest == local.digest => local_size,
            None => remote_size,
        };
        resolutions
            .held
            .extend(content.map(|content| (after.digest, ContentSource::Bytes(content))));
        let send = Send {
            path: path.clone(),
            from: Some(remote.state.digest),
            to: Some(after),
            renamed_from: None,
        };
        let mtime = Some(self.now());
        let private = match &sides.spooled {
            Some(_) => facts.privacy.to_send(facts.base, true),
            None => self.private_to_send(path),
        };
        resolutions.outgoing.push(Outgoing { send, size, mtime, private, input: Some(input) });
    }

    fn is_overlong(&self, path: &RelPath, content: &[u8]) -> bool {
        self.merger(path) == Some(Merger::Union) && merge::is_overlong_index(content)
    }

    /// Says of merged indexes that nobody reads them to their end.
    pub(crate) fn tell_overlong(&self, resolutions: &Resolutions, reporter: &mut Reporter) {
        for path in &resolutions.overlong {
            let message = format!(
                "{path} has grown to more than {} lines or {} KB with what both sides added: \
                 agents load no more of it, so shorten it",
                merge::INDEX_LINES,
                merge::INDEX_BYTES / 1_000
            );
            reporter.notice(NoticeKind::IndexOverlong, Some(path), message, self.now());
        }
    }

    /// The local version's size, and what it was (B4).
    fn local_input(&self, sides: &Sides<'_>) -> (u64, LocalInput) {
        if let Some(Spooled { size, input, .. }) = &sides.spooled {
            return (*size, input.clone());
        }
        let stamp = self.index.get(sides.path).map(|indexed| indexed.stamp);
        let input = LocalInput { state: Some(sides.local), made_on: None };
        (stamp.map_or(0, |stamp| stamp.size), input)
    }
}
