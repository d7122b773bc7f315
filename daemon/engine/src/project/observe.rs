//! The first step of every job: what is on the disk, and what is known of
//! each path on all three sides.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use mirror_core::history::Placed;
use mirror_core::patterns::{Coverage, CoverageSource, MEMORY_FOLDER, Memories, Side};
use mirror_core::plan::{Root, Selection};
use mirror_core::reconcile::{BaseFact, Facts, LocalTraits, Past, Sighted};
use mirror_core::{History, RelPath, SharedMap};

use crate::api::{ConflictKind, EngineResult};
use crate::index::Indexed;
use crate::outside::Stamp;
use crate::planted;
use crate::planted::Rule;
use crate::project::worker::Worker;
use crate::project::worker::privacy::privacy_of;
use crate::state::BaseRecord;

/// Rules that were just found may hide others: so often they are asked anew.
const RULES_OF_RULES: usize = 8;

/// What is known of each path, by path.
pub(crate) type FactMap = BTreeMap<RelPath, Facts>;

/// What the log says about local contents whose base is unknown (B5).
struct Pasts<'a>(&'a History);

impl Pasts<'_> {
    fn unknown(&self, path: &RelPath, local: Option<mirror_core::State>) -> BaseFact {
        match self.0.manifest().get(path).map(Placed::sighted) {
            Some(Sighted { state, seq }) if !planted::stands(Rule::B5) => {
                BaseFact::Known { state, seq }
            }
            _ => BaseFact::Unknown(self.of(path, local)),
        }
    }

    fn of(&self, path: &RelPath, local: Option<mirror_core::State>) -> Past {
        let is_known = || self.0.past().has(path) || self.0.has_forgotten(path);
        match self.0.manifest().get(path) {
            None if is_known() => Past::DeletedAtHead,
            None => Past::NeverThere,
            Some(placed) if self.was_before(placed.seq, path, local) => Past::Earlier,
            Some(_) => Past::Other,
        }
    }

    /// Whether `local` is a version from since the path last came into being,
    /// and still readable.
    fn was_before(
        &self,
        mut until: u64,
        path: &RelPath,
        local: Option<mirror_core::State>,
    ) -> bool {
        for version in self.0.past_of(path) {
            if version.until != until {
                return false;
            }
            if Some(version.entry.state()) == local {
                let contents = version.entry.contents();
                return contents.iter().all(|content| self.0.place(*content).is_some());
            }
            until = version.since;
        }
        false
    }
}

impl Worker {
    /// Looks at the disk: everything that was saved before this call is seen
    /// afterwards ("read your writes").
    pub(crate) async fn observe_disk(&mut self) -> EngineResult<(Root, Vec<RelPath>)> {
        let root = self.look_at_root().await?;
        if root == Root::Missing {
            return Ok((root, Vec::new()));
        }
        let before = (root == Root::OtherDevice).then(|| self.index.entries().clone());
        let mut left = RULES_OF_RULES;
        let (coverage, refreshed) = loop {
            self.refresh_coverage().await?;
            let coverage = self.coverage.clone().expect("coverage was just made");
            let Worker { index, parts, .. } = self;
            let refreshed =
                index.refresh(&parts.tree, &parts.watch, &coverage, &parts.outside).await?;
            left -= 1;
            let by_git = coverage.source().gitignore.is_some();
            if !by_git || !self.index.have_rules_moved() || left == 0 {
                break (coverage, refreshed);
            }
        };
        self.state.set_mounts(self.index.mounts());
        self.follow_coverage(&coverage);
        self.forget_swept(&coverage);
        let root = match before {
            Some(before) if self.is_same_disk(&before) => {
                self.state.set_root(self.root);
                Root::Sound
            }
            _ => root,
        };
        let empty = self.index.entries().is_empty() && root == Root::Sound;
        Ok((if empty { Root::Empty } else { root }, refreshed.unsettled))
    }

    /// The facts that a job may act on: a path with a step that is not settled
    /// is left alone until it is (B3).
    pub(crate) fn facts(&self) -> BTreeMap<RelPath, Facts> {
        let mut facts = self.all_facts();
        facts.retain(|path, _| !self.state.targets().contains_key(path));
        facts
    }

    /// The facts of every covered path, as of the last look at either side.
    pub(crate) fn all_facts(&self) -> BTreeMap<RelPath, Facts> {
        let Some(coverage) = &self.coverage else { return BTreeMap::new() };
        let manifest = self.log.history().manifest();
        let twins: BTreeSet<RelPath> =
            self.index.twins(|path| manifest.contains_key(path)).into_iter().collect();
        let pasts = Pasts(self.log.history());
        let traits = LocalTraits { exec: self.parts.tree.traits().exec };
        // All three are sorted by path: one walk over them side by side, as
        // looking each path up in the others is what a status waits for.
        let mut index = self.index.entries().iter().peekable();
        let mut placed = manifest.iter().peekable();
        let mut bases = self.state.bases().iter().peekable();
        let mut agreed = self.state.private().paths().peekable();
        let next = std::iter::from_fn(|| {
            let heads = [first(&mut index), first(&mut placed), first(&mut bases)];
            let path = heads.into_iter().flatten().min()?;
            let is_agreed = loop {
                match agreed.peek() {
                    Some(next) if *next < path => drop(agreed.next()),
                    next => break next.is_some_and(|next| *next == path),
                }
            };
            let (indexed, placed) = (value(&mut index, path), value(&mut placed, path));
            Some((path, indexed, placed, value(&mut bases, path), is_agreed))
        });
        let counts = |path: &RelPath| {
            !twins.contains(path) && coverage.covers(path) && !self.index.is_hidden(path)
        };
        next.filter(|(path, ..)| counts(path))
            .map(|(path, indexed, placed, base, agreed)| {
                let privacy = privacy_of(agreed, indexed, placed);
                let local = indexed.map(|indexed| indexed.state);
                let remote = placed.map(|placed| sighting_of(placed, base));
                let base = match base {
                    None => BaseFact::Absent,
                    Some(BaseRecord::Known { state, seq, .. }) => {
                        BaseFact::Known { state: *state, seq: *seq }
                    }
                    Some(BaseRecord::Unknown) => match pasts.unknown(path, local) {
                        BaseFact::Unknown(Past::Earlier) if self.is_undecided(path) => {
                            BaseFact::Unknown(Past::Other)
                        }
                        base => base,
                    },
                };
                (path.clone(), Facts { base, local, remote, privacy }.seen_through(traits))
            })
            .collect()
    }

    /// Whether a person has yet to decide between two versions of a path. What they
    /// put there meanwhile is their word in it, though it be an older version.
    fn is_undecided(&self, path: &RelPath) -> bool {
        self.conflicts.get(path).is_some_and(|record| record.kind != ConflictKind::NameClash)
    }

    /// Files of the head where something is mounted otherwise than before, or
    /// nothing, as if they were gone: for whoever names them.
    pub(crate) fn unmounted_facts(&self) -> FactMap {
        let is_there = |path: &RelPath| {
            let is_covered = self.coverage.as_ref().is_some_and(|coverage| coverage.covers(path));
            is_covered && self.index.is_unmounted(path)
        };
        let files = self.log.history().manifest().iter().filter(|(path, _)| is_there(path));
        let facts = files.filter_map(|(path, placed)| {
            let BaseRecord::Known { state, seq, .. } = self.state.bases().get(path)? else {
                return None;
            };
            let base = BaseFact::Known { state: *state, seq: *seq };
            let remote = Some(sighting_of(placed, self.state.bases().get(path)));
            Some((
                path.clone(),
                Facts { base, local: None, remote, privacy: privacy_of(false, None, None) },
            ))
        });
        facts.collect()
    }

    /// What the log says of a version whose base is unknown (B5).
    pub(crate) fn past_of(&self, path: &RelPath, version: Option<mirror_core::State>) -> Past {
        Pasts(self.log.history()).of(path, version)
    }

    /// Paths of the head that should come here, and where something stands that
    /// can't be mirrored: a link out of the project, a special file.
    pub(crate) fn obstructed_paths(&self, selection: &Selection) -> Vec<RelPath> {
        let Some(coverage) = &self.coverage else { return Vec::new() };
        let is_news = |path: &RelPath, placed: &Placed| match self.state.bases().get(path) {
            Some(BaseRecord::Known { seq, .. }) => *seq != placed.seq,
            Some(BaseRecord::Unknown) | None => true,
        };
        let manifest = self.log.history().manifest().iter();
        let obstructed = manifest.filter(|(path, placed)| {
            self.index.is_hidden(path)
                && is_news(path, placed)
                && selection.matches(path)
                && coverage.covers(path)
        });
        obstructed.map(|(path, _)| path.clone()).collect()
    }

    pub(crate) async fn look_at_root(&mut self) -> EngineResult<Root> {
        let tree = self.parts.tree.clone();
        let identity = self.parts.outside.offload(move || tree.root_identity()).await?;
        let Some(identity) = identity else { return Ok(Root::Missing) };
        self.root = Some(identity);
        Ok(if self.state.is_elsewhere(identity) { Root::OtherDevice } else { Root::Sound })
    }

    /// Whether the disk only goes by another number than before, as after a restart
    /// or when it was plugged in anew: its files keep their inodes and times, to the
    /// nanosecond, which no copy of them does. One that differs may be another disk's,
    /// and few of many are no proof.
    fn is_same_disk(&self, before: &SharedMap<RelPath, Indexed>) -> bool {
        let entries = self.index.entries();
        let old = before
            .iter()
            .filter(|(_, indexed)| Some(indexed.stamp.identity.dev) == self.state.device());
        let (mut same, mut missing) = (0_usize, 0_usize);
        for (path, old) in old {
            let key = |stamp: Stamp| (stamp.identity.inode, stamp.identity.ctime_ns);
            match entries.get(path) {
                Some(new) if key(new.stamp) == key(old.stamp) => same += 1,
                Some(_) => return false,
                None => missing += 1,
            }
        }
        same > missing
    }

    /// Keeps B7: a path that leaves the coverage loses its base at once; one
    /// that enters it has none yet.
    fn follow_coverage(&mut self, coverage: &Coverage) {
        let source = serde_json::to_string(coverage.source()).expect("a coverage is plain text");
        if self.state.coverage() == Some(source.as_str()) {
            return;
        }
        let before = self
            .state
            .coverage()
            .and_then(|text| serde_json::from_str::<CoverageSource>(text).ok())
            .and_then(|source| Coverage::new(source).ok());
        let old = before.as_ref().and_then(|before| before.source().memories.as_ref());
        let moved = Memories::moved(old, coverage.source().memories.as_ref());
        let is_moved = |path: &RelPath| is_memory_of(path, &moved);
        let bases: Vec<RelPath> = self.state.bases().keys().cloned().collect();
        for path in bases.iter().filter(|path| !coverage.covers(path) || is_moved(path)) {
            self.state.set_base(path, None);
        }
        self.forget_inputs(&moved);
        // What hides there now may be a file at the next look.
        let hidden: Vec<RelPath> =
            self.index.hidden().filter(|path| coverage.covers(path)).collect();
        let entered: Vec<RelPath> = self
            .index
            .entries()
            .keys()
            .chain(&hidden)
            .filter(|path| {
                is_moved(path) || before.as_ref().is_none_or(|before| !before.covers(path))
            })
            .filter(|path| !self.state.bases().contains_key(*path))
            .cloned()
            .collect();
        for path in entered {
            self.state.set_base(&path, Some(BaseRecord::Unknown));
        }
        self.state.set_coverage(source);
    }

    /// Keeps B15 for what is under way: what was read or begun in a folder says nothing
    /// of another one that has its name by now.
    fn forget_inputs(&mut self, moved: &BTreeSet<&str>) {
        let is_moved = |path: &RelPath| is_memory_of(path, moved);
        let begun: Vec<RelPath> =
            self.state.targets().keys().filter(|path| is_moved(path)).cloned().collect();
        for path in begun {
            self.state.set_target(&path, None);
        }
        self.state.forget_inputs(is_moved);
    }

    /// A mapped folder that holds nothing any more was most likely swept: its files
    /// count as never had, so that they come back, and nobody else loses them (B15).
    fn forget_swept(&mut self, coverage: &Coverage) {
        let names = coverage.source().memories.iter().flat_map(Memories::names);
        let folders = names.map(|name| format!("{MEMORY_FOLDER}/{name}"));
        let swept: Vec<RelPath> = folders
            // Asked first, as all bases are looked through for what was there.
            .filter(|folder| {
                self.state.bases().has_below(folder) && !self.index.entries().has_below(folder)
            })
            .flat_map(|folder| {
                let bases = self.state.bases().keys();
                bases.filter(move |path| path.is_within(&folder)).cloned()
            })
            .collect();
        for path in swept {
            self.state.set_base(&path, None);
        }
    }
}

fn is_memory_of(path: &RelPath, names: &BTreeSet<&str>) -> bool {
    matches!(Side::of(path), Side::Memory { name, .. } if names.contains(name))
}

/// The head's version with the commit that set it (B2).
fn sighting_of(placed: &Placed, base: Option<&BaseRecord>) -> Sighted {
    let mut sighted = placed.sighted();
    if let Some(BaseRecord::Known { state, seq, .. }) = base
        && *state == sighted.state
        && !planted::stands(Rule::B2)
    {
        sighted.seq = *seq;
    }
    sighted
}

fn first<'a, T: 'a>(
    sorted: &mut Peekable<impl Iterator<Item = (&'a RelPath, &'a T)>>,
) -> Option<&'a RelPath> {
    sorted.peek().map(|(path, _)| *path)
}

/// What comes next, if it is of this path.
fn value<'a, T: 'a>(
    sorted: &mut Peekable<impl Iterator<Item = (&'a RelPath, &'a T)>>,
    path: &RelPath,
) -> Option<&'a T> {
    sorted.next_if(|(next, _)| *next == path).map(|(_, value)| value)
}
