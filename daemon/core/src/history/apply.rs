//! What an entry does to the history, or why it is void (L6).
//!
//! The writer runs this before it appends, every reader after it has read: so
//! all come to the same history. What makes it void is told in `check`.

use std::sync::Arc;

use super::{History, PackFacts, PastVersion, Place, Placed, Snapshot, Void};
use crate::commit::{Commit, Input, PackedContent, Resolved};
use crate::{Digest, Entry, RelPath};

/// So many places of one content are kept beside the newest.
const MOST_EARLIER: usize = 7;

/// How an entry changed the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Counted,
    /// It stands in the chain and changes nothing.
    Void(Void),
}

impl History {
    /// Takes in the entry that stands at `seq`, whose bytes have `digest`.
    ///
    /// `entry` is `Err` with the reason when the bytes are no commit of
    /// format 1; an unknown format must stop the project before this is asked.
    pub fn apply(&mut self, seq: u64, digest: Digest, entry: Result<&Commit, String>) -> Applied {
        debug_assert_eq!(seq, self.head + 1, "entries are applied in order");
        let applied = match entry {
            Err(reason) => Applied::Void(Void::Unreadable(reason)),
            Ok(commit) => match self.check(commit) {
                Ok(()) => {
                    self.take(commit);
                    Applied::Counted
                }
                Err(void) => {
                    self.keep_void(commit);
                    Applied::Void(void)
                }
            },
        };
        if matches!(applied, Applied::Void(_)) {
            Arc::make_mut(&mut self.voids).insert(seq);
        }
        self.head = seq;
        self.head_digest = Some(digest);
        self.project.get_or_insert(digest);
        applied
    }

    /// Carries out a commit that was checked.
    fn take(&mut self, commit: &Commit) {
        if let Some(settings) = &commit.settings {
            self.settings = Some(settings.clone());
        }
        if commit.checkpoint.is_some_and(|new| self.vouched.is_none_or(|old| old.seq < new.seq)) {
            self.vouched = commit.checkpoint;
        }
        self.drop_packs(&commit.dropped_packs);
        self.take_packs(commit);
        // Names that leave make room for those that come.
        let (coming, leaving): (Vec<_>, Vec<_>) =
            commit.changes.iter().partition(|change| change.to.is_some());
        for change in leaving.into_iter().chain(coming) {
            self.take_change(&change.path, change.to.as_ref(), commit.seq);
        }
        for Resolved { path, inputs, .. } in &commit.resolved {
            let mut known = self.inputs.get(path).cloned().unwrap_or_default();
            known.extend(inputs.iter().map(|input| input.sha256));
            if !known.is_empty() {
                self.inputs.insert(path.clone(), known);
            }
        }
        if let Some(promote) = &commit.promote {
            for content in &promote.missing {
                self.earlier.remove(content);
                if let Some(place) = self.contents.remove(content) {
                    self.missing.insert(*content, place.pack);
                }
            }
        }
        self.moved.clone_from(&commit.moved);
        self.list_snapshot(commit);
        self.forget(&commit.forgotten);
    }

    fn take_packs(&mut self, commit: &Commit) {
        for pack in &commit.packs {
            let facts = PackFacts { sha256: pack.sha256, size: pack.size };
            self.packs.insert(pack.name, facts);
            for content in &pack.contents {
                let PackedContent { sha256, offset, stored_size, size, method } = *content;
                let place = Place { pack: pack.name, offset, stored_size, size, method };
                let before = self.contents.insert(sha256, place);
                self.keep_earlier(sha256, before, place);
                self.missing.remove(&sha256);
            }
        }
    }

    /// Keeps where a content lay that is given again: either place may turn out to
    /// be damaged (P8).
    fn keep_earlier(&mut self, content: Digest, before: Option<Place>, now: Place) {
        let Some(before) = before.filter(|before| *before != now) else { return };
        let mut earlier = self.earlier.get(&content).cloned().unwrap_or_default();
        earlier.retain(|place| *place != before && *place != now);
        earlier.insert(0, before);
        earlier.truncate(MOST_EARLIER);
        self.earlier.insert(content, earlier);
    }

    fn take_change(&mut self, path: &RelPath, to: Option<&Entry>, seq: u64) {
        let before = match to {
            Some(entry) => self.manifest.insert(path.clone(), Placed { entry: entry.clone(), seq }),
            None => self.manifest.remove(path),
        };
        self.size_bytes += to.map_or(0, |entry| entry.size);
        match (&before, to) {
            (None, Some(_)) => self.names.insert(path).expect("names were checked"),
            (Some(_), None) => drop(self.names.remove(path)),
            _ => {}
        }
        if let Some(Placed { entry, seq: since }) = before {
            self.size_bytes -= entry.size;
            self.past.push(PastVersion { path: path.clone(), entry, since, until: seq });
        }
    }

    fn list_snapshot(&mut self, commit: &Commit) {
        if !commit.action.is_snapshot() {
            return;
        }
        let inputs =
            commit.resolved.iter().flat_map(|resolved| &resolved.inputs).flat_map(Input::contents);
        let snapshot = Snapshot {
            id: commit.id,
            time: commit.time,
            user: commit.user.clone(),
            machine: commit.machine.clone(),
            action: commit.action,
            tag: commit.tag.clone(),
            message: commit.message.clone(),
            file_count: self.manifest.len() as u64,
            size_bytes: self.size_bytes,
            inputs: inputs.collect(),
        };
        self.snapshots.insert(commit.seq, snapshot);
    }
}
