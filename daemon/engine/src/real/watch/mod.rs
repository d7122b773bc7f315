//! File-system events of one working tree.
//!
//! Folders are watched one by one, as the index lists them. Events are hints:
//! doubling them is harmless, and wherever one may be missing, everything is
//! said to differ.

mod gathered;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mirror_core::RelPath;
use mirror_storage::is_shared_with_machines;
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

use self::gathered::Gathered;
use crate::outside::{Dirt, ManualWatch, Watch};

/// Watches `root`; on a system that gives no events, every look is a walk. What the
/// tree calls by a name of `places` lies there instead.
///
/// `cookies` is a folder outside the project that nothing else uses; it is made.
pub fn start_watch(
    root: PathBuf,
    places: Vec<(RelPath, PathBuf)>,
    cookies: PathBuf,
) -> Arc<dyn Watch> {
    match LocalWatch::start_with(root, places, cookies) {
        Ok(watch) => Arc::new(watch),
        Err(error) => {
            tracing::warn!(%error, "no file-system events; each look will be a walk");
            Arc::new(ManualWatch)
        }
    }
}

/// A [`Watch`] on the events of this machine's file system.
///
/// # Why a settled watch has missed nothing
///
/// inotify queues an event before the call that caused it returns, and one
/// instance has one queue, in order. All folders of the project and the cookie
/// folder are watched by the same instance. So once the cookie's own event has
/// been handled, every event of an earlier change has been, too.
#[derive(Debug)]
pub struct LocalWatch {
    root: PathBuf,
    places: Vec<(RelPath, PathBuf)>,
    cookies: PathBuf,
    next_cookie: AtomicU64,
    watched: Mutex<Watched>,
    gathered: Arc<Gathered>,
    /// What was taken and is not yet in what readers see.
    taken: Mutex<Dirt>,
    taken_up_count: AtomicU64,
    /// Since the last settle, a folder could not be watched for want of watches.
    refused: AtomicBool,
    /// Events don't tell all: watches are used up, or other machines write here.
    is_blind: AtomicBool,
}

#[derive(Debug)]
struct Watched {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
}

impl LocalWatch {
    pub fn start(root: PathBuf, cookies: PathBuf) -> io::Result<Self> {
        Self::start_with(root, Vec::new(), cookies)
    }

    fn start_with(
        root: PathBuf,
        places: Vec<(RelPath, PathBuf)>,
        cookies: PathBuf,
    ) -> io::Result<Self> {
        let (root, cookies) = (std::path::absolute(root)?, std::path::absolute(cookies)?);
        let gathered = Arc::new(Gathered::new(root.clone(), places.clone(), cookies.clone()));
        let watcher = notify::recommended_watcher({
            let gathered = Arc::clone(&gathered);
            move |event| gathered.take_in(event)
        });
        let watcher = watcher.map_err(io::Error::other)?;
        let started = Self {
            root,
            places,
            cookies,
            next_cookie: AtomicU64::new(0),
            watched: Mutex::new(Watched { watcher, folders: BTreeSet::new() }),
            gathered,
            taken: Mutex::default(),
            taken_up_count: AtomicU64::new(0),
            refused: AtomicBool::new(false),
            is_blind: AtomicBool::new(false),
        };
        started.watch_cookies()?;
        Ok(started)
    }

    /// Where a folder of the tree lies.
    fn place_of(&self, folder: &RelPath) -> PathBuf {
        let elsewhere = self.places.iter().find_map(|(name, place)| {
            let rest = Path::new(folder.as_str()).strip_prefix(name.as_str()).ok()?;
            // An empty rest would leave a slash behind.
            Some(place.join(rest).components().collect())
        });
        elsewhere.unwrap_or_else(|| self.root.join(folder.as_str()))
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> MutexGuard<'_, Dirt> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch_cookies(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.cookies)?;
        for leftover in fs::read_dir(&self.cookies)? {
            drop(fs::remove_file(leftover?.path()));
        }
        let mut watched = self.watched();
        // A watch on a cookie folder that was replaced would stay on the old one.
        drop(watched.watcher.unwatch(&self.cookies));
        let added = watched.watcher.watch(&self.cookies, RecursiveMode::NonRecursive);
        added.map_err(io::Error::other)
    }

    /// Waits for our own event at the end of the queue; `false` when it doesn't come.
    fn await_cookie(&self, patience: Duration) -> bool {
        let number = self.next_cookie.fetch_add(1, Ordering::Relaxed);
        let cookie = self.cookies.join(format!("{}-{number}", std::process::id()));
        let awaited = self.gathered.expect_cookie(&cookie);
        let is_made = File::create_new(&cookie).is_ok();
        let is_seen = is_made && awaited.wait(patience);
        drop(fs::remove_file(&cookie));
        is_seen
    }

    /// Whether events are complete up to now. Opening the root is an event,
    /// too: without it, the watch sits on a folder that was unmounted or
    /// replaced.
    fn is_caught_up(&self, patience: Duration) -> Caught {
        let opened_before = self.gathered.root_opened_count();
        let is_open = File::open(&self.root).is_ok();
        if !self.await_cookie(patience) {
            return Caught::Late;
        }
        if is_open && self.gathered.root_opened_count() != opened_before {
            Caught::Up
        } else {
            Caught::Elsewhere
        }
    }
}

/// How far the events that have arrived tell what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caught {
    Up,
    /// Our own event didn't come in time.
    Late,
    /// They tell of a folder that is not the project's root any more.
    Elsewhere,
}

impl Watch for LocalWatch {
    fn add(&self, folder: Option<&RelPath>) -> bool {
        let path = folder.map_or_else(|| self.root.clone(), |folder| self.place_of(folder));
        if folder.is_none() {
            let mut all = self.places.iter().map(|(_, place)| place).chain([&self.root]);
            let is_blind = all.any(|place| is_shared_with_machines(place));
            self.is_blind.store(is_blind, Ordering::Relaxed);
        }
        let mut watched = self.watched();
        match watched.watcher.watch(&path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                watched.folders.insert(path);
                true
            }
            Err(error) => {
                let is_used_up = matches!(error.kind, ErrorKind::MaxFilesWatch);
                self.refused.fetch_or(is_used_up, Ordering::Relaxed);
                false
            }
        }
    }

    fn settle(&self, patience: Duration) -> Dirt {
        if self.is_blind.load(Ordering::Relaxed) {
            drop(self.gathered.drain());
            return Dirt { everything: true, ..Dirt::default() };
        }
        let caught = self.is_caught_up(patience);
        if caught == Caught::Late {
            drop(self.watch_cookies());
        }
        // Held over both: a peek in between would see neither.
        let mut taken = self.taken();
        let mut news = self.gathered.drain();
        // Before anything is watched anew: a watch sits on the folder itself,
        // wherever it was moved. Taken away later, under its old path, it
        // would be missing at the new one.
        let mut watched = self.watched();
        if news.is_lost || caught == Caught::Elsewhere {
            watched.leave_all();
        } else {
            news.gone.iter().for_each(|path| watched.leave(path));
        }
        news.dirt.everything |= news.is_lost || caught != Caught::Up;
        // Watches may have become free, so the walk that follows tries again.
        news.dirt.everything |= self.refused.swap(false, Ordering::Relaxed);
        taken.add(&news.dirt);
        news.dirt
    }

    fn peek(&self, patience: Duration) -> Dirt {
        let is_blind = self.is_blind.load(Ordering::Relaxed);
        if is_blind || self.is_caught_up(patience) != Caught::Up {
            return Dirt { everything: true, ..Dirt::default() };
        }
        let taken = self.taken();
        let mut dirt = self.gathered.look();
        dirt.add(&taken);
        dirt
    }

    fn taken_up(&self) {
        *self.taken() = Dirt::default();
        self.taken_up_count.fetch_add(1, Ordering::Relaxed);
    }

    fn taken_up_count(&self) -> u64 {
        self.taken_up_count.load(Ordering::Relaxed)
    }

    fn is_live(&self) -> bool {
        !self.is_blind.load(Ordering::Relaxed) && !self.refused.load(Ordering::Relaxed)
    }

    fn quiet_for(&self, path: &RelPath) -> Option<Duration> {
        self.gathered.last_event(path).map(|at| at.elapsed())
    }

    fn on_change(&self, wake: Box<dyn Fn(&Dirt) + Send + Sync>) {
        self.gathered.set_wake(wake);
    }
}

impl Watched {
    /// Unwatches what was at `path` or below it. Errors mean that the system
    /// has done so itself.
    fn leave(&mut self, path: &Path) {
        let left = self.folders.range(path.to_owned()..);
        let left = left.take_while(|folder| folder.starts_with(path));
        for folder in left.cloned().collect::<Vec<_>>() {
            drop(self.watcher.unwatch(&folder));
            self.folders.remove(&folder);
        }
    }

    fn leave_all(&mut self) {
        for folder in std::mem::take(&mut self.folders) {
            drop(self.watcher.unwatch(&folder));
        }
    }
}
