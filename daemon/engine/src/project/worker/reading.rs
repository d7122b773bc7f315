//! What readers see of a project: one value, swapped whole after each step that
//! was recorded (S5).
//!
//! A reader works on a copy that shares its structure with what the project goes
//! on with. It looks at the log and the disk by itself, and whatever it learns or
//! writes goes with it, but for contents that it fetches into the cache, and for its
//! look at the disk, from which the next reader goes on: it holds nobody up, and
//! nobody holds it up.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use mirror_core::{RelPath, Timestamp};

use super::Worker;
use super::events::Events;
use super::status::StatusBoard;
use super::view::{Machines, Pending};
use crate::api::{Parts, Phase, QueuedWork};
use crate::beside::{NoStore, OverlayDisk, PeekingWatch, ReadTree};
use crate::data::agreements::Agreements;
use crate::data::conflicts::{Conflicts, OutsideConflicts};
use crate::data::notices::Journal;
use crate::data::queue::Queue;
use crate::index::Index;
use crate::log::Log;
use crate::packs::Damaged;
use crate::state::State;

/// All that a question is answered from, at one moment.
pub(crate) struct Reading {
    parts: Parts,
    spec: crate::api::ProjectSpec,
    log: Log,
    state: State,
    index: Index,
    coverage: Option<Arc<mirror_core::patterns::Coverage>>,
    git_rules: Option<Arc<std::collections::BTreeMap<String, String>>>,
    root: Option<(u64, u64)>,
    conflicts: Conflicts,
    outside_conflicts: OutsideConflicts,
    agreements: Agreements,
    queue_work: Option<QueuedWork>,
    queued_view: Option<QueuedWork>,
    /// The newest notice, shared with the project.
    newest_notice: Arc<AtomicU64>,
    /// Shared with the project: a reader notices damage, too.
    damaged: Damaged,
    /// So often was taken up what the watch told, this time included.
    taken_up: u64,
}

impl Reading {
    /// Whether a job without a person left deletions undone (B12), and nobody has looked
    /// since whether they still are some.
    pub(crate) fn may_leave_deletions(&self) -> bool {
        !self.state.waiting().is_empty()
    }
}

/// Where the newest reading is to be had.
#[derive(Clone, Default)]
pub(crate) struct Published(Arc<Mutex<Option<Arc<Reading>>>>);

impl Published {
    pub(crate) fn get(&self) -> Option<Arc<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nobody is answered any more.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn set(&self, reading: Reading) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(reading));
    }

    /// Spares the next readers of `seen` what a reader of it looked at, where that is
    /// all of the truth: by the same rules, and with every content read.
    pub(crate) fn keep_look(&self, seen: &Arc<Reading>, reader: &Worker) {
        let is_whole = reader.index.is_all_read()
            && is_same(seen.coverage.as_ref(), reader.coverage.as_ref())
            && is_same(seen.git_rules.as_ref(), reader.git_rules.as_ref());
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_whole && newest.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, seen)) {
            *newest = Some(Arc::new(seen.with(reader.index.for_reader())));
        }
    }
}

fn is_same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

impl Worker {
    /// Lets readers see how things stand. Called where all parts fit together.
    pub(crate) fn publish(&self) {
        let before = self.published.get();
        self.published.set(Reading {
            // The store is given back as soon as the project is closed.
            parts: Parts { store: Arc::new(NoStore), ..self.parts.clone() },
            spec: self.spec.clone(),
            log: self.log.clone(),
            state: self.state.for_reader(Arc::new(NoStore)),
            index: self.index.for_reader(),
            coverage: self.coverage.clone(),
            git_rules: self.git_rules.clone(),
            root: self.root,
            conflicts: self.conflicts.clone(),
            outside_conflicts: self.outside_conflicts.clone(),
            agreements: self.agreements.clone(),
            queue_work: self.queue.work.clone(),
            queued_view: self.queued_view.clone(),
            newest_notice: self.journal.newest().clone(),
            damaged: self.fetcher.damaged.clone(),
            taken_up: self.parts.watch.taken_up_count() + 1,
        });
        // What the watch told before is in it.
        self.parts.watch.taken_up();
        self.events.commits_until(self.log.head());
        if let Some(before) = before {
            self.tell_conflicts(&before);
        }
    }

    /// Tells of what waits for a person, and did not before.
    fn tell_conflicts(&self, before: &Reading) {
        let outside = |conflicts: &OutsideConflicts| -> BTreeSet<RelPath> {
            conflicts.values().map(|record| record.path.clone()).collect()
        };
        let here = self.conflicts.keys().filter(|path| !before.conflicts.contains_key(*path));
        here.for_each(|path| self.events.conflict(path));
        if self.outside_conflicts.is_empty() {
            return;
        }
        let known = outside(&before.outside_conflicts);
        let outside = outside(&self.outside_conflicts);
        outside.difference(&known).for_each(|path| self.events.conflict(path));
    }
}

impl Reading {
    /// The same moment with another look at the disk.
    fn with(&self, index: Index) -> Self {
        Self {
            parts: self.parts.clone(),
            spec: self.spec.clone(),
            log: self.log.clone(),
            state: self.state.for_reader(Arc::new(NoStore)),
            index,
            coverage: self.coverage.clone(),
            git_rules: self.git_rules.clone(),
            root: self.root,
            conflicts: self.conflicts.clone(),
            outside_conflicts: self.outside_conflicts.clone(),
            agreements: self.agreements.clone(),
            queue_work: self.queue_work.clone(),
            queued_view: self.queued_view.clone(),
            newest_notice: self.newest_notice.clone(),
            damaged: self.damaged.clone(),
            taken_up: self.taken_up,
        }
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// A worker of its own on this moment, which changes nothing.
    pub(crate) fn reader(&self, phase: Phase) -> Worker {
        let Parts { backend, tree, watch, data, cache, outside, .. } = self.parts.clone();
        let outside = outside.of_project();
        let parts = Parts {
            backend,
            tree: Arc::new(ReadTree(tree)),
            watch: Arc::new(PeekingWatch::new(watch, self.taken_up)),
            store: Arc::new(NoStore),
            data: Arc::new(OverlayDisk::new(data)),
            cache,
            outside,
        };
        let board = StatusBoard::new(self.log.head());
        board.change(|status| status.phase = phase);
        let queue = Queue::for_reader(&parts, self.queue_work.clone());
        Worker {
            fetcher: Worker::fetcher_of(&parts, self.damaged.clone()),
            view: Worker::view_of(&self.spec, &parts),
            log: self.log.for_reader(&parts),
            spec: self.spec.clone(),
            state: self.state.for_reader(Arc::new(NoStore)),
            index: self.index.for_reader(),
            coverage: self.coverage.clone(),
            rules_unusable: None,
            git_rules: self.git_rules.clone(),
            queued_view: self.queued_view.clone(),
            queue,
            made_checkpoint: None,
            pending: Pending::new(),
            next_survey: Timestamp(0),
            next_sweep: Timestamp(0),
            root: self.root,
            conflicts: self.conflicts.clone(),
            outside_conflicts: self.outside_conflicts.clone(),
            agreements: self.agreements.clone(),
            machines: Machines::default(),
            asides_known: false,
            journal: Journal::for_reader(&parts, self.newest_notice.clone()),
            pending_stashed: Vec::new(),
            torn: std::collections::BTreeMap::new(),
            events: Events::after(self.log.head(), ""),
            published: Published::default(),
            board,
            parts,
        }
    }
}
