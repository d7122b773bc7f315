//! What must hold once all is healed and everybody has synced.
//!
//! - Every id that no writer took away is in a working tree, the log's
//!   contents, the stash, a pending conflict, the queue, the view or an aside.
//! - The trees and the view equal the head, but for what is shown to wait for
//!   a person.
//! - Every content is one that somebody wrote, or a merge of such.
//! - The chain is whole: no void entry, no name gone, every content readable,
//!   every commit that a job named in its place.
//! - It is quiet: another round changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use bytes::Bytes;
use flate2::read::DeflateDecoder;
use mirror_core::commit::{Commit, Method, entry_name, pack_name};
use mirror_core::history::Applied;
use mirror_core::{Digest, History, Kind, RelPath};
use mirror_engine::Report;
use mirror_storage::RemotePath;

use crate::op::{Answer, Op};
use crate::service::content;
use crate::storm::Storm;
use crate::writers::{Id, ids_in, spelled};

/// What the log says, read afresh.
#[derive(Debug)]
pub(crate) struct Truth {
    history: History,
    commits: Vec<Commit>,
    contents: BTreeMap<Digest, Bytes>,
}

/// What the last round of one machine said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) report: Report,
    /// Paths that are shown to wait for a person.
    pub(crate) waiting: BTreeSet<String>,
    /// Paths that wait for somebody to agree to what they bring (B16).
    pub(crate) held: BTreeSet<String>,
}

impl Told {
    /// Whether a path need not be the head's: somebody has yet to decide.
    pub(crate) fn waits(&self, path: &str) -> bool {
        self.waiting.contains(path) || self.held.contains(path)
    }
}

impl Storm {
    pub(crate) fn reads_log(&self) -> Truth {
        let mut truth =
            Truth { history: History::new(), commits: Vec::new(), contents: BTreeMap::new() };
        for seq in 1.. {
            let path = RemotePath::new(format!("_mirror/{}", entry_name(seq))).expect("our own");
            let Some(bytes) = content(&self.world, &path) else { break };
            let commit = match Commit::parse(&bytes) {
                Ok(commit) => commit,
                Err(error) => return self.lacks(truth, format!("entry {seq}: {error}")),
            };
            if let Applied::Void(why) = truth.history.apply(seq, Digest::of(&bytes), Ok(&commit)) {
                self.world.finds(format!("entry {seq} of {} is void: {why}", commit.machine));
            }
            for pack in &commit.packs {
                self.reads_pack(pack, &mut truth.contents);
            }
            truth.commits.push(commit);
        }
        truth
    }

    fn lacks(&self, truth: Truth, what: String) -> Truth {
        self.world.finds(what);
        truth
    }

    fn reads_pack(&self, pack: &mirror_core::commit::Pack, contents: &mut BTreeMap<Digest, Bytes>) {
        let path =
            RemotePath::new(format!("_mirror/{}", pack_name(pack.name))).expect("our own names");
        let Some(bytes) = content(&self.world, &path) else {
            return self.world.finds(format!("P: the pack {} is gone", pack.name));
        };
        for packed in &pack.contents {
            let place = usize::try_from(packed.offset).unwrap_or(usize::MAX);
            let size = usize::try_from(packed.stored_size).unwrap_or(usize::MAX);
            let stored = place.checked_add(size).and_then(|end| bytes.get(place..end));
            let unpacked = stored.and_then(|stored| match packed.method {
                Method::Stored => Some(stored.to_vec()),
                Method::Deflated => {
                    let mut out = Vec::new();
                    DeflateDecoder::new(stored).read_to_end(&mut out).ok().map(|_| out)
                }
            });
            match unpacked.filter(|unpacked| Digest::of(unpacked) == packed.sha256) {
                Some(unpacked) => drop(contents.insert(packed.sha256, unpacked.into())),
                None => self.world.finds(format!("P: {} can't be unpacked", packed.sha256)),
            }
        }
    }

    pub(crate) fn checks_commits(&self, truth: &Truth) {
        for (seq, id) in &self.acknowledged {
            let stands = truth.commits.iter().find(|commit| commit.seq == *seq);
            if stands.is_none_or(|stands| stands.id != *id) {
                self.world.finds(format!("commit {seq}, which a job said stands, does not"));
            }
        }
        let writers = self.world.writers();
        // Who has such a version may bring it again after a deletion, when nobody
        // has to merge anything any more (B5).
        let mut merged_before = BTreeSet::new();
        for commit in &truth.commits {
            for change in &commit.changes {
                let Some(entry) = &change.to else { continue };
                let (seq, path) = (commit.seq, &change.path);
                let Some(bytes) = truth.contents.get(&entry.sha256) else {
                    self.world.finds(format!("the content of {path} in #{seq} can't be read"));
                    continue;
                };
                let merged = commit.resolved.iter().any(|resolved| resolved.path == *path)
                    && writers.wrote_every_line(bytes);
                if merged {
                    merged_before.insert((path, entry.sha256));
                }
                if !writers.wrote(bytes) && !merged_before.contains(&(path, entry.sha256)) {
                    self.world.finds(format!("nobody wrote {path} of #{seq}: {bytes:?}"));
                }
            }
            for input in commit.resolved.iter().flat_map(|resolved| &resolved.inputs) {
                if !truth.contents.contains_key(&input.sha256) {
                    self.world.finds(format!("an input of a merge in #{} is gone", commit.seq));
                }
            }
        }
    }

    pub(crate) fn checks_trees(&self, truth: &Truth, told: &[Told]) {
        let head = truth.head();
        for (machine, told) in self.machines.iter().zip(told) {
            let files = machine.ground.contents();
            let paths: BTreeSet<&String> = head.keys().chain(files.keys()).collect();
            for path in paths.into_iter().filter(|path| !told.waits(path)) {
                let here = files.get(path).map(|bytes| Digest::of(bytes));
                if here != head.get(path).copied() {
                    self.world
                        .finds(format!("{path} on machine {} is not the head's", machine.index));
                }
            }
            let writers = self.world.writers();
            for (path, bytes) in &files {
                if !writers.wrote(bytes) && !truth.contents.contains_key(&Digest::of(bytes)) {
                    self.world.finds(format!("{path} on machine {} is torn", machine.index));
                }
            }
            drop(writers);
            let temps = machine.ground.temps();
            // Nobody knows of them any more once the state is lost.
            if !temps.is_empty() && !self.world.ledger().has_forgotten(machine.index) {
                self.world.finds(format!("left on machine {}: {temps:?}", machine.index));
            }
        }
    }

    /// What one place alone ever wrote has nothing to be in conflict with, as
    /// long as no machine sends again what it has forgotten (B5).
    pub(crate) fn checks_conflicts(&self, told: &[Told]) {
        if self.world.ledger().has_any_forgotten() {
            return;
        }
        for (machine, told) in self.machines.iter().zip(told) {
            let lone = told.waiting.iter().filter(|path| self.world.writers().has_one_writer(path));
            for path in lone {
                let index = machine.index;
                self.world.finds(format!("{path} waits on machine {index}, and has one writer"));
            }
        }
    }

    pub(crate) fn checks_view(&self, truth: &Truth, told: &[Told]) {
        let head = truth.head();
        let shown: BTreeSet<&str> = told
            .iter()
            .flat_map(|told| {
                let notices = told.report.notices.iter().filter_map(|notice| notice.path.as_ref());
                let waiting = told.waiting.iter().map(String::as_str);
                notices.map(RelPath::as_str).chain(waiting)
            })
            .collect();
        let view = self.files_below("");
        let paths: BTreeSet<&String> = head.keys().chain(view.keys()).collect();
        for path in paths.into_iter().filter(|path| !shown.contains(path.as_str())) {
            let here = view.get(path).map(|bytes| Digest::of(bytes));
            if here != head.get(path).copied() {
                self.world.finds(format!("{path} in the view is not the head's"));
            }
        }
    }

    fn files_below(&self, folder: &str) -> BTreeMap<String, Bytes> {
        let folder = RemotePath::new(folder).expect("our own names");
        let Ok(Answer::List(files)) = Op::List(folder).carry_out(&self.world.files) else {
            return BTreeMap::new();
        };
        let read = |path: RemotePath| {
            let bytes = content(&self.world, &path)?;
            Some((path.as_str().to_owned(), bytes))
        };
        files.into_iter().filter_map(|file| read(file.path)).collect()
    }

    pub(crate) fn checks_ids(&self, truth: &Truth) {
        let found = self.ids_everywhere(truth, |_, _| true);
        for (id, birth) in self.world.writers().living() {
            if !found.contains(&id) {
                self.world.finds(format!("lost: {}, written on {birth}", spelled(id)));
            }
        }
    }

    /// What a disk lost of people's writing is no loss of ours where nothing but
    /// that disk ever had it.
    pub(crate) fn forgives(&self, lost: &BTreeSet<Id>) {
        if lost.is_empty() || self.world.ledger().is_broken() {
            return;
        }
        let found = self.ids_everywhere(&self.reads_log(), is_kept_for_good);
        for id in lost.difference(&found) {
            self.world.writers().lose(*id);
        }
    }

    /// Of the machines' own files those that `counts` names.
    fn ids_everywhere(
        &self,
        truth: &Truth,
        counts: impl Fn(&str, &[(String, Vec<u8>)]) -> bool,
    ) -> BTreeSet<Id> {
        let mut found: BTreeSet<Id> = BTreeSet::new();
        for bytes in truth.contents.values() {
            found.extend(ids_in(bytes));
        }
        for machine in &self.machines {
            for bytes in machine.ground.contents().values() {
                found.extend(ids_in(bytes));
            }
            let kept = machine.data.contents();
            for (_, bytes) in kept.iter().filter(|(name, _)| counts(name, &kept)) {
                found.extend(ids_in(bytes));
            }
        }
        for folder in ["", "_mirror/aside"] {
            for bytes in self.files_below(folder).values() {
                found.extend(ids_in(bytes));
            }
        }
        found
    }
}

/// Whether the daemon has taken on a file of its own folder: a conflict's copy of
/// the version here follows what stands in the tree, and what a push is queued
/// with counts once its record names it.
fn is_kept_for_good(name: &str, all: &[(String, Vec<u8>)]) -> bool {
    let names = |record: &[u8], digest: &str| String::from_utf8_lossy(record).contains(digest);
    match name.split_once('/') {
        Some(("conflicts", _)) => false,
        Some(("queue", digest)) => {
            // A content has its digest for a name, and no extension.
            let is_record = |name: &str| {
                name.starts_with("queue/") && std::path::Path::new(name).extension().is_some()
            };
            all.iter().any(|(record, bytes)| is_record(record) && names(bytes, digest))
        }
        _ => true,
    }
}

impl Truth {
    /// The files at the head by their digests.
    fn head(&self) -> BTreeMap<String, Digest> {
        let files = self.history.manifest().iter();
        files
            .filter(|(_, placed)| placed.entry.kind == Kind::File)
            .map(|(path, placed)| (path.as_str().to_owned(), placed.entry.sha256))
            .collect()
    }
}
