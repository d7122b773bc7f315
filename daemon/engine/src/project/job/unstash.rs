//! `stash restore`, and writing any earlier version over what stands here.
//!
//! A version that makes way and isn't in the log goes to the stash first.

use mirror_core::plan::{Fetch, Root};
use mirror_core::reconcile::Sighted;
use mirror_core::{Kind, RelPath, State};

use crate::api::{EngineResult, FileAction, FileReport, Stashed};
use crate::outside::TreeError;
use crate::packs::Content;
use crate::project::checkout::recover::state_at;
use crate::project::worker::Worker;
use crate::project::worker::faults::changed_meanwhile;
use crate::project::worker::reporter::Reporter;
use crate::state::BaseRecord;

pub(crate) type Edit = (Fetch, Content, Option<BaseRecord>);

impl Worker {
    pub(crate) async fn restore_stash(
        &mut self,
        id: &str,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let (Stashed { path, sha256, kind, exec, .. }, content) = self.stashed(id).await?;
        if let Err(error) = self.recover_attempt(Some(&mut *reporter)).await {
            tracing::info!(%error, "the stash needs no backend");
        } else if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "the stash needs no backend");
        }
        if self.observe_disk().await?.0 == Root::Missing {
            return Err(TreeError::RootMissing.into());
        }
        let (tree, file) = (self.parts.tree.clone(), path.clone());
        let local = self.parts.outside.offload(move || state_at(tree.as_ref(), &file)).await?;
        let placed = self.log.history().manifest().get(&path);
        let stands = || local.map_or(placed.is_some_and(|p| p.entry.exec), |local| local.exec);
        let exec = exec.unwrap_or_else(stands);
        let state = State { kind: kind.unwrap_or(Kind::File), digest: sha256, exec };
        if local == Some(state) {
            return Ok(());
        }
        if reporter.dry_run {
            reporter.file(report_of_restore(&path));
            return Ok(());
        }
        let kept = self.stash().await?;
        if !self.make_room(&path, local, &kept, reporter).await? {
            return Ok(());
        }
        let edit = self.edit_over(&path, local, state, content);
        self.land_restored(vec![edit], reporter).await
    }

    /// Sees that the version which makes way is kept, unless the log has it;
    /// `false` when it is no longer the expected one.
    pub(crate) async fn make_room(
        &mut self,
        path: &RelPath,
        local: Option<State>,
        kept: &[Stashed],
        reporter: &mut Reporter,
    ) -> EngineResult<bool> {
        let history = self.log.history();
        let unknown = local.filter(|local| history.place(local.digest).is_none());
        let Some(local) = unknown else { return Ok(true) };
        let stashed = self.stash_beside(kept, path, local, "restore").await?;
        match stashed {
            Some(id) => self.tell_stashed(path, id, reporter),
            None => reporter.fault(changed_meanwhile(path)),
        }
        Ok(stashed.is_some())
    }

    pub(crate) fn edit_over(
        &self,
        path: &RelPath,
        local: Option<State>,
        state: State,
        content: Content,
    ) -> Edit {
        // The person chose this over what the head is.
        let placed =
            self.log.history().manifest().get(path).map(mirror_core::history::Placed::sighted);
        let base = placed.map(|Sighted { state, seq }| BaseRecord::Known { state, seq });
        let covered = self.coverage.as_ref().is_some_and(|coverage| coverage.covers(path));
        let (path, remote) = (path.clone(), Sighted { state, seq: self.log.head() });
        let fetch = Fetch { path, remote, expected_local: local, replaces: None };
        (fetch, content, base.filter(|_| covered))
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
