//! The calm after the storm: all is healed, and every daemon goes on until nothing
//! moves any more.

use std::collections::BTreeSet;

use mirror_core::reconcile::FileState;
use mirror_engine::{Job, Overdue, Report, Scope, Settle, StatusReport};

use crate::machine::{Ending, Errand};
use crate::oracle::Told;
use crate::storm::{Storm, by_itself};

/// Rounds within which it must have become quiet.
const ROUNDS: usize = 16;

impl Storm {
    /// Heals everything, lets everybody sync until it is quiet, and checks.
    pub(crate) async fn is_judged(&mut self) {
        if self.world.ledger().is_broken() {
            // Nobody can go on; what was wrong was found when it was written.
            return;
        }
        self.heals().await;
        if self.world.setup.by_itself {
            self.works_by_itself_until_quiet().await;
        }
        let told = self.syncs_until_quiet().await;
        if self.world.has_found() {
            return;
        }
        let truth = self.reads_log();
        self.checks_commits(&truth);
        self.checks_trees(&truth, &told);
        self.checks_conflicts(&told);
        self.checks_view(&truth, &told);
        self.checks_ids(&truth);
    }

    pub(crate) async fn heals(&mut self) {
        while !self.world.orphans().is_empty() {
            if self.world.chance(|chance| chance.permille(500)) {
                self.world.land_orphan();
            } else {
                self.world.orphans().pop();
            }
        }
        while {
            self.settles_down().await;
            !self.world.waiting().is_empty()
        } {
            self.world.serve_one();
        }
        self.world.note(format_args!("all is healed; every daemon starts anew"));
        self.is_judging = true;
        for at in 0..self.machines.len() {
            drop(self.machines[at].dies(false));
            self.does(at, Errand::Open).await;
        }
    }

    /// Runs one errand to its end in calm.
    async fn does(&mut self, at: usize, errand: Errand) -> Report {
        if !matches!(errand, Errand::Open) && self.machines[at].project.is_none() {
            return Report::default();
        }
        self.machines[at].begin(errand, true);
        self.idle.wait().await;
        let mut report = Report::default();
        match self.machines[at].ending() {
            Some(Ending::Ran(job, Ok(ran))) => {
                report.clone_from(&ran);
                self.hears(at, Ending::Ran(job, Ok(ran)));
            }
            Some(ending) => self.hears(at, ending),
            None => self.world.finds(format!("machine {at} never ends what it began")),
        }
        for panic in crate::panics::taken() {
            self.world.finds(format!("a panic: {panic}"));
        }
        report
    }

    /// Two machines that undo what the other did would never end (B17).
    pub(crate) async fn works_by_itself_until_quiet(&mut self) {
        for _ in 0..ROUNDS {
            let before = self.world.effects();
            for pause in [3_000, 700_000] {
                self.world.advance(pause);
                for at in 0..self.machines.len() {
                    self.does(at, Errand::Run(by_itself(Overdue::Nothing))).await;
                }
            }
            if self.world.has_found() || self.world.effects() == before {
                return;
            }
        }
        self.world.finds("it never becomes quiet by itself".to_owned());
    }

    pub(crate) async fn syncs_until_quiet(&mut self) -> Vec<Told> {
        let mut quiet = 0;
        for _ in 0..ROUNDS {
            let before = self.world.effects();
            let mut told = Vec::new();
            for at in 0..self.machines.len() {
                let sync =
                    Job::Sync { scope: Scope::default(), message: None, settle: Settle::Wait };
                let report = self.does(at, Errand::Run(sync)).await;
                told.push(Told { report, ..Told::default() });
            }
            for pause in [11_000, 700_000] {
                self.world.advance(pause);
                for at in 0..self.machines.len() {
                    self.does(at, Errand::Poll).await;
                }
            }
            if self.world.has_found() {
                return told;
            }
            quiet = if self.world.effects() == before { quiet + 1 } else { 0 };
            if quiet == 2 {
                for (at, told) in told.iter_mut().enumerate() {
                    told.waiting = self.waiting_at(at).await;
                    told.held = self.held_at(at).await;
                }
                return told;
            }
        }
        self.world.finds("it never becomes quiet".to_owned());
        Vec::new()
    }

    async fn waiting_at(&self, at: usize) -> BTreeSet<String> {
        let Some(project) = &self.machines[at].project else { return BTreeSet::new() };
        match project.status(false).await {
            Ok(StatusReport { files_known: true, files, .. }) => files
                .into_iter()
                .filter(|file| {
                    matches!(
                        file.state,
                        FileState::Conflict | FileState::Diverged | FileState::NewLocal
                    )
                })
                .map(|file| file.path.as_str().to_owned())
                .collect(),
            unknown => {
                self.world.finds(format!("machine {at} can't say how it stands: {unknown:?}"));
                BTreeSet::new()
            }
        }
    }

    async fn held_at(&self, at: usize) -> BTreeSet<String> {
        let Some(project) = &self.machines[at].project else { return BTreeSet::new() };
        match project.held().await {
            Ok(held) => held.into_iter().map(|held| held.path.as_str().to_owned()).collect(),
            Err(error) => {
                self.world.finds(format!("machine {at} can't say what it holds: {error}"));
                BTreeSet::new()
            }
        }
    }
}
