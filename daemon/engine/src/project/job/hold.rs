//! `held accept` and `held reject`: what others may make this machine run comes here,
//! or doesn't, as somebody here says (B16).

use std::collections::BTreeMap;

use async_trait::async_trait;
use mirror_core::commit::Action;
use mirror_core::plan::{Intent, Root, Selection, Send};
use mirror_core::reconcile::Sighted;
use mirror_core::{RelPath, State};

use crate::api::{EngineResult, HeldChoice, Settle};
use crate::data::agreements::Said;
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::project::commit::draft::Draft;
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::merge::MergePolicy;
use crate::project::plan::draw::CycleRequest;
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::reporter::Reporter;

/// Versions that somebody decided about, with what this machine has instead.
type Chosen = BTreeMap<RelPath, (Sighted, Option<State>)>;

impl Worker {
    /// Agrees to what is held, and brings it. What is decided about is what this
    /// machine knew when it was asked: whoever looked has seen no newer version.
    pub(crate) async fn accept_held(
        &mut self,
        choice: &HeldChoice,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let chosen = self.chosen_of_held(choice).await?;
        if !reporter.dry_run {
            self.say_of_held(Said::Agreed, &chosen).await?;
        }
        let selection = Selection::exactly(chosen.keys());
        let request = CycleRequest {
            selection: &selection,
            intent: Intent::Pull,
            message: None,
            policy: MergePolicy { merges: false, settle: Settle::Wait },
            auto: None,
        };
        self.cycle(&request, reporter).await
    }

    /// Remembers that this machine wants none of it. Nothing is committed, unless
    /// nobody else is to have it either.
    pub(crate) async fn reject_held(
        &mut self,
        choice: &HeldChoice,
        for_everyone: bool,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let chosen = self.chosen_of_held(choice).await?;
        if !reporter.dry_run {
            self.say_of_held(Said::Refused, &chosen).await?;
        }
        if !for_everyone {
            return Ok(());
        }
        self.recover_attempt(Some(&mut *reporter)).await?;
        self.catch_up().await?;
        let committed = until_won(self, reporter, &mut Rejection(&chosen)).await?;
        let Some(files) = committed else { return Ok(()) };
        reporter.add_files(files);
        self.finish_view(false, reporter).await
    }

    async fn chosen_of_held(&mut self, choice: &HeldChoice) -> EngineResult<Chosen> {
        if self.observe_disk().await?.0 == Root::Missing {
            return Err(TreeError::RootMissing.into());
        }
        let held = self.held(&self.facts());
        let names = &choice.scope.names;
        let selection = self.selection_of(names).await;
        let paths: Vec<&RelPath> = held.coming().map(|(path, _)| path).collect();
        selection
            .check(paths.iter().copied())
            .map_err(|unknown| EngineError::NotHeld(unknown.0.join(", ")))?;
        let is_chosen = |path: &RelPath| selection.matches(path);
        let chosen = held.coming().filter(|(path, waiting)| {
            // What was refused is taken back by name alone.
            is_chosen(path) && (!waiting.is_refused || selection.names(path))
        });
        let chosen = chosen.map(|(path, held)| (path.clone(), (held.remote, held.local)));
        let chosen: Chosen = chosen.collect();
        let Some(digits) = &choice.digits else { return Ok(chosen) };
        let moved = chosen.iter().find(|(_, (remote, _))| {
            !remote.state.digest.to_string().starts_with(&digits.to_ascii_lowercase())
        });
        moved.map_or(Ok(()), |(path, _)| Err(EngineError::HeldMoved(path.clone())))?;
        Ok(chosen)
    }

    async fn say_of_held(&mut self, said: Said, chosen: &Chosen) -> EngineResult<()> {
        let versions = chosen.iter().map(|(path, (remote, _))| (path.clone(), remote.state));
        self.say(said, versions.collect()).await?;
        self.publish();
        Ok(())
    }
}

/// The commit that puts this machine's versions back for everyone.
struct Rejection<'a>(&'a Chosen);

#[async_trait]
impl Drafter for Rejection<'_> {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        worker.observe_disk().await?;
        let held = worker.held(&worker.facts());
        let still = held.coming().filter(|(path, waiting)| {
            let chosen = self.0.get(*path);
            // Another version, there or here, is nothing that anybody decided about.
            chosen.is_some_and(|(remote, local)| {
                (remote.state, *local) == (waiting.remote.state, waiting.local)
            })
        });
        let sends: Vec<Send> = still
            .map(|(path, waiting)| Send {
                path: path.clone(),
                from: Some(waiting.remote.state.digest),
                to: waiting.local,
                renamed_from: None,
            })
            .collect();
        for path in self.0.keys().filter(|path| sends.iter().all(|send| send.path != **path)) {
            reporter.fault(fault(path, &EngineError::HeldMoved(path.clone())));
        }
        if sends.is_empty() || reporter.dry_run {
            let files = sends.iter().map(crate::project::commit::append::report_of_send);
            files.for_each(|file| reporter.file(file));
            return Ok(None);
        }
        Ok(Some(Draft {
            outgoing: sends.into_iter().map(|send| worker.outgoing(send)).collect(),
            is_named: true,
            ..Draft::of(Action::Push, None)
        }))
    }

    async fn changed(
        &mut self,
        _worker: &mut Worker,
        _paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        // The next draft looks at them again.
        Ok(())
    }
}
