//! Gives contents again that somebody found damaged on the backend (P8).
//!
//! Nobody asks for it: whoever has the bytes brings them in a commit of their own
//! as soon as it hears of it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use mirror_core::commit::Action;
use mirror_core::history::Place;
use mirror_core::{Digest, History, RelPath};

use crate::api::{EngineResult, NoticeKind};
use crate::error::EngineError;
use crate::packs::{Checked, Item, Rest};
use crate::project::commit::again::Source;
use crate::project::commit::draft::Draft;
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::view::machines::DamagedContent;

/// So much is given again in one round; the next one goes on.
const MOST_BYTES: u64 = 256 << 20;

impl Worker {
    /// The same beside a job that was asked for something else: what can't be
    /// given now is given by a later one.
    pub(crate) async fn give_again_if_possible(
        &mut self,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        match self.give_again(reporter).await {
            Err(error @ (EngineError::Stopped { .. } | EngineError::Cancelled)) => Err(error),
            Err(error) => {
                tracing::info!(%error, "what is damaged on the backend waits to be given again");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Brings what this machine has of what was found damaged, here or elsewhere.
    pub(crate) async fn give_again(&mut self, reporter: &mut Reporter) -> EngineResult<()> {
        self.check_damage_elsewhere().await?;
        if reporter.dry_run || self.damaged_here().is_empty() {
            return Ok(());
        }
        self.recover_attempt(Some(&mut *reporter)).await?;
        let mut repair = Repair::default();
        until_won(self, reporter, &mut repair).await?;
        for path in repair.given {
            let message = format!(
                "the content of {path} was damaged on the backend; this machine gave it again"
            );
            reporter.notice(NoticeKind::ContentGivenAgain, Some(&path), message, self.now());
        }
        Ok(())
    }

    /// Others may be wrong about what they can't read.
    async fn check_damage_elsewhere(&mut self) -> EngineResult<()> {
        let said = std::mem::take(&mut self.machines.damaged);
        let history = self.log.history();
        let is_open = |one: &&DamagedContent| !self.machines.found_whole.contains(one);
        let items = said.iter().filter(is_open).filter_map(|one| {
            let size = history.place(one.sha256)?.size;
            Some(Item { digest: one.sha256, size, path: any_path() })
        });
        let items: Vec<Item> = items.collect();
        match self.fetcher.check(&items, history, Rest::Waits).await {
            Ok(Checked { damaged, unread }) => {
                let (unread, read): (BTreeSet<_>, BTreeSet<_>) =
                    said.into_iter().partition(|one| unread.contains(&one.sha256));
                let whole = read.into_iter().filter(|one| !damaged.contains(&one.sha256));
                self.machines.found_whole.extend(whole);
                self.machines.damaged = unread;
                Ok(())
            }
            Err(error) => {
                self.machines.damaged = said;
                Err(error)
            }
        }
    }
}

/// What is given again, once there is a commit.
#[derive(Default)]
struct Repair {
    given: Vec<RelPath>,
    /// Files that could not be read as they were seen.
    left_out: BTreeSet<RelPath>,
}

#[async_trait]
impl Drafter for Repair {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        _reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        self.given.clear();
        let mut draft = Draft::of(Action::Repair, None);
        let (mut left, mut held) = (MOST_BYTES, BTreeMap::new());
        let damaged = worker.damaged_here();
        let contents = damaged.iter().map(|(content, _)| *content).collect();
        let here = worker.files_with(&contents);
        let mut past = paths_with(&contents, worker.log.history());
        for (content, place) in damaged {
            let Some(rest) = left.checked_sub(place.size) else { continue };
            let Some(source) = worker.bytes_at_hand(content, &here).await else { continue };
            let path = match source {
                Source::File(path) => path,
                Source::Held(source) => {
                    held.insert(content, source);
                    past.remove(&content).unwrap_or_else(any_path)
                }
            };
            if self.left_out.contains(&path) {
                continue;
            }
            self.given.push(path.clone());
            let Place { size, .. } = place;
            draft.given.push(Item { digest: content, size, path });
            left = rest;
        }
        draft.held = held;
        Ok((!draft.given.is_empty()).then_some(draft))
    }

    async fn changed(
        &mut self,
        _worker: &mut Worker,
        paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.left_out.extend(paths.into_iter().map(|(path, _)| path));
        Ok(())
    }
}

/// For each of these contents a file that had it once.
fn paths_with(contents: &BTreeSet<Digest>, history: &History) -> BTreeMap<Digest, RelPath> {
    if contents.is_empty() {
        return BTreeMap::new();
    }
    let past = history.past().iter().rev().filter(|past| contents.contains(&past.entry.sha256));
    past.map(|past| (past.entry.sha256, past.path.clone())).collect()
}

/// What a content is given for that no file is known to have had.
fn any_path() -> RelPath {
    RelPath::new("content").expect("a plain name")
}
