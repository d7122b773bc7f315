//! Which files here were for their owner alone when they were agreed on (B14).

use mirror_core::{RelPath, SharedMap};

/// The paths of such files.
#[derive(Clone, Debug, Default)]
pub struct Private(pub(super) SharedMap<RelPath, ()>);

impl Private {
    pub fn contains(&self, path: &RelPath) -> bool {
        self.0.contains_key(path)
    }

    /// All of them, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &RelPath> {
        self.0.keys()
    }

    /// Whether that changes anything.
    pub(super) fn set(&mut self, path: &RelPath, is_private: bool) -> bool {
        let changes = self.contains(path) != is_private;
        match is_private {
            true => drop(self.0.insert(path.clone(), ())),
            false => drop(self.0.remove(path)),
        }
        changes
    }
}
