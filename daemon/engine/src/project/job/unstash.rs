//! `stash restore`, `restore` of one version, and writing any of them over what
//! stands here.
//!
//! A version that makes way and isn't in the log goes to the stash first.

use mirror_core::plan::{Fetch, Root};
use mirror_core::reconcile::Sighted;
use mirror_core::{Digest, Kind, RelPath, State};

use crate::api::{EngineResult, FileAction, FileReport, OutputTree, Stashed, VersionName};
use crate::data::stash::StashedCopies;
use crate::error::EngineError;
use crate::outside::{Manner, TreeError};
use crate::packs::Content;
use crate::project::checkout::Edit;
use crate::project::checkout::recover::state_at;
use crate::project::versions::{Chosen, path_of};
use crate::project::worker::Worker;
use crate::project::worker::faults::changed_meanwhile;
use crate::project::worker::reporter::Reporter;
use crate::state::BaseRecord;

/// A version on its way back; `None`: it is executable if what stands there is.
struct Back {
    kind: Kind,
    digest: Digest,
    exec: Option<bool>,
    private: bool,
}

/// A version with its content.
pub(crate) struct Version {
    pub(crate) state: State,
    pub(crate) content: Content,
    /// Whether it was for its owner alone (B14).
    pub(crate) private: bool,
}

impl Worker {
    pub(crate) async fn restore_stash(
        &mut self,
        id: &str,
        output: Option<&OutputTree>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let (Stashed { path, sha256, kind, exec, private, .. }, content) = self.stashed(id).await?;
        let (kind, private) = (kind.unwrap_or(Kind::File), private.unwrap_or_default());
        let back = Back { kind, digest: sha256, exec, private };
        self.bring_one(&path, back, content, output, reporter).await
    }

    /// The version of a file whose digest begins so.
    pub(crate) async fn restore_version(
        &mut self,
        name: &str,
        digits: String,
        output: Option<&OutputTree>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let path = path_of(name)?;
        let Chosen { told, content, kind, exec, private } =
            self.version(&path, &VersionName::Digest(digits)).await?;
        let digest = told.sha256.ok_or(EngineError::OneFile)?;
        let back = Back { kind, digest, exec, private };
        self.bring_one(&path, back, content, output, reporter).await
    }

    async fn bring_one(
        &mut self,
        path: &RelPath,
        back: Back,
        content: Content,
        output: Option<&OutputTree>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let Some(output) = output else {
            return self.bring_one_back(path, back, content, reporter).await;
        };
        let private = back.private || self.log.history().is_private(path);
        let manner = Manner { private, ..Manner::of(back.kind, back.exec.unwrap_or(false)) };
        if reporter.dry_run || self.export_content(path, manner, content, &output.0, reporter).await
        {
            reporter.file(report_of_restore(path));
        }
        Ok(())
    }

    /// Writes one version over what stands at its path. What is here needs no
    /// backend.
    async fn bring_one_back(
        &mut self,
        path: &RelPath,
        back: Back,
        content: Content,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        if let Err(error) = self.look_at_the_log(reporter).await {
            tracing::info!(%error, "what is here needs no backend");
        }
        if self.observe_disk().await?.0 == Root::Missing {
            return Err(TreeError::RootMissing.into());
        }
        let (tree, file) = (self.parts.tree.clone(), path.clone());
        let local = self.parts.outside.offload(move || state_at(tree.as_ref(), &file)).await?;
        let placed = self.log.history().manifest().get(path);
        let stands = || local.map_or(placed.is_some_and(|p| p.entry.exec), |local| local.exec);
        let exec = back.exec.unwrap_or_else(stands);
        let state = State { kind: back.kind, digest: back.digest, exec };
        if local == Some(state) {
            return Ok(());
        }
        if reporter.dry_run {
            reporter.file(report_of_restore(path));
            return Ok(());
        }
        let kept = self.kept().await?;
        if !self.make_room(path, local, &kept, reporter).await? {
            return Ok(());
        }
        let private = back.private || self.log.history().is_private(path);
        let version = Version { state, content, private };
        let edit = self.edit_over(path, local, version);
        self.land_restored(vec![edit], reporter).await
    }

    async fn look_at_the_log(&mut self, reporter: &mut Reporter) -> EngineResult<()> {
        self.refuse_when_stopped()?;
        self.recover_attempt(Some(reporter)).await?;
        self.catch_up().await.map(drop)
    }

    /// Sees that the version which makes way is kept, unless the log has it;
    /// `false` when it is no longer the expected one.
    pub(crate) async fn make_room(
        &mut self,
        path: &RelPath,
        local: Option<State>,
        kept: &StashedCopies,
        reporter: &mut Reporter,
    ) -> EngineResult<bool> {
        let Some(local) = local.filter(|local| !self.is_kept_by_log(path, *local)) else {
            return Ok(true);
        };
        let stashed = self.stash_beside(kept, path, local, "restore").await?;
        match stashed {
            Some(id) => self.tell_stashed(path, id, reporter),
            None => reporter.fault(changed_meanwhile(path)),
        }
        Ok(stashed.is_some())
    }

    /// Whether the log has this version of this very path: what another file has is
    /// found by nobody who looks for this one.
    fn is_kept_by_log(&self, path: &RelPath, local: State) -> bool {
        let history = self.log.history();
        let is_base =
            |base: &BaseRecord| matches!(base, BaseRecord::Known { state, .. } if *state == local);
        let is_here = || self.state.bases().get(path).is_some_and(is_base);
        history.place(local.digest).is_some()
            && (is_here() || history.known_of(path).contains(&local.digest))
    }

    pub(crate) fn edit_over(
        &self,
        path: &RelPath,
        local: Option<State>,
        Version { state, content, private }: Version,
    ) -> Edit {
        // The person chose this over what the head is.
        let placed =
            self.log.history().manifest().get(path).map(mirror_core::history::Placed::sighted);
        let base = placed.map(|Sighted { state, seq }| BaseRecord::Known { state, seq });
        let covered = self.coverage.as_ref().is_some_and(|coverage| coverage.covers(path));
        let (path, remote) = (path.clone(), Sighted { state, seq: self.log.head() });
        let fetch = Fetch { path, remote, expected_local: local, replaces: None };
        Edit { fetch, content, base: base.filter(|_| covered), private }
    }

    pub(crate) async fn land_restored(
        &mut self,
        edits: Vec<Edit>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        if edits.is_empty() {
            return Ok(());
        }
        let landed = self.land_edits(edits).await;
        reporter.add(landed.told_as(|_| FileAction::Restored))
    }
}

pub(crate) fn report_of_restore(path: &RelPath) -> FileReport {
    FileReport { path: path.clone(), action: FileAction::Restored, from: None }
}
