//! Brings an index up to what the disk holds now.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use mirror_core::patterns::Coverage;
use mirror_core::{Digest, RelPath, State, Timestamp};

use super::hashing::{self, Reading};
use super::look::{Place, Sighting};
use super::mounts::MountTable;
use super::{Index, Indexed, Refreshed, skips};
use crate::api::{SkipReason, Skipped};
use crate::outside::{Dirt, Outside, Tree, TreeError, Watch};

/// How long an event may take before everything is looked at instead.
const PATIENCE: Duration = Duration::from_millis(500);

/// Events are hints: so long after the last look at everything comes another.
const WALK_AGAIN_MS: i64 = 600_000;

/// Where something may have changed.
#[derive(Debug)]
enum Scope {
    Everything,
    /// At these paths and below them.
    Parts(BTreeSet<RelPath>),
}

impl Index {
    /// Looks at everything that may have changed since the last refresh: all,
    /// on the first call, after lost events, when the coverage or the root
    /// folder is another one; else what the watch named.
    ///
    /// On an error, or when dropped half-way, nothing has changed but that the
    /// next call looks at everything.
    pub async fn refresh(
        &mut self,
        tree: &Arc<dyn Tree>,
        watch: &Arc<dyn Watch>,
        coverage: &Arc<Coverage>,
        outside: &Outside,
    ) -> Result<Refreshed, TreeError> {
        let place = Place {
            tree: Arc::clone(tree),
            watch: Arc::clone(watch),
            coverage: Arc::clone(coverage),
            closed: Arc::default(),
        };
        let (root, dirt) = settle(&place, outside).await?;
        let mounts = MountTable::read(&place, outside).await;
        let place = Place { closed: Arc::new(mounts.silent()), ..place };
        let known = self.walked_with.take();
        let is_known = known.is_some_and(|known| known == (root, Arc::clone(coverage)));
        let scope = if is_known && !self.is_walk_due(outside) {
            self.scope(dirt, coverage, &mounts)
        } else {
            Scope::Everything
        };
        let mut sighting = look(&place, &scope, outside).await?;
        let (wanted, unread) = self.split_by_size(self.to_read(&sighting, coverage), &sighting);
        let mut readings = read(&place, wanted, outside).await?;
        readings.extend(self.unread_entries(unread, &sighting, outside));
        // What was seen below a root that went away meanwhile says nothing.
        if root_of(&place, outside).await? != root {
            return Err(TreeError::RootMissing);
        }
        let mounted = MountTable::read(&place, outside).await;
        let closed = self.settle_mounts((&mounts, &mounted), &mut sighting, &mut readings);
        let mut refreshed = self.take_up(&scope, sighting, readings, closed, coverage);
        if refreshed.walked {
            self.walked_at = Some(outside.clock.now());
        }
        refreshed.changed.sort();
        self.walked_with = Some((root, Arc::clone(coverage)));
        Ok(refreshed)
    }

    fn is_walk_due(&self, outside: &Outside) -> bool {
        let now = outside.clock.now().milliseconds();
        let since = |at: Timestamp| now.saturating_sub(at.milliseconds());
        !self.walked_at.map(since).is_some_and(|since| (0..WALK_AGAIN_MS).contains(&since))
    }

    fn scope(&self, dirt: Dirt, coverage: &Coverage, mounts: &MountTable) -> Scope {
        if dirt.everything {
            return Scope::Everything;
        }
        let named = dirt.paths.into_iter().chain(dirt.folders).chain(self.silent_places(mounts));
        // Nothing is known of what lies below a folder that was never listed.
        let parts = named.map(|path| self.unknown_above(&path).unwrap_or(path));
        let matters = |path: &RelPath| coverage.covers(path) || coverage.may_hold(path);
        Scope::Parts(parts.filter(matters).collect())
    }

    /// The outermost folder above `path` that was never listed.
    fn unknown_above(&self, path: &RelPath) -> Option<RelPath> {
        let unknown = path.ancestors().find(|folder| !self.folders.contains(*folder))?;
        RelPath::new(unknown).ok()
    }

    fn to_read(&self, sighting: &Sighting, coverage: &Coverage) -> Vec<RelPath> {
        let is_new = |(path, stamp): &(&RelPath, &_)| {
            self.entries.get(*path).is_none_or(|entry| entry.stamp != **stamp)
        };
        let new = sighting.files.iter().filter(is_new).map(|(path, _)| path);
        // What else stands where a link leads to makes it good or bad.
        let again =
            self.restless.keys().chain(self.links.iter()).filter(|path| coverage.covers(path));
        let all: BTreeSet<&RelPath> = new.chain(again).collect();
        all.into_iter().cloned().collect()
    }

    /// What is read, and what is too large for it.
    fn split_by_size(
        &self,
        paths: Vec<RelPath>,
        sighting: &Sighting,
    ) -> (Vec<RelPath>, Vec<RelPath>) {
        let Some(largest) = self.largest else { return (paths, Vec::new()) };
        let is_small = |path: &RelPath| match (sighting.files.get(path), self.entries.get(path)) {
            (Some(stamp), _) => stamp.size <= largest,
            (None, Some(entry)) => entry.stamp.size <= largest,
            (None, None) => true,
        };
        paths.into_iter().partition(is_small)
    }

    /// Entries for files that are not read: of those that changed only that is
    /// known, and who only may have changed counts as before (B10).
    fn unread_entries(
        &mut self,
        paths: Vec<RelPath>,
        sighting: &Sighting,
        outside: &Outside,
    ) -> BTreeMap<RelPath, Reading> {
        let mut readings = BTreeMap::new();
        for path in paths {
            let Some(stamp) = sighting.files.get(&path).copied() else { continue };
            if self.entries.get(&path).is_some_and(|entry| entry.stamp == stamp) {
                continue;
            }
            let digest = Digest::of(format!("unread {path} {stamp:?}").as_bytes());
            let state = State { kind: stamp.kind, digest, exec: stamp.exec };
            self.unread.insert(path.clone());
            let hashed_at = outside.clock.now();
            readings.insert(path, Reading::Read(Indexed { stamp, state, hashed_at }));
        }
        readings
    }

    /// Everything is known by now, so the index goes from one whole look to
    /// the next without a step between.
    fn take_up(
        &mut self,
        scope: &Scope,
        sighting: Sighting,
        readings: BTreeMap<RelPath, Reading>,
        closed: BTreeMap<RelPath, SkipReason>,
        coverage: &Coverage,
    ) -> Refreshed {
        let mut gone = self.unseen(scope, &sighting);
        self.restless.retain(|path, ()| coverage.covers(path));
        retain(&mut self.links, |path| coverage.covers(path));
        self.forget(scope);
        extend(&mut self.folders, sighting.folders);
        extend(&mut self.skipped, sighting.skipped);
        extend(&mut self.unwatched, sighting.unwatched);
        for (path, reason) in closed {
            self.skip(&path, reason);
        }
        let walked = matches!(scope, Scope::Everything);
        let mut refreshed = Refreshed { walked, ..Refreshed::default() };
        for (path, reading) in readings {
            self.restless.remove(&path);
            if remove(&mut self.links, &path) {
                skips::forget(Arc::make_mut(&mut self.skipped), path.as_str());
            }
            gone.remove(&path);
            match reading {
                Reading::Read(indexed) => {
                    if self.set(path.clone(), Some(indexed)) {
                        refreshed.changed.push(path);
                    }
                }
                Reading::LeadsOut => {
                    self.skip(&path, SkipReason::SymlinkOutside);
                    Arc::make_mut(&mut self.links).insert(path);
                }
                Reading::Unreadable => self.skip(&path, SkipReason::Unreadable),
                Reading::Gone => drop(gone.insert(path)),
                Reading::Obstructed if !sighting.files.contains_key(&path) => {
                    gone.insert(path);
                }
                // What took the place of a folder since it was listed is seen
                // by the next refresh.
                Reading::Obstructed | Reading::Unsettled => {
                    self.restless.insert(path.clone(), ());
                    refreshed.unsettled.push(path);
                }
            }
        }
        for path in gone {
            let is_known_gone = !self.is_hidden(&path) || !coverage.covers(&path);
            if is_known_gone && self.set(path.clone(), None) {
                refreshed.changed.push(path);
            }
        }
        refreshed
    }

    /// Entries in the scope that were not seen.
    fn unseen(&self, scope: &Scope, sighting: &Sighting) -> BTreeSet<RelPath> {
        let unseen = |path: &&RelPath| !sighting.files.contains_key(*path);
        match scope {
            Scope::Everything => self.entries.keys().filter(unseen).cloned().collect(),
            Scope::Parts(parts) => {
                let below = parts.iter().flat_map(|part| {
                    let at = self.entries.get_key_value(part);
                    let bounds = bounds(part);
                    let paths = self.entries.range::<str, _>(below(&bounds));
                    let paths = at.into_iter().chain(paths).map(|(path, _)| path);
                    paths.filter(unseen).cloned().collect::<Vec<_>>()
                });
                below.collect()
            }
        }
    }

    /// Drops the folders and skips of the scope; the sighting brings new ones.
    fn forget(&mut self, scope: &Scope) {
        let Scope::Parts(parts) = scope else {
            self.folders = Arc::default();
            self.unwatched = Arc::default();
            self.skipped = Arc::default();
            return;
        };
        for part in parts {
            skips::forget(Arc::make_mut(&mut self.skipped), part.as_str());
            remove(&mut self.folders, part);
            remove(&mut self.unwatched, part);
            let folders: Vec<RelPath> =
                self.folders.range::<str, _>(below(&bounds(part))).cloned().collect();
            for folder in folders {
                remove(&mut self.folders, &folder);
                remove(&mut self.unwatched, &folder);
            }
        }
    }

    fn skip(&mut self, path: &RelPath, reason: SkipReason) {
        let skipped = Arc::make_mut(&mut self.skipped);
        skips::forget(skipped, path.as_str());
        skipped.insert(Skipped { path: path.as_str().to_owned(), reason });
    }
}

/// Changes of sets that readers may share: copied only where something changes.
fn remove<T: Ord + Clone>(set: &mut Arc<BTreeSet<T>>, item: &T) -> bool {
    set.contains(item) && Arc::make_mut(set).remove(item)
}

fn extend<T: Ord + Clone>(set: &mut Arc<BTreeSet<T>>, items: BTreeSet<T>) {
    if !items.is_empty() {
        Arc::make_mut(set).extend(items);
    }
}

fn retain<T: Ord + Clone>(set: &mut Arc<BTreeSet<T>>, keeps: impl Fn(&T) -> bool) {
    if !set.iter().all(&keeps) {
        Arc::make_mut(set).retain(keeps);
    }
}

/// All that lies below a folder stands between these; `0` is the byte after `/`.
fn bounds(folder: &RelPath) -> (String, String) {
    (format!("{folder}/"), format!("{folder}0"))
}

fn below(bounds: &(String, String)) -> (Bound<&str>, Bound<&str>) {
    (Bound::Included(&bounds.0), Bound::Excluded(&bounds.1))
}

async fn settle(place: &Place, outside: &Outside) -> Result<((u64, u64), Dirt), TreeError> {
    let place = place.clone();
    let (root, dirt) = outside
        .offload(move || {
            let root = place.tree.root_identity();
            (root, place.watch.settle(PATIENCE))
        })
        .await;
    Ok((identity(root)?, dirt))
}

async fn root_of(place: &Place, outside: &Outside) -> Result<(u64, u64), TreeError> {
    let tree = Arc::clone(&place.tree);
    identity(outside.offload(move || tree.root_identity()).await)
}

fn identity(root: std::io::Result<Option<(u64, u64)>>) -> Result<(u64, u64), TreeError> {
    root.map_err(TreeError::RootFailed)?.ok_or(TreeError::RootMissing)
}

/// Looks at the scope, level by level, so that each level is done side by side.
async fn look(place: &Place, scope: &Scope, outside: &Outside) -> Result<Sighting, TreeError> {
    let mut all = Sighting::default();
    let mut level = vec![None];
    if let Scope::Parts(parts) = scope {
        let parts = parts.iter().cloned().collect();
        all = side_by_side(place, parts, outside, Place::stamp).await?;
        level = outermost(&all.folders).into_iter().map(Some).collect();
    }
    while !level.is_empty() {
        let found = side_by_side(place, level, outside, Place::list).await?;
        level = found.folders.iter().cloned().map(Some).collect();
        all.merge(found);
    }
    Ok(all)
}

fn outermost(folders: &BTreeSet<RelPath>) -> Vec<RelPath> {
    let is_outermost = |folder: &&RelPath| !folder.ancestors().any(|above| folders.contains(above));
    folders.iter().filter(is_outermost).cloned().collect()
}

async fn side_by_side<T: Send + 'static>(
    place: &Place,
    mut todo: Vec<T>,
    outside: &Outside,
    look: fn(&Place, &[T]) -> Result<Sighting, TreeError>,
) -> Result<Sighting, TreeError> {
    let size = todo.len().div_ceil(outside.spawner.width().max(1)).max(1);
    let mut pieces = Vec::new();
    while !todo.is_empty() {
        let piece = todo.split_off(todo.len().saturating_sub(size));
        let place = place.clone();
        pieces.push(outside.offload(move || look(&place, &piece)));
    }
    let mut all = Sighting::default();
    for sighting in join_all(pieces).await {
        all.merge(sighting?);
    }
    Ok(all)
}

/// Reads files side by side; each reader takes the next one, as sizes differ.
async fn read(
    place: &Place,
    paths: Vec<RelPath>,
    outside: &Outside,
) -> Result<BTreeMap<RelPath, Reading>, TreeError> {
    let width = outside.spawner.width().clamp(1, paths.len().max(1));
    let (paths, next) = (Arc::new(paths), Arc::new(AtomicUsize::new(0)));
    let readers = (0..width).map(|_| {
        let (place, around) = (place.clone(), outside.clone());
        let (paths, next) = (Arc::clone(&paths), Arc::clone(&next));
        outside.offload(move || {
            let mut readings = Vec::new();
            while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                readings.push((path.clone(), hashing::read(&place, &around, path)?));
            }
            Ok(readings)
        })
    });
    let readings: Result<Vec<_>, TreeError> = join_all(readers).await.into_iter().collect();
    Ok(readings?.into_iter().flatten().collect())
}
