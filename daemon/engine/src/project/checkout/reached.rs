//! How far a local write came that failed.
//!
//! Whoever was cut off knows nothing of that, and B3 makes the base of an absent
//! file unknown, which takes back a deletion. A step that failed before our own
//! eyes is looked at there and then.

use mirror_core::RelPath;

use super::recover::state_at;
use crate::outside::tree::spare_of;
use crate::outside::{Tree, TreeError};
use crate::state::Target;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reached {
    /// What stood there stands there, and nothing of ours is left beside it.
    Nothing,
    /// The new version was not made to the end under its temporary name.
    #[default]
    Begun,
    /// It was made, and may have been moved on.
    Staged,
    /// It was made, and a twin may have made room for it.
    Moving,
}

impl Reached {
    /// Removes what a step that failed left, where it is certain that it changed
    /// nothing else.
    pub(super) fn undone(self, tree: &dyn Tree, path: &RelPath, target: &Target) -> Self {
        let is_unmoved = match self {
            Self::Nothing | Self::Moving => return self,
            Self::Begun => Ok(true),
            Self::Staged => is_unmoved(tree, path, target),
        };
        let is_gone = is_unmoved.is_ok_and(|is_unmoved| {
            is_unmoved && tree.remove_temp(path, &target.temp_name).is_ok()
        });
        if is_gone { Self::Nothing } else { self }
    }
}

/// Whether the old version still has its own name, and nothing else has been caught
/// under one of ours. A tree that can't put a new one in its place removes it.
fn is_unmoved(tree: &dyn Tree, path: &RelPath, target: &Target) -> Result<bool, TreeError> {
    let temp = tree.look_at_temp(path, &target.temp_name)?;
    let local = state_at(tree, path)?;
    Ok(temp.is_none_or(|state| Some(state) == target.state)
        && tree.look_at_temp(path, &spare_of(&target.temp_name))?.is_none()
        && local == target.expected
        && local != target.state)
}
