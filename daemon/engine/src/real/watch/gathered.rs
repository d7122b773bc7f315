//! What the events have told since the last settle.
//!
//! Fed by notify's own thread, so nothing here blocks for longer than it takes
//! to note a path, and nothing grows beyond a bound.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use mirror_core::RelPath;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind};
use notify::{Event, EventKind};

use crate::outside::Dirt;

/// More paths than this are dearer to keep than a walk is.
const MOST_PATHS: usize = 100_000;

/// So long it is known when the last event told of a path.
const REMEMBERED: Duration = Duration::from_mins(1);

/// What a settle takes away.
#[derive(Debug, Default)]
pub(super) struct News {
    pub dirt: Dirt,
    /// What stood here was removed or moved.
    pub gone: BTreeSet<PathBuf>,
    /// Events were lost, so watches may sit where we don't know.
    pub is_lost: bool,
}

#[derive(Debug, Default)]
struct State {
    paths: BTreeSet<RelPath>,
    folders: BTreeSet<RelPath>,
    gone: BTreeSet<PathBuf>,
    is_everything: bool,
    is_lost: bool,
    root_opened_count: u64,
    /// When the last event told of what, whoever took it away since.
    last: BTreeMap<RelPath, Instant>,
    /// Cookies that someone waits for, and whether they have come.
    cookies: BTreeMap<PathBuf, bool>,
}

pub(super) struct Gathered {
    root: PathBuf,
    /// Folders of other places, by their names in the tree.
    places: Vec<(RelPath, PathBuf)>,
    cookies: PathBuf,
    state: Mutex<State>,
    cookie_came: Condvar,
    wake: OnceLock<Wake>,
}

/// Who is told of each change, as soon as its event comes.
type Wake = Box<dyn Fn(&Dirt) + Send + Sync>;

impl fmt::Debug for Gathered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Gathered({})", self.root.display())
    }
}

/// What an event means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Nothing,
    Opened,
    Changed,
    /// A folder appeared or vanished.
    FolderChanged {
        is_gone: bool,
    },
    /// Something, maybe a folder, isn't where it was.
    Gone,
}

fn meaning(kind: EventKind) -> Meaning {
    match kind {
        // The only event of a program that wrote through a mapping.
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Meaning::Changed,
        EventKind::Access(AccessKind::Open(_)) => Meaning::Opened,
        EventKind::Access(_) => Meaning::Nothing,
        EventKind::Create(CreateKind::Folder) => Meaning::FolderChanged { is_gone: false },
        EventKind::Remove(RemoveKind::Folder) => Meaning::FolderChanged { is_gone: true },
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => Meaning::Gone,
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            Meaning::Changed
        }
    }
}

impl Gathered {
    pub(super) fn new(root: PathBuf, places: Vec<(RelPath, PathBuf)>, cookies: PathBuf) -> Self {
        Self {
            root,
            places,
            cookies,
            state: Mutex::default(),
            cookie_came: Condvar::new(),
            wake: OnceLock::new(),
        }
    }

    /// Only the first call counts.
    pub(super) fn set_wake(&self, wake: Wake) {
        drop(self.wake.set(wake));
    }

    pub(super) fn take_in(&self, event: notify::Result<Event>) {
        let dirt = match event {
            Ok(event) if event.need_rescan() => self.lose(),
            Ok(event) => self.note(meaning(event.kind), &event.paths),
            Err(_) => self.lose(),
        };
        if let Some(wake) = self.wake.get().filter(|_| dirt != Dirt::default()) {
            wake(&dirt);
        }
    }

    /// What a drain would take.
    pub(super) fn look(&self) -> Dirt {
        let state = self.state();
        Dirt {
            paths: state.paths.iter().cloned().collect(),
            folders: state.folders.iter().cloned().collect(),
            everything: state.is_everything || state.is_lost,
        }
    }

    /// When an event last told of this path or of a folder above it.
    pub(super) fn last_event(&self, path: &RelPath) -> Option<Instant> {
        let state = self.state();
        let of = |path: &str| state.last.get(path).copied();
        path.ancestors().map(of).fold(of(path.as_str()), Option::max)
    }

    pub(super) fn drain(&self) -> News {
        let mut state = self.state();
        state.last.retain(|_, at| at.elapsed() < REMEMBERED);
        News {
            dirt: Dirt {
                paths: std::mem::take(&mut state.paths).into_iter().collect(),
                folders: std::mem::take(&mut state.folders).into_iter().collect(),
                everything: std::mem::take(&mut state.is_everything),
            },
            gone: std::mem::take(&mut state.gone),
            is_lost: std::mem::take(&mut state.is_lost),
        }
    }

    pub(super) fn root_opened_count(&self) -> u64 {
        self.state().root_opened_count
    }

    pub(super) fn expect_cookie(&self, cookie: &Path) -> Awaited<'_> {
        self.state().cookies.insert(cookie.to_owned(), false);
        Awaited { gathered: self, cookie: cookie.to_owned() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self) -> Dirt {
        self.state().lose();
        self.cookie_came.notify_all();
        Dirt { everything: true, ..Dirt::default() }
    }

    fn note(&self, meaning: Meaning, paths: &[PathBuf]) -> Dirt {
        let mut state = self.state();
        let mut dirt = Dirt::default();
        for path in paths {
            if path.starts_with(&self.cookies) {
                if let Some(has_come) = state.cookies.get_mut(path) {
                    *has_come = true;
                    self.cookie_came.notify_all();
                }
            } else if let Some(below) = self.below_a_place(path) {
                state.note(meaning, path, &below, &mut dirt);
            } else if *path == self.root {
                dirt.everything |= state.note_root(meaning);
            } else if let Ok(below) = path.strip_prefix(&self.root) {
                state.note(meaning, path, below, &mut dirt);
            }
        }
        dirt
    }

    /// The name in the tree of what lies in a folder of another place.
    fn below_a_place(&self, path: &Path) -> Option<PathBuf> {
        self.places.iter().find_map(|(name, place)| {
            let rest = path.strip_prefix(place).ok()?;
            Some([Path::new(name.as_str()), rest].iter().collect())
        })
    }
}

impl State {
    fn lose(&mut self) {
        (self.paths, self.folders, self.gone) = Default::default();
        self.last.clear();
        self.is_lost = true;
    }

    fn note_root(&mut self, meaning: Meaning) -> bool {
        match meaning {
            Meaning::Nothing => return false,
            Meaning::Opened => {
                self.root_opened_count += 1;
                return false;
            }
            Meaning::Changed => self.is_everything = true,
            Meaning::FolderChanged { .. } | Meaning::Gone => self.lose(),
        }
        true
    }

    fn note(&mut self, meaning: Meaning, path: &Path, below: &Path, dirt: &mut Dirt) {
        if matches!(meaning, Meaning::Nothing | Meaning::Opened) {
            return;
        }
        if matches!(meaning, Meaning::Gone | Meaning::FolderChanged { is_gone: true }) {
            self.gone.insert(path.to_owned());
        }
        match nearest(below) {
            (Some(path), true) if !matches!(meaning, Meaning::FolderChanged { .. }) => {
                self.last.insert(path.clone(), Instant::now());
                dirt.paths.push(path.clone());
                self.paths.insert(path);
            }
            (Some(folder), _) => {
                self.last.insert(folder.clone(), Instant::now());
                dirt.folders.push(folder.clone());
                self.folders.insert(folder);
            }
            (None, _) => {
                dirt.everything = true;
                self.is_everything = true;
            }
        }
        let count = self.paths.len() + self.folders.len() + self.gone.len();
        if count.max(self.last.len()) > MOST_PATHS {
            dirt.everything = true;
            self.lose();
        }
    }
}

/// The path itself, or else the folder in which its name can be skipped.
fn nearest(below: &Path) -> (Option<RelPath>, bool) {
    let read = |path: &Path| path.to_str().and_then(|text| RelPath::new(text).ok());
    match read(below) {
        Some(path) => (Some(path), true),
        None => (below.ancestors().skip(1).find_map(read), false),
    }
}

/// A cookie on its way through the queue.
pub(super) struct Awaited<'a> {
    gathered: &'a Gathered,
    cookie: PathBuf,
}

impl Awaited<'_> {
    /// Whether the cookie came within `patience`, or needn't come: when events
    /// were lost, it may be one of them, and all there is to know is known.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        let has_come = |state: &State| state.cookies.get(&self.cookie) == Some(&true);
        let is_over = |state: &State| state.is_lost || has_come(state);
        let came = &self.gathered.cookie_came;
        let state = self.gathered.state();
        let waited = came.wait_timeout_while(state, patience, |state| !is_over(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        is_over(&state)
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.gathered.state().cookies.remove(&self.cookie);
    }
}
