//! Places below the root where another file system is mounted, and what that says
//! about the files there (B18).
//!
//! A mount comes and goes without an event, and without it the folder below shows
//! other files or none. So each refresh reads the system's table of mounts, and
//! believes that files are gone only in a folder that is mounted as it was when
//! they were seen.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use mirror_core::RelPath;

use super::hashing::Reading;
use super::look::{Place, Sighting};
use super::{Index, Indexed, skips};
use crate::api::SkipReason;
use crate::outside::tree::Mounts;
use crate::outside::{MountPoint, Outside, Stamp};

/// The mounts that matter, as one refresh found them.
#[derive(Debug, Default)]
pub(super) struct MountTable(BTreeMap<RelPath, MountPoint>);

impl MountTable {
    pub(super) async fn read(place: &Place, outside: &Outside) -> Self {
        let (tree, coverage) = (Arc::clone(&place.tree), Arc::clone(&place.coverage));
        let matters = move |path: &RelPath| coverage.covers(path) || coverage.may_hold(path);
        let found = outside.offload(move || tree.mounts(&matters)).await;
        Self(found.into_iter().map(|mount| (mount.path.clone(), mount)).collect())
    }

    /// Those whose server or daemon is silent: nobody must wait for them.
    pub(super) fn silent(&self) -> BTreeSet<RelPath> {
        let silent = self.0.values().filter(|mount| !mount.answers);
        silent.map(|mount| mount.path.clone()).collect()
    }

    fn identity(&self, path: &RelPath) -> Option<&str> {
        self.0.get(path).map(|mount| mount.identity.as_str())
    }
}

impl Index {
    /// What was mounted where when the entries were seen.
    pub(crate) fn mounts(&self) -> &Mounts {
        &self.mounts
    }

    /// Takes up what an earlier run knew.
    pub(crate) fn set_mounts(&mut self, mounts: Mounts) {
        self.mounts = mounts;
    }

    /// Whether it lies where something is mounted otherwise than when it was seen.
    pub(crate) fn is_unmounted(&self, path: &RelPath) -> bool {
        let unmounted = |place| skips::is_for(&self.skipped, place, SkipReason::NotMounted);
        unmounted(path.as_str()) || path.ancestors().any(unmounted)
    }

    /// Where a look can't wait for an event: what is written from elsewhere, and
    /// what may be mounted or not.
    pub(super) fn silent_places(&self, table: &MountTable) -> Vec<RelPath> {
        let polled = table.0.values().filter(|mount| mount.is_file || mount.is_shared);
        let polled = polled.map(|mount| mount.path.clone());
        let changed = self.changed_mounts(table);
        let unwatched = self.unwatched.iter().chain(self.linked.iter()).cloned();
        let closed = self.skipped.iter().filter(|skip| skip.reason == SkipReason::NotMounted);
        let closed = closed.filter_map(|skip| RelPath::new(&skip.path).ok());
        polled.chain(changed).chain(unwatched).chain(closed).collect()
    }

    /// Where something else is mounted than when the entries were seen, or nothing.
    fn changed_mounts(&self, table: &MountTable) -> Vec<RelPath> {
        let paths: BTreeSet<&RelPath> = self.mounts.keys().chain(table.0.keys()).collect();
        let is_other =
            |path: &&RelPath| self.mounts.get(*path).map(String::as_str) != table.identity(path);
        paths.into_iter().filter(is_other).cloned().collect()
    }

    /// Takes out of what was seen the places of which nothing may be concluded, and
    /// names them; learns what is mounted at the others.
    pub(super) fn settle_mounts(
        &mut self,
        (before, after): (&MountTable, &MountTable),
        sighting: &mut Sighting,
        readings: &mut BTreeMap<RelPath, Reading>,
    ) -> BTreeMap<RelPath, SkipReason> {
        let mut closed = BTreeMap::new();
        for path in before.silent().into_iter().chain(after.silent()) {
            closed.insert(path, SkipReason::Unreadable);
        }
        let all: BTreeSet<RelPath> =
            self.mounts.keys().chain(before.0.keys()).chain(after.0.keys()).cloned().collect();
        for path in all {
            let now = after.identity(&path);
            let is_still = self.mounts.get(&path).map(String::as_str) == now;
            let moved = before.identity(&path) != now;
            if closed.contains_key(&path) || (is_still && !moved) {
                continue;
            }
            if moved || !self.is_as_before(&path, now.is_some(), sighting, readings) {
                closed.insert(path, SkipReason::NotMounted);
                continue;
            }
            match now {
                Some(now) => drop(self.mounts.insert(path, now.to_owned())),
                None => drop(self.mounts.remove(&path)),
            }
        }
        if !closed.is_empty() {
            let lies_in_one = |path: &str| {
                let above = path.match_indices('/').map(|(end, _)| &path[..end]);
                above.chain([path]).any(|place| closed.contains_key(place))
            };
            sighting.files.retain(|file, _| !lies_in_one(file.as_str()));
            sighting.skipped.retain(|skip| !lies_in_one(&skip.path));
            readings.retain(|file, _| !lies_in_one(file.as_str()));
        }
        closed
    }

    /// Whether what stands at a mount is what stood there, whatever is mounted now:
    /// most of the files, and none but the same by inode and time, or all of them
    /// with hardly a change. Where nothing is mounted any more, old files that the
    /// mount hid may show again.
    fn is_as_before(
        &self,
        mount: &RelPath,
        is_mounted: bool,
        sighting: &Sighting,
        readings: &BTreeMap<RelPath, Reading>,
    ) -> bool {
        let (mut same_file, mut same_text, mut other, mut missing) =
            (0_usize, 0_usize, 0_usize, 0_usize);
        for (path, entry) in self.entries_at(mount) {
            let Some(stamp) = sighting.files.get(&path) else {
                missing += 1;
                continue;
            };
            let key = |stamp: &Stamp| (stamp.identity.inode, stamp.identity.ctime_ns);
            same_file += usize::from(key(stamp) == key(&entry.stamp));
            let is_same = match readings.get(&path) {
                Some(Reading::Read(read)) => read.state == entry.state,
                Some(_) => false,
                None => *stamp == entry.stamp,
            };
            *if is_same { &mut same_text } else { &mut other } += 1;
        }
        let standing = same_text + other;
        let is_same_disk = is_mounted && same_file == standing && standing > missing;
        let has_all = missing == 0 && if is_mounted { same_text >= other } else { other == 0 };
        is_same_disk || has_all
    }

    fn entries_at(&self, path: &RelPath) -> Vec<(RelPath, Indexed)> {
        let start = format!("{path}/");
        let bounds = (Bound::Included(start.as_str()), Bound::Unbounded);
        let below = self.entries.range::<str, _>(bounds);
        let below = below.take_while(|(path, _)| path.as_str().starts_with(&start));
        let all = self.entries.get_key_value(path).into_iter().chain(below);
        all.map(|(path, entry)| (path.clone(), *entry)).collect()
    }
}
