//! Looks along the way of a commit's link for another link (B9).
//!
//! Where the way may go at all is for [`crate::links`] to say, and that it isn't
//! at or through an ignored folder is for the engine to see.

use std::os::fd::AsFd as _;

use mirror_core::{Kind, RelPath};

use super::error::{self, Result};
use super::root::Root;
use super::sight;
use crate::links;
use crate::outside::TreeError;

/// Reads a target's text, if it is one that the link at `path` may have.
pub(super) fn check<'a>(root: &Root, path: &RelPath, target: &'a [u8]) -> Result<&'a str> {
    let refused = || TreeError::LinkRefused(path.clone());
    for place in links::way(path, target).ok_or_else(refused)? {
        if is_link(root, &place, path)? {
            return Err(refused());
        }
    }
    std::str::from_utf8(target).map_err(|_| refused())
}

/// Looks at one place on the way. What is behind a file, or isn't there, is no
/// link; each place before it was looked at already.
fn is_link(root: &Root, place: &RelPath, path: &RelPath) -> Result<bool> {
    let Some(folder) = (match root.parent(place) {
        Err(TreeError::Obstructed(_)) => return Ok(false),
        answer => answer?,
    }) else {
        return Ok(false);
    };
    let stat = error::absent_is_none(sight::stat_of(folder.as_fd(), place.name()));
    let stamp = stat.map_err(error::at(path))?.and_then(|stat| sight::stamp_of(&stat));
    Ok(stamp.is_some_and(|stamp| stamp.kind == Kind::Link))
}
