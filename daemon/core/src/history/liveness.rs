//! Which contents a project still needs (P3), and what forgetting lets go.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{History, PastVersion, Place, Void};
use crate::commit::{Commit, Input};
use crate::{Digest, Entry, Ulid};

impl History {
    /// Every content that the head, a listed snapshot, a merge input of one,
    /// or a void entry refers to, chunk by chunk.
    pub fn live_contents(&self) -> BTreeSet<Digest> {
        let mut live = BTreeSet::clone(&self.void_contents);
        for entry in self.live_entries() {
            live.extend(entry.contents());
        }
        live.extend(self.snapshots.values().flat_map(|snapshot| &snapshot.inputs));
        live
    }

    fn live_entries(&self) -> impl Iterator<Item = &Entry> {
        let current = self.manifest.values().map(|placed| &placed.entry);
        let listed = |since: u64, until: u64| self.snapshots.range(since..until).next().is_some();
        let past = self.past.iter().filter(move |past| listed(past.since, past.until));
        current.chain(past.map(|past| &past.entry))
    }

    /// A gc may drop only what nothing needs, or what it gives elsewhere. It is the
    /// newest place of a content that counts: one before it may be why that was given
    /// again (P8).
    pub(super) fn check_gc(&self, commit: &Commit) -> Result<(), Void> {
        if commit.dropped_packs.is_empty() {
            return Ok(());
        }
        for name in &commit.dropped_packs {
            if self.void_packs.contains(name) {
                return Err(Void::Pack { name: *name, what: "a void entry refers to it" });
            }
        }
        let missing = self.missing.values().find(|pack| commit.dropped_packs.contains(pack));
        if let Some(name) = missing {
            return Err(Void::Pack { name: *name, what: "a promote could not read all of it" });
        }
        let given: BTreeSet<Digest> =
            commit.packs.iter().flat_map(|pack| &pack.contents).map(|c| c.sha256).collect();
        let dropped: BTreeSet<Ulid> = commit.dropped_packs.iter().copied().collect();
        let lost = self
            .contents
            .iter()
            .filter(|(content, place)| dropped.contains(&place.pack) && !given.contains(content))
            .map(|(content, _)| *content);
        let live = self.live_contents();
        for content in lost {
            if live.contains(&content) {
                return Err(Void::Content {
                    content,
                    what: "it is still needed, and not given again",
                });
            }
        }
        Ok(())
    }

    pub(super) fn drop_packs(&mut self, dropped: &[Ulid]) {
        if dropped.is_empty() {
            return;
        }
        let dropped: BTreeSet<Ulid> = dropped.iter().copied().collect();
        let goes = |place: &Place| dropped.contains(&place.pack);
        let newest = self.contents.iter().filter(|(_, place)| goes(place)).map(|(it, _)| *it);
        let earlier = self.earlier.iter().filter(|(_, places)| places.iter().any(goes));
        let touched: BTreeSet<Digest> = newest.chain(earlier.map(|(it, _)| *it)).collect();
        for content in touched {
            let stays = self.places(content).copied().filter(|place| !goes(place));
            self.set_places(content, stays.collect());
        }
        self.packs.retain(|name, _| !dropped.contains(name));
        Arc::make_mut(&mut self.dead_packs).extend(dropped);
    }

    /// Has a content lie in these places, the newest first, or nowhere.
    fn set_places(&mut self, content: Digest, mut places: Vec<Place>) {
        if places.is_empty() {
            self.contents.remove(&content);
            self.earlier.remove(&content);
            return;
        }
        self.contents.insert(content, places.remove(0));
        match places.is_empty() {
            true => drop(self.earlier.remove(&content)),
            false => drop(self.earlier.insert(content, places)),
        }
    }

    /// Takes snapshots off the list, and with them the versions that no other
    /// listed snapshot has.
    pub(super) fn forget(&mut self, forgotten: &[u64]) {
        if forgotten.is_empty() {
            return;
        }
        for seq in forgotten {
            self.snapshots.remove(seq);
        }
        let snapshots = &self.snapshots;
        let listed = |past: &PastVersion| snapshots.range(past.since..past.until).next().is_some();
        let pruned = self.past.iter().filter(|past| !listed(past)).map(|past| &past.path);
        let gone = pruned.filter(|path| !self.manifest.contains_key(*path)).cloned();
        Arc::make_mut(&mut self.gone).extend(gone);
        self.past = self.past.iter().filter(|past| listed(past)).cloned().collect();
    }

    /// Keeps what a void entry refers to from ever counting as garbage.
    pub(super) fn keep_void(&mut self, commit: &Commit) {
        Arc::make_mut(&mut self.void_packs).extend(commit.packs.iter().map(|pack| pack.name));
        let packed = commit.packs.iter().flat_map(|pack| &pack.contents).map(|c| c.sha256);
        let entries = commit.changes.iter().filter_map(|change| change.to.as_ref());
        let inputs = commit.resolved.iter().flat_map(|resolved| &resolved.inputs);
        let inputs = inputs.flat_map(Input::contents);
        let contents = packed.chain(entries.flat_map(Entry::contents)).chain(inputs);
        Arc::make_mut(&mut self.void_contents).extend(contents);
    }
}
