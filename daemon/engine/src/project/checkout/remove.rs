//! Removing files of the working tree that the head has no more (B9).
//!
//! Each removal is saved as a target before it begins, so that a crash in between
//! is settled by B3.

use std::io::Read;

use mirror_core::RelPath;
use mirror_core::plan::Removal;

use super::faults::told_of_stash;
use crate::api::{EngineResult, FileAction};
use crate::data::stash::Stash;
use crate::outside::Taken;
use crate::outside::tree::TEMP_PREFIX;
use crate::project::worker::Worker;
use crate::project::worker::faults::{changed_meanwhile, fault};
use crate::project::worker::outcome::FileOutcome;
use crate::state::{BaseAfter, Target};

impl Worker {
    /// Removes what a plan says, each only while it is as expected (B2).
    pub(crate) async fn remove_here(
        &mut self,
        deletions: Vec<Removal>,
        files: &mut Vec<FileOutcome>,
    ) -> EngineResult<()> {
        if deletions.is_empty() {
            return Ok(());
        }
        let outside = self.parts.outside.clone();
        let mut steps = Vec::new();
        for removal in deletions {
            let target = self.begin_removal(&removal);
            steps.push((removal, target.temp_name));
        }
        self.save(true).await?;
        let mut steps = steps.into_iter();
        while let Some((removal, temp_name)) = steps.next() {
            if outside.interrupt.is_cancelled() {
                let skipped = std::iter::once((removal, temp_name)).chain(steps);
                skipped.for_each(|(removal, _)| self.state.set_target(&removal.path, None));
                break;
            }
            let tree = self.parts.tree.clone();
            let (path, expected) = (removal.path.clone(), removal.expected);
            let mut stash = Stash::of(&path, &self.parts);
            let (taken, stash) = outside
                .offload(move || {
                    let mut rescued = |reader: &mut dyn Read| stash.keep(reader);
                    let taken = tree.take(&path, expected, &temp_name, &mut rescued);
                    (taken, stash)
                })
                .await;
            let path = &removal.path;
            files.extend(told_of_stash(path, &stash, self.now()));
            match taken {
                Ok(Taken::Done) => {
                    self.forget_file(path);
                    files.push(FileOutcome::done(path, FileAction::DeletedLocal));
                }
                Ok(Taken::Changed) => files.push(FileOutcome::Failed(changed_meanwhile(path))),
                Err(error) => {
                    files.push(FileOutcome::Failed(fault(path, &error.into())));
                    continue;
                }
            }
            self.state.set_target(path, None);
        }
        self.save(true).await?;
        self.refuse_when_cancelled()
    }

    /// Notes that a file is about to be removed here.
    pub(crate) fn begin_removal(&mut self, removal: &Removal) -> Target {
        let target = Target {
            temp_name: format!("{TEMP_PREFIX}{}", self.parts.outside.ulid()),
            expected: Some(removal.expected),
            state: None,
            seq: self.log.head(),
            base: BaseAfter::Written,
        };
        self.state.set_target(&removal.path, Some(target.clone()));
        target
    }

    pub(crate) fn forget_file(&mut self, path: &RelPath) {
        self.index.note(path.clone(), None);
        self.state.set_base(path, None);
    }
}
