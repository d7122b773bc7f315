//! Looks at names and stamps, without reading files. All of it blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mirror_core::patterns::Coverage;
use mirror_core::{Kind, RelPath};

use super::skips;
use crate::api::{SkipReason, Skipped};
use crate::outside::{DirEntry, Found, Stamp, Tree, TreeError, Watch};

/// How often what comes and goes is looked at before it counts as neither file
/// nor folder.
const TRIES: usize = 8;

/// Where to look, and what for.
#[derive(Clone)]
pub(super) struct Place {
    pub tree: Arc<dyn Tree>,
    pub watch: Arc<dyn Watch>,
    pub coverage: Arc<Coverage>,
    /// Mounts that don't answer: nothing there is touched.
    pub closed: Arc<BTreeSet<RelPath>>,
}

/// What was seen below some folders.
#[derive(Debug, Default)]
pub(super) struct Sighting {
    /// Covered files.
    pub files: BTreeMap<RelPath, Stamp>,
    /// Folders that were listed, and those below them that should be.
    pub folders: BTreeSet<RelPath>,
    pub skipped: BTreeSet<Skipped>,
    /// Folders that were listed and could not be watched.
    pub unwatched: BTreeSet<RelPath>,
}

impl Sighting {
    pub(super) fn merge(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.folders.append(&mut other.folders);
        self.skipped.append(&mut other.skipped);
        self.unwatched.append(&mut other.unwatched);
    }

    fn skip(&mut self, path: &str, reason: SkipReason) {
        self.skipped.insert(Skipped { path: path.to_owned(), reason });
    }
}

impl Place {
    /// Lists some folders, not what is below the folders in them.
    pub(super) fn list(&self, folders: &[Option<RelPath>]) -> Result<Sighting, TreeError> {
        let mut sighting = Sighting::default();
        for folder in folders {
            if let Some(own) = folder.as_ref().filter(|folder| self.tree.is_own(folder)) {
                sighting.skip(own.as_str(), SkipReason::Own);
                continue;
            }
            // Watched before it is listed: what appears in between is seen
            // twice, the other way round never.
            let is_watched = self.watch.add(folder.as_ref());
            match (self.tree.list(folder.as_ref()), folder) {
                (Ok(all), _) => {
                    sighting.unwatched.extend(folder.clone().filter(|_| !is_watched));
                    for found in &all {
                        self.sort(folder.as_ref(), found, &mut sighting);
                    }
                }
                (Err(error), None) => return Err(error),
                (Err(error), _) if concerns_root(&error) => return Err(error),
                (Err(TreeError::Obstructed(_)), Some(folder)) => {
                    self.no_folder(folder, &mut sighting);
                }
                (Err(_), Some(folder)) => sighting.skip(folder.as_str(), SkipReason::Unreadable),
            }
        }
        Ok(sighting)
    }

    fn sort(&self, folder: Option<&RelPath>, found: &Found, sighting: &mut Sighting) {
        let join = |name: &str| match folder {
            Some(folder) => format!("{folder}/{name}"),
            None => name.to_owned(),
        };
        let path = match found.name.as_deref().map(|name| RelPath::new(&join(name))) {
            Some(Ok(path)) => path,
            other => {
                let shown = join(&found.shown);
                let (error, entry) = (other.and_then(Result::err), &found.entry);
                if let Some(reason) = skips::reason_for_name(&shown, error, entry, &self.coverage) {
                    sighting.skip(&shown, reason);
                }
                return;
            }
        };
        match found.entry {
            DirEntry::File(stamp) => self.file(path, stamp, sighting),
            DirEntry::Folder => self.folder(path, sighting),
            DirEntry::Special => self.odd(&path, SkipReason::SpecialFile, sighting),
            DirEntry::Unreadable => self.odd(&path, SkipReason::Unreadable, sighting),
        }
    }

    fn is_closed(&self, path: &RelPath) -> bool {
        self.closed.contains(path) || path.ancestors().any(|above| self.closed.contains(above))
    }

    fn file(&self, path: RelPath, stamp: Stamp, sighting: &mut Sighting) {
        // A link in a memory would lead elsewhere on every machine.
        let is_elsewhere = stamp.kind == Kind::Link && self.coverage.is_memory(&path);
        if self.coverage.covers(&path) && !is_elsewhere {
            sighting.files.insert(path, stamp);
        } else if stamp.kind == Kind::Link {
            // It may stand where a folder was, whose files are behind it now. A
            // file that no pattern covers says that the folder is gone.
            self.odd(&path, SkipReason::SymlinkOutside, sighting);
        }
    }

    fn folder(&self, path: RelPath, sighting: &mut Sighting) {
        if self.coverage.may_hold(&path) && !self.closed.contains(&path) {
            sighting.folders.insert(path);
        }
    }

    fn odd(&self, path: &RelPath, reason: SkipReason, sighting: &mut Sighting) {
        // It may be a folder, or stand where one was.
        if self.coverage.may_hold(path) || self.coverage.covers(path) {
            sighting.skip(path.as_str(), reason);
        }
    }

    /// Looks at single paths; folders among them are still to be listed.
    pub(super) fn stamp(&self, paths: &[RelPath]) -> Result<Sighting, TreeError> {
        let mut sighting = Sighting::default();
        for path in paths.iter().filter(|path| !self.is_closed(path)) {
            match self.tree.stamp(path) {
                Ok(Some(stamp)) => self.file(path.clone(), stamp, &mut sighting),
                Ok(None) => self.stamp_folder(path, &mut sighting)?,
                Err(error) if concerns_root(&error) => return Err(error),
                Err(TreeError::Obstructed(_)) => self.stamp_above(path, &mut sighting)?,
                Err(_) => self.odd(path, SkipReason::Unreadable, &mut sighting),
            }
        }
        Ok(sighting)
    }

    /// Something above `path` is no folder any more: a file there means that
    /// `path` is gone, anything else hides it.
    fn stamp_above(&self, path: &RelPath, sighting: &mut Sighting) -> Result<(), TreeError> {
        for above in path.ancestors() {
            let above = RelPath::new(above).expect("a path's folders are paths");
            match self.tree.stamp(&above) {
                Ok(Some(stamp)) => {
                    self.file(above, stamp, sighting);
                    break;
                }
                Ok(None)
                    if matches!(self.tree.list(Some(&above)), Err(TreeError::Obstructed(_))) =>
                {
                    self.odd(&above, SkipReason::SpecialFile, sighting);
                    break;
                }
                Err(error) if concerns_root(&error) => return Err(error),
                Ok(None) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Tells a folder from nothing at all: both have no stamp.
    fn stamp_folder(&self, path: &RelPath, sighting: &mut Sighting) -> Result<(), TreeError> {
        match self.tree.list(Some(path)) {
            // An empty folder lists like one that is gone, but can be watched.
            Ok(found) if found.is_empty() && !self.watch.add(Some(path)) => {}
            Ok(_) => self.folder(path.clone(), sighting),
            Err(error) if concerns_root(&error) => return Err(error),
            Err(TreeError::Obstructed(_)) => self.no_folder(path, sighting),
            Err(_) => self.odd(path, SkipReason::Unreadable, sighting),
        }
        Ok(())
    }

    /// Looks again at what is no folder, though it was one or was not there: a
    /// program may save a file between the two looks, and again and again.
    fn no_folder(&self, path: &RelPath, sighting: &mut Sighting) {
        for _ in 0..TRIES {
            if let Ok(Some(stamp)) = self.tree.stamp(path) {
                return self.file(path.clone(), stamp, sighting);
            }
            if !matches!(self.tree.list(Some(path)), Err(TreeError::Obstructed(_))) {
                // Gone, or a folder by now: the next refresh is told of it.
                return;
            }
        }
        self.odd(path, SkipReason::SpecialFile, sighting);
    }
}

/// Whether nothing at all can be looked at, so that nothing may be concluded.
pub(super) fn concerns_root(error: &TreeError) -> bool {
    matches!(error, TreeError::RootMissing | TreeError::RootFailed(_))
}
