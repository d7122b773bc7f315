//! Single values, each stored whole under a name of its own.
//!
//! One is encoded once a save, however often it has changed since the last: what is
//! noted file by file costs in proportion to the files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mirror_core::{Digest, RelPath, SharedMap, Timestamp};
use serde::de::DeserializeOwned;

use super::{AsideRecord, Attempt, Damage, GivenUp, Spot, State, Upload};
use crate::outside::tree::Mounts;
use crate::store::{Store, Table, encode};

/// How old what is stored of the last look may be.
const CHECKED_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    Owner,
    Machine,
    Attempt,
    GivenUp,
    Coverage,
    Deletions,
    Unprojected,
    Device,
    Asides,
    Alters,
    Recorded,
    Newest,
    Uploads,
    Mounts,
    Checked,
    Damaged,
    Refused,
    Unreadable,
    Waiting,
}

impl Fact {
    fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Machine => "machine",
            Self::Attempt => "attempt.4",
            Self::GivenUp => "given_up",
            Self::Coverage => "coverage",
            Self::Deletions => "deletions",
            Self::Unprojected => "unprojected",
            Self::Device => "device",
            Self::Asides => "asides",
            Self::Alters => "alters",
            Self::Recorded => "recorded",
            Self::Newest => "newest",
            Self::Uploads => "uploads",
            Self::Mounts => "mounts",
            Self::Checked => "checked",
            Self::Damaged => "damaged",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Waiting => "waiting",
        }
    }
}

/// `None` where there is none, or none that can be read.
pub(super) fn fact<T: DeserializeOwned>(store: &dyn Store, fact: Fact) -> Option<T> {
    let bytes = store.get(Table::Facts, fact.name().as_bytes()).ok()??;
    postcard::from_bytes(&bytes).ok()
}

/// What was found on the backend and here that no job has to find anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    damaged: Vec<((Digest, Spot), Damage)>,
    refused: SharedMap<RelPath, u64>,
    unreadable: BTreeSet<String>,
    waiting: Arc<BTreeSet<RelPath>>,
}

impl Findings {
    pub(super) fn load(store: &dyn Store) -> Self {
        Self {
            damaged: fact(store, Fact::Damaged).unwrap_or_default(),
            refused: fact(store, Fact::Refused).unwrap_or_default(),
            unreadable: fact(store, Fact::Unreadable).unwrap_or_default(),
            waiting: Arc::new(fact(store, Fact::Waiting).unwrap_or_default()),
        }
    }

    pub(super) fn for_reader(&self) -> Self {
        let (refused, waiting) = (self.refused.clone(), self.waiting.clone());
        Self { refused, waiting, ..Self::default() }
    }
}

impl State {
    pub(super) fn read_facts(&mut self) {
        let store = self.store.as_ref();
        self.attempt = fact(store, Fact::Attempt).map(Arc::new);
        self.given_up = fact(store, Fact::GivenUp).unwrap_or_default();
        self.coverage = fact::<String>(store, Fact::Coverage).map(Into::into);
        self.deletions = fact(store, Fact::Deletions).unwrap_or_default();
        self.unprojected = fact(store, Fact::Unprojected).unwrap_or_default();
        self.device = fact(store, Fact::Device).flatten();
        self.asides = fact(store, Fact::Asides).unwrap_or_default();
        self.alters = fact(store, Fact::Alters).unwrap_or_default();
        self.recorded = fact(store, Fact::Recorded).unwrap_or_default();
        self.newest = fact(store, Fact::Newest);
        self.uploads = fact(store, Fact::Uploads).unwrap_or_default();
        self.mounts = fact(store, Fact::Mounts).unwrap_or_default();
        self.checked = fact(store, Fact::Checked);
    }

    /// Adds the facts that changed to the batch that is stored next.
    pub(super) fn put_facts(&mut self) {
        for fact in std::mem::take(&mut self.changed) {
            let value = self.value_of(fact);
            self.pending.set(Table::Facts, fact.name(), value);
        }
    }

    /// As it is stored; `None` where nothing is.
    fn value_of(&self, fact: Fact) -> Option<Vec<u8>> {
        match fact {
            Fact::Owner => Some(encode(&self.owner)),
            Fact::Machine => self.machine.as_ref().map(encode),
            Fact::Attempt => self.attempt.as_deref().map(encode),
            Fact::GivenUp => Some(encode(&self.given_up)),
            Fact::Coverage => self.coverage.as_deref().map(|text| encode(&text)),
            Fact::Deletions => Some(encode(&self.deletions)),
            Fact::Unprojected => Some(encode(&self.unprojected)),
            Fact::Device => Some(encode(&self.device)),
            Fact::Asides => Some(encode(&self.asides)),
            Fact::Alters => Some(encode(&self.alters)),
            Fact::Recorded => Some(encode(&self.recorded)),
            Fact::Newest => self.newest.as_ref().map(encode),
            Fact::Uploads => Some(encode(&self.uploads)),
            Fact::Mounts => Some(encode(&self.mounts)),
            Fact::Checked => self.checked.as_ref().map(encode),
            Fact::Damaged => Some(encode(&self.findings.damaged)),
            Fact::Refused => Some(encode(&self.findings.refused)),
            Fact::Unreadable => Some(encode(&self.findings.unreadable)),
            Fact::Waiting => Some(encode(self.findings.waiting.as_ref())),
        }
    }

    pub fn attempt(&self) -> Option<&Arc<Attempt>> {
        self.attempt.as_ref()
    }

    pub fn set_attempt(&mut self, attempt: Option<Arc<Attempt>>) {
        self.attempt = attempt;
        self.changed.insert(Fact::Attempt);
    }

    /// Has the open attempt sent no more, and known should it arrive.
    pub fn give_up_attempt(&mut self) {
        let Some(attempt) = self.attempt.take() else { return };
        let (seq, id, changes) = (attempt.seq, attempt.id, attempt.changes.clone());
        self.given_up.push(GivenUp { seq, id, changes });
        self.changed.extend([Fact::Attempt, Fact::GivenUp]);
    }

    pub fn given_up(&self) -> &[GivenUp] {
        &self.given_up
    }

    /// Forgets those whose place is filled by `head`.
    pub fn forget_given_up(&mut self, head: u64) {
        self.given_up.retain(|given_up| given_up.seq > head);
        self.changed.insert(Fact::GivenUp);
    }

    /// The device on which files were last agreed on.
    pub fn device(&self) -> Option<u64> {
        self.device
    }

    /// Whether the root is on another device than when files were last agreed on.
    pub fn is_elsewhere(&self, (device, _): (u64, u64)) -> bool {
        self.device.is_some_and(|known| known != device)
    }

    /// Files were agreed on in this folder.
    pub fn set_root(&mut self, root: Option<(u64, u64)>) {
        let device = root.map(|(device, _)| device);
        if self.device != device {
            self.changed.insert(Fact::Device);
            self.device = device;
        }
        if self.owner.identity.is_none() || self.owner.is_on_other_device(root) {
            self.owner.identity = root;
            self.changed.insert(Fact::Owner);
        }
    }

    /// What was covered at the last observation (B7), as JSON.
    pub fn coverage(&self) -> Option<&str> {
        self.coverage.as_deref()
    }

    pub fn set_coverage(&mut self, coverage: String) {
        self.coverage = Some(coverage.into());
        self.changed.insert(Fact::Coverage);
    }

    pub fn forget_coverage(&mut self) {
        self.coverage = None;
        self.changed.insert(Fact::Coverage);
    }

    /// Times of this project's latest deletions, in milliseconds (B12).
    pub fn deletions(&self) -> &[i64] {
        &self.deletions
    }

    pub fn set_deletions(&mut self, deletions: Vec<i64>) {
        if self.deletions != deletions {
            self.changed.insert(Fact::Deletions);
            self.deletions = deletions;
        }
    }

    /// Paths that this machine committed and the view may not show yet (V1).
    pub fn unprojected(&self) -> &BTreeSet<RelPath> {
        &self.unprojected
    }

    pub fn add_unprojected(&mut self, paths: impl Iterator<Item = RelPath>) {
        for path in paths {
            if self.unprojected.insert(path) {
                self.changed.insert(Fact::Unprojected);
            }
        }
    }

    pub fn set_unprojected(&mut self, paths: BTreeSet<RelPath>) {
        if self.unprojected != paths {
            self.changed.insert(Fact::Unprojected);
            self.unprojected = paths;
        }
    }

    /// View files moved aside whose contents the log may not have, by place.
    pub fn asides(&self) -> &BTreeMap<String, AsideRecord> {
        &self.asides
    }

    pub fn set_aside(&mut self, place: &str, aside: Option<AsideRecord>) {
        if self.asides.get(place) == aside.as_ref() {
            return;
        }
        match aside {
            Some(aside) => drop(self.asides.insert(place.to_owned(), aside)),
            None => drop(self.asides.remove(place)),
        }
        self.changed.insert(Fact::Asides);
    }

    /// How far this machine had read when it last said so on the backend (B5).
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    pub fn set_recorded(&mut self, seq: u64) {
        if self.recorded != seq {
            self.changed.insert(Fact::Recorded);
            self.recorded = seq;
        }
    }

    /// The newest entry of the log that anything here was stored after (L7).
    pub fn newest(&self) -> Option<(u64, Digest)> {
        self.newest
    }

    /// Goes into the batch that relies on it, if there is one. A copy of the log
    /// that lost its end takes nothing back.
    pub fn set_newest(&mut self, seq: u64, digest: Digest) {
        let is_newer = self.newest.is_none_or(|(newest, _)| newest < seq);
        if is_newer && self.has_changed() {
            self.newest = Some((seq, digest));
            self.changed.insert(Fact::Newest);
        }
    }

    /// Packs whose commit was not sent (P7): nobody else knows of them.
    pub fn uploads(&self) -> &[Upload] {
        &self.uploads
    }

    pub fn set_uploads(&mut self, uploads: Vec<Upload>) {
        if self.uploads != uploads {
            self.changed.insert(Fact::Uploads);
            self.uploads = uploads;
        }
    }

    /// What was mounted where below the root when its files were seen (B18).
    pub(crate) fn mounts(&self) -> &Mounts {
        &self.mounts
    }

    pub(crate) fn set_mounts(&mut self, mounts: &Mounts) {
        if self.mounts != *mounts {
            self.changed.insert(Fact::Mounts);
            self.mounts = mounts.clone();
        }
    }

    /// When the head was last known to be the head, also before a restart.
    pub fn checked(&self) -> Option<Timestamp> {
        self.checked
    }

    pub fn set_checked(&mut self, at: Timestamp) {
        if self.checked != Some(at) {
            self.changed.insert(Fact::Checked);
            self.checked = Some(at);
        }
    }

    /// The same to a minute: what nothing relies on is not written at each look.
    pub fn note_checked(&mut self, at: Timestamp) {
        let apart = |known: Timestamp| at.milliseconds().abs_diff(known.milliseconds());
        if self.checked.is_none_or(|known| apart(known) >= CHECKED_MS) {
            self.set_checked(at);
        }
    }

    /// Whether the backend gives other bytes back than it was given (V7).
    pub fn alters(&self) -> bool {
        self.alters
    }

    pub fn set_alters(&mut self) {
        if !std::mem::replace(&mut self.alters, true) {
            self.changed.insert(Fact::Alters);
        }
    }

    /// Contents that were found damaged on the backend (P8).
    pub fn damaged(&self) -> &[((Digest, Spot), Damage)] {
        &self.findings.damaged
    }

    pub fn set_damaged(&mut self, damaged: Vec<((Digest, Spot), Damage)>) {
        self.changed.insert(Fact::Damaged);
        self.findings.damaged = damaged;
    }

    /// Links of the head that may not stand here, with the commit that brought each.
    pub fn refused(&self) -> &SharedMap<RelPath, u64> {
        &self.findings.refused
    }

    pub fn set_refused(&mut self, path: &RelPath, seq: u64) {
        self.findings.refused.insert(path.clone(), seq);
        self.changed.insert(Fact::Refused);
    }

    /// Paths whose loss a job without a person left undone (B12), unless it is none
    /// any more.
    pub fn waiting(&self) -> &BTreeSet<RelPath> {
        &self.findings.waiting
    }

    pub fn set_waiting(&mut self, waiting: BTreeSet<RelPath>) {
        if *self.findings.waiting != waiting {
            self.changed.insert(Fact::Waiting);
            self.findings.waiting = Arc::new(waiting);
        }
    }

    /// What can't be read in the view, as far as it was said (V9).
    pub fn unreadable(&self) -> &BTreeSet<String> {
        &self.findings.unreadable
    }

    pub fn set_unreadable(&mut self, unreadable: BTreeSet<String>) {
        if self.findings.unreadable != unreadable {
            self.changed.insert(Fact::Unreadable);
            self.findings.unreadable = unreadable;
        }
    }
}
