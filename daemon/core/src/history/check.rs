//! The rules by which an entry counts or is void (L6).
//!
//! They belong to format 1: whoever changes one changes which entries count.
//! Each costs in proportion to the entry, never to the history; only a gc,
//! which is rare, looks at everything.

use std::collections::{BTreeMap, BTreeSet};

use super::{History, MAX_SIZE, PackFacts, Place, Void, tags};
use crate::commit::{Action, Commit, Input, Method, PackedContent};
use crate::{Chunk, Digest, Entry, Kind, RelPath, Ulid};

/// How many bytes a deflated content may take beyond twice its size: without a
/// bound, a small content could ask a reader to hold a whole pack.
const MAX_OVERHEAD: u64 = 64 << 10;

/// Deflate cannot shrink more than 1,032 to 1; a content that claims more
/// would be a bomb.
const MAX_INFLATION: u64 = 1_040;

/// Links are stored as the text of their target.
const MAX_LINK_BYTES: u64 = 4_095;

impl History {
    /// Says whether `commit` would count as the next entry. Leaves the history
    /// as it is; `&mut` because names are tried out and taken back.
    pub fn check(&mut self, commit: &Commit) -> Result<(), Void> {
        self.check_place(commit)?;
        self.check_shape(commit)?;
        self.check_packs(commit)?;
        self.check_changes(commit)?;
        self.check_names(commit)?;
        self.check_contents(commit)?;
        self.check_snapshots(commit)?;
        self.check_gc(commit)
    }

    fn check_place(&self, commit: &Commit) -> Result<(), Void> {
        if self.moved.is_some() {
            return Err(Void::AfterMoved);
        }
        if commit.seq != self.head + 1 {
            return Err(Void::WrongSeq { said: commit.seq, stands: self.head + 1 });
        }
        if commit.parent != self.head_digest {
            return Err(Void::WrongParent);
        }
        Ok(())
    }

    /// Fields that go with one action only, and the settings themselves.
    fn check_shape(&self, commit: &Commit) -> Result<(), Void> {
        let first = commit.seq == 1;
        let shape = |holds: bool, what| if holds { Ok(()) } else { Err(Void::Shape(what)) };
        shape(!first || commit.settings.is_some(), "the first entry has no settings")?;
        shape(first || self.settings.is_some(), "the first entry is void, so there is no project")?;
        let may_set = first || commit.action == Action::Settings;
        shape(may_set || commit.settings.is_none(), "only a settings commit changes settings")?;
        let gc = commit.action == Action::Gc;
        shape(gc || commit.dropped_packs.is_empty(), "only a gc commit drops packs")?;
        let forget = commit.action == Action::Forget;
        shape(forget || commit.forgotten.is_empty(), "only a forget commit forgets snapshots")?;
        let promote = commit.action == Action::Promote;
        shape(promote == commit.promote.is_some(), "promote goes with its own action only")?;
        let moved = commit.action == Action::Moved;
        shape(moved == commit.moved.is_some(), "moved goes with its own action only")?;
        let changes = commit.action.is_snapshot() || commit.changes.is_empty();
        shape(changes, "only a snapshot changes files")?;
        let vouches = commit.checkpoint.is_none_or(|checkpoint| checkpoint.seq < commit.seq);
        shape(vouches, "it vouches for a checkpoint of the future")?;
        match &commit.settings {
            None => Ok(()),
            Some(settings) => settings.check().map_err(Void::Shape),
        }
    }

    fn check_packs(&self, commit: &Commit) -> Result<(), Void> {
        let dropped: BTreeSet<&Ulid> = commit.dropped_packs.iter().collect();
        let mut brought = BTreeMap::new();
        for pack in &commit.packs {
            let refuse = |what| Err(Void::Pack { name: pack.name, what });
            if self.dead_packs.contains(&pack.name) || dropped.contains(&pack.name) {
                return refuse("it was dropped, and its name is dead");
            }
            let facts = PackFacts { sha256: pack.sha256, size: pack.size };
            if self.packs.get(&pack.name).is_some_and(|known| *known != facts) {
                return refuse("an earlier commit describes it otherwise");
            }
            if brought.insert(pack.name, facts).is_some_and(|before| before != facts) {
                return refuse("it is described in two ways");
            }
            if pack.size > MAX_SIZE {
                return refuse("its size is absurd");
            }
            for content in &pack.contents {
                check_packed(content, pack.size)
                    .map_err(|what| Void::Content { content: content.sha256, what })?;
            }
        }
        Ok(())
    }

    fn check_changes(&self, commit: &Commit) -> Result<(), Void> {
        let mut seen = BTreeSet::new();
        // Too wide to overflow, however many sizes a commit claims.
        let (mut coming, mut leaving) = (u128::from(self.size_bytes), 0_u128);
        for change in &commit.changes {
            let path = &change.path;
            let refuse = |what| Err(Void::Path { path: path.clone(), what });
            if !seen.insert(path) {
                return refuse("it is changed twice");
            }
            let current = self.manifest.get(path).map(|placed| &placed.entry);
            if change.from != current.map(|entry| entry.sha256) {
                return refuse("it does not replace the version at the head");
            }
            match &change.to {
                None if current.is_none() => return refuse("it is removed, but was not there"),
                None => {}
                Some(entry) => {
                    check_entry(entry).map_err(|what| Void::Path { path: path.clone(), what })?;
                }
            }
            coming += change.to.as_ref().map_or(0, |entry| u128::from(entry.size));
            leaving += current.map_or(0, |entry| u128::from(entry.size));
        }
        if coming - leaving > u128::from(MAX_SIZE) {
            return Err(Void::Shape("the sizes of all files add up to something absurd"));
        }
        Ok(())
    }

    /// Tries the new names out and takes them back.
    fn check_names(&mut self, commit: &Commit) -> Result<(), Void> {
        let leaving: Vec<&RelPath> =
            commit.changes.iter().filter(|c| c.to.is_none()).map(|c| &c.path).collect();
        let coming = commit.changes.iter().filter(|c| c.to.is_some() && c.from.is_none());
        for path in &leaving {
            self.names.remove(path);
        }
        let mut came = Vec::new();
        let mut clash = Ok(());
        for change in coming {
            match self.names.insert(&change.path) {
                Ok(()) => came.push(&change.path),
                Err(found) => {
                    clash = Err(found.into());
                    break;
                }
            }
        }
        for path in came {
            self.names.remove(path);
        }
        for path in leaving {
            self.names.insert(path).expect("names that stood side by side still do");
        }
        clash
    }

    /// Every content that the commit refers to is there after it, with the
    /// size it is said to have.
    fn check_contents(&self, commit: &Commit) -> Result<(), Void> {
        let brought = brought_sizes(commit)?;
        let dropped: BTreeSet<&Ulid> = commit.dropped_packs.iter().collect();
        let size_of = |content: &Digest| {
            let kept = |place: &&Place| !dropped.contains(&place.pack);
            let known = self.places(*content).find(kept).map(|place| place.size);
            brought.get(content).copied().or(known)
        };
        for (content, size) in &brought {
            if self.contents.get(content).is_some_and(|place| place.size != *size) {
                let what = "an earlier commit gives it another size";
                return Err(Void::Content { content: *content, what });
            }
        }
        let entries = commit.changes.iter().filter_map(|change| change.to.as_ref());
        let entries = entries.map(|entry| (entry.sha256, entry.size, entry.chunks.as_deref()));
        let inputs = || commit.resolved.iter().flat_map(|resolved| &resolved.inputs);
        for Input { sha256, size, chunks, .. } in inputs() {
            check_size(*size, chunks.as_deref())
                .map_err(|what| Void::Content { content: *sha256, what })?;
        }
        let inputs = inputs().map(|input| (input.sha256, input.size, input.chunks.as_deref()));
        for (whole, size, chunks) in entries.chain(inputs) {
            for (content, size) in parts(whole, size, chunks) {
                let refuse = |what| Err(Void::Content { content, what });
                match size_of(&content) {
                    None => return refuse("no pack holds it"),
                    Some(stored) if stored != size => {
                        return refuse("it has another size in its pack");
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    fn check_snapshots(&self, commit: &Commit) -> Result<(), Void> {
        for seq in &commit.forgotten {
            if !self.snapshots.contains_key(seq) {
                return Err(Void::NoSnapshot(*seq));
            }
        }
        match &commit.tag {
            Some(tag) if !commit.action.is_snapshot() || !tags::is_allowed(tag) => {
                Err(Void::Tag(tag.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// The contents that the commit's own packs bring, with their sizes.
fn brought_sizes(commit: &Commit) -> Result<BTreeMap<Digest, u64>, Void> {
    let mut sizes = BTreeMap::new();
    for content in commit.packs.iter().flat_map(|pack| &pack.contents) {
        let before = sizes.insert(content.sha256, content.size);
        if before.is_some_and(|size| size != content.size) {
            let what = "its packs give it two sizes";
            return Err(Void::Content { content: content.sha256, what });
        }
    }
    Ok(sizes)
}

/// What must be readable for one content, with the sizes that are said: its
/// chunks, or itself.
fn parts(whole: Digest, size: u64, chunks: Option<&[Chunk]>) -> Vec<(Digest, u64)> {
    match chunks {
        None => vec![(whole, size)],
        Some(chunks) => chunks.iter().map(|chunk| (chunk.sha256, chunk.size)).collect(),
    }
}

fn check_packed(content: &PackedContent, pack_size: u64) -> Result<(), &'static str> {
    let end = content.offset.checked_add(content.stored_size);
    if end.is_none_or(|end| end > pack_size) {
        return Err("it reaches beyond its pack");
    }
    if content.size > MAX_SIZE {
        return Err("its size is absurd");
    }
    match content.method {
        // Deflate never needs more than a few bytes a block above the content.
        Method::Deflated if content.stored_size > content.size.saturating_mul(2) + MAX_OVERHEAD => {
            Err("it takes absurdly much room")
        }
        Method::Stored if content.stored_size != content.size => {
            Err("it is stored as it is, but with another size")
        }
        Method::Deflated if content.size > content.stored_size.saturating_mul(MAX_INFLATION) => {
            Err("its size is absurd")
        }
        _ => Ok(()),
    }
}

fn check_entry(entry: &Entry) -> Result<(), &'static str> {
    let has_modes = entry.exec || entry.private;
    if entry.kind == Kind::Link
        && (entry.size > MAX_LINK_BYTES || entry.chunks.is_some() || has_modes)
    {
        return Err("it is not like a link");
    }
    check_size(entry.size, entry.chunks.as_deref())
}

fn check_size(size: u64, chunks: Option<&[Chunk]>) -> Result<(), &'static str> {
    if size > MAX_SIZE {
        return Err("its size is absurd");
    }
    let Some(chunks) = chunks else { return Ok(()) };
    let sum = chunks.iter().try_fold(0_u64, |sum, chunk| sum.checked_add(chunk.size));
    if sum == Some(size) { Ok(()) } else { Err("its chunks do not add up to its size") }
}
