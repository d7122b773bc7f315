//! Tells which folders of a working tree may have changed.
//!
//! A hint carries no facts, only "look again" (architecture.md). The engine
//! watches each folder before it lists it, so nothing falls between the two.

use std::time::Duration;

use mirror_core::RelPath;

/// What may have changed since the last [`Watch::settle`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirt {
    /// Files that were written, made, renamed or removed.
    pub paths: Vec<RelPath>,
    /// Folders that appeared, vanished or moved: everything below may differ.
    pub folders: Vec<RelPath>,
    /// Events were lost or could not be had: anything may differ.
    pub everything: bool,
}

impl Dirt {
    /// Adds what else may have changed.
    pub fn add(&mut self, other: &Self) {
        self.paths.extend(other.paths.iter().cloned());
        self.folders.extend(other.folders.iter().cloned());
        self.everything |= other.everything;
    }
}

/// A stream of file-system events of one working tree.
pub trait Watch: Send + Sync {
    /// Starts watching one folder, not those below; `None` is the root. `false`
    /// when it can't be watched (gone, or the system's watches are used up).
    fn add(&self, folder: Option<&RelPath>) -> bool;

    /// Waits until every change made before this call is known, by a cookie
    /// file through the same queue of events (so that one reads one's own writes),
    /// and takes what has gathered. `everything` is set when no event came
    /// within `patience`, or when a watch could not be had. Blocks.
    fn settle(&self, patience: Duration) -> Dirt;

    /// The same without taking it: also what was taken and is not yet in what
    /// readers see ([`Watch::taken_up`]).
    fn peek(&self, patience: Duration) -> Dirt;

    /// What was taken so far is in what readers see.
    fn taken_up(&self);

    /// How often that was said.
    fn taken_up_count(&self) -> u64;

    /// Whether events are arriving; false means every look is a walk.
    fn is_live(&self) -> bool;

    /// How long ago the last event told of this path, or of a folder above it;
    /// `None` when none did within the last minute or so.
    fn quiet_for(&self, _path: &RelPath) -> Option<Duration> {
        None
    }

    /// Called once with what to tell of each change, as soon as its event comes; it
    /// holds up all that follow.
    fn on_change(&self, wake: Box<dyn Fn(&Dirt) + Send + Sync>);
}

/// Watches nothing, so that every look is a walk: for a machine that gives no
/// events, and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManualWatch;

impl Watch for ManualWatch {
    fn add(&self, _folder: Option<&RelPath>) -> bool {
        false
    }

    fn settle(&self, _patience: Duration) -> Dirt {
        Dirt { everything: true, ..Dirt::default() }
    }

    fn peek(&self, _patience: Duration) -> Dirt {
        Dirt { everything: true, ..Dirt::default() }
    }

    fn taken_up(&self) {}

    fn taken_up_count(&self) -> u64 {
        0
    }

    fn is_live(&self) -> bool {
        false
    }

    fn on_change(&self, _wake: Box<dyn Fn(&Dirt) + Send + Sync>) {}
}
