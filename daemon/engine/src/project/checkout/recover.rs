//! Local steps that an earlier run left half-done, before anything else of their
//! paths (B3).

use mirror_core::plan::Root;
use mirror_core::{RelPath, State};

use super::faults::told_of_stash;
use crate::data::stash::Stash;
use crate::outside::tree::{digest_of, spare_of};
use crate::outside::{Taken, Tree, TreeError};
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::outcome::FileOutcome;
use crate::state::{BaseRecord, Target};

/// What a local step that was cut off turned out to have done.
enum Left {
    /// The file is as the step wanted it.
    Landed,
    /// Nothing happened, or a later edit stands there: the base stays.
    AsBefore,
    /// Nothing stands there though a file was to be written.
    Unknown,
}

/// How a local step was settled.
struct Settled {
    left: Left,
    /// Nothing stood under its temporary names: there was nothing, or the folder
    /// has another name by now.
    is_nowhere: bool,
    /// What stands there now is for its owner alone (B14).
    is_private: bool,
}

impl Worker {
    /// Settles local writes and removals. Names those that can't be settled yet,
    /// whose files are left alone until then, and the edits that went to the
    /// stash. While the folder is away all of them wait for it, also while
    /// another disk is in its place.
    pub(crate) async fn recover_targets(&mut self) -> Vec<FileOutcome> {
        if matches!(self.look_at_root().await, Ok(Root::OtherDevice)) {
            return Vec::new();
        }
        let targets: Vec<(RelPath, Target)> = self
            .state
            .targets()
            .iter()
            .map(|(path, target)| (path.clone(), target.clone()))
            .collect();
        let (mut told, mut nowhere) = (Vec::new(), Vec::new());
        for (path, target) in targets {
            let (tree, mut stash) = (self.parts.tree.clone(), Stash::of(&path, &self.parts));
            let (step_path, step) = (path.clone(), target.clone());
            let (settled, stash) = self
                .parts
                .outside
                .offload(move || {
                    let settled = settle_target(tree.as_ref(), &step_path, &step, &mut stash);
                    (settled, stash)
                })
                .await;
            told.extend(told_of_stash(&path, &stash, self.now()));
            match settled {
                Ok(settled) if settled.is_nowhere => nowhere.push((path, target, settled)),
                Ok(settled) => self.record_left(&path, &target, &settled),
                Err(TreeError::RootMissing) => break,
                // One file that can't be looked at keeps no other waiting.
                Err(error) => {
                    tracing::warn!(%path, %error, "a step that was cut off can't be settled yet");
                    told.push(FileOutcome::Failed(fault(&path, &error.into())));
                }
            }
        }
        told.extend(self.record_nowhere(nowhere).await);
        told
    }

    /// Records steps that left nothing where it was looked for, once it was looked
    /// for everywhere.
    async fn record_nowhere(
        &mut self,
        settled: Vec<(RelPath, Target, Settled)>,
    ) -> Vec<FileOutcome> {
        if settled.is_empty() {
            return Vec::new();
        }
        let taken_up = match self.take_up_leftovers().await {
            Ok(notices) => notices,
            Err(error) => {
                let failed = |path| FileOutcome::Failed(fault(path, &error));
                return settled.iter().map(|(path, ..)| failed(path)).collect();
            }
        };
        for (path, target, left) in &settled {
            self.record_left(path, target, left);
        }
        taken_up.into_iter().map(FileOutcome::Told).collect()
    }

    fn record_left(&mut self, path: &RelPath, target: &Target, settled: &Settled) {
        match settled.left {
            Left::Landed => {
                let base = target.base_after();
                let is_known = matches!(base, Some(BaseRecord::Known { .. }));
                let is_agreed =
                    self.state.private().contains(path) || self.is_private_by(path, target);
                self.state.set_base(path, base);
                self.state.set_private(path, is_known && settled.is_private && is_agreed);
            }
            Left::Unknown => self.state.set_base(path, Some(BaseRecord::Unknown)),
            Left::AsBefore => {}
        }
        self.state.set_target(path, None);
    }
}

/// What it finds and does is flushed before anybody relies on it: until then the
/// power may take back what stands there.
fn settle_target(
    tree: &dyn Tree,
    path: &RelPath,
    target: &Target,
    stash: &mut Stash,
) -> Result<Settled, TreeError> {
    let settled = settle_step(tree, path, target, stash)?;
    tree.flush(path)?;
    Ok(settled)
}

fn settle_step(
    tree: &dyn Tree,
    path: &RelPath,
    target: &Target,
    stash: &mut Stash,
) -> Result<Settled, TreeError> {
    let local = state_at(tree, path)?;
    let temp = match tree.look_at_temp(path, &target.temp_name) {
        // Something else has taken the folder's place, and the file went with it.
        Err(TreeError::IsFolder(_) | TreeError::Obstructed(_)) => {
            let left = if target.state.is_some() { Left::Unknown } else { Left::Landed };
            return Ok(Settled { left, is_nowhere: true, is_private: false });
        }
        temp => temp?,
    };
    let mut is_nowhere = temp.is_none();
    // A version that is neither old nor new was saved while the step ran.
    let mut left = if temp.is_some_and(|state| !target.knows(state)) {
        bring_back(tree, path, target, local, stash)?
    } else {
        settle_known(tree, path, target, local, temp)?
    };
    for name in [spare_of(&target.temp_name), second_of(target)] {
        let Some(state) = tree.look_at_temp(path, &name)? else { continue };
        is_nowhere = false;
        if !target.knows(state) {
            if tree.restore_temp(path, &name)? {
                left = Left::AsBefore;
            } else {
                stash_temp(tree, path, &name, stash)?;
            }
        }
        tree.remove_temp(path, &name)?;
    }
    // Also what was only half-written, and so is nobody's version.
    tree.remove_temp(path, &target.temp_name)?;
    let is_private = tree.stamp(path)?.is_some_and(|stamp| stamp.private);
    Ok(Settled { left, is_nowhere, is_private })
}

/// Settles a step that left nothing aside but what it knows.
fn settle_known(
    tree: &dyn Tree,
    path: &RelPath,
    target: &Target,
    local: Option<State>,
    temp: Option<State>,
) -> Result<Left, TreeError> {
    let moved_aside = temp.is_some() && temp == target.expected && temp != target.state;
    if moved_aside && local.is_none() && target.state.is_some() {
        // The old file was aside and the new one not yet in place.
        if tree.restore_temp(path, &target.temp_name)? {
            return Ok(Left::AsBefore);
        }
    }
    Ok(match (local, target.state) {
        _ if local == target.state => Left::Landed,
        (None, Some(_)) => Left::Unknown,
        (Some(_), _) | (None, None) => Left::AsBefore,
    })
}

/// Puts an edit that was caught in the middle back in its place; when a newer
/// one stands there already, it goes to the stash.
fn bring_back(
    tree: &dyn Tree,
    path: &RelPath,
    target: &Target,
    local: Option<State>,
    stash: &mut Stash,
) -> Result<Left, TreeError> {
    let temp = &target.temp_name;
    if let Some(state) = local.filter(|_| local == target.state) {
        let mut rescued = |reader: &mut dyn std::io::Read| stash.keep(reader);
        if tree.take(path, state, &second_of(target), &mut rescued)? == Taken::Changed {
            stash_temp(tree, path, temp, stash)?;
            return Ok(Left::AsBefore);
        }
    }
    if !tree.restore_temp(path, temp)? {
        stash_temp(tree, path, temp, stash)?;
    }
    Ok(Left::AsBefore)
}

/// Where the new version stands while an edit is put back in its place.
fn second_of(target: &Target) -> String {
    format!("{}-2", target.temp_name)
}

fn stash_temp(
    tree: &dyn Tree,
    path: &RelPath,
    temp_name: &str,
    stash: &mut Stash,
) -> Result<(), TreeError> {
    if let Some(mut reader) = tree.open_temp(path, temp_name)? {
        let failed = |cause| TreeError::Failed { path: path.clone(), cause };
        let kept = match tree.look_at_temp(path, temp_name)? {
            Some(state) => stash.keep_as(state, reader.as_mut()),
            None => stash.keep(reader.as_mut()),
        };
        kept.map_err(failed)?;
    }
    tree.remove_temp(path, temp_name)
}

/// What stands at a path now, read in full.
pub(crate) fn state_at(tree: &dyn Tree, path: &RelPath) -> Result<Option<State>, TreeError> {
    let opened = match tree.open(path) {
        Err(TreeError::IsFolder(_) | TreeError::Obstructed(_)) => None,
        opened => opened?,
    };
    let Some((stamp, mut reader)) = opened else { return Ok(None) };
    let failed = |cause| TreeError::Failed { path: path.clone(), cause };
    let (digest, _) = digest_of(reader.as_mut()).map_err(failed)?;
    Ok(Some(State { kind: stamp.kind, digest, exec: stamp.exec }))
}
