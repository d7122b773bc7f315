//! Where the link of a commit may point to (B9).
//!
//! Inside the project, not at or through `.git`, `_mirror` or another link.
//! That it isn't at or through an ignored folder is for the engine to see.

use std::os::fd::AsFd as _;

use mirror_core::{Kind, RelPath};

use super::error::{self, Result};
use super::root::Root;
use super::sight;
use crate::outside::TreeError;

/// What Linux can hold.
pub(super) const MAX_TARGET_BYTES: usize = 4_095;

/// Reads a target's text, if it is one that the link at `path` may have.
pub(super) fn check<'a>(root: &Root, path: &RelPath, target: &'a [u8]) -> Result<&'a str> {
    let refused = || TreeError::LinkRefused(path.clone());
    let text = std::str::from_utf8(target).map_err(|_| refused())?;
    if text.is_empty() || text.len() > MAX_TARGET_BYTES || text.contains('\0') {
        return Err(refused());
    }
    for place in places(path, text).ok_or_else(refused)? {
        if place == *path || is_link(root, &place, path)? {
            return Err(refused());
        }
    }
    Ok(text)
}

/// Every place on the way from a link's folder to its target, in order; `None`
/// when the way leads out of the project or into what isn't mirrored.
fn places(path: &RelPath, target: &str) -> Option<Vec<RelPath>> {
    let mut here = path.parent();
    let mut places = Vec::new();
    if target.starts_with('/') {
        return None;
    }
    for component in target.split('/') {
        here = match (component, here) {
            ("" | ".", here) => here,
            ("..", here) => here?.parent(),
            (name, Some(here)) => Some(here.join(name).ok()?),
            (name, None) => Some(RelPath::new(name).ok()?),
        };
        places.extend(here.clone());
    }
    Some(places)
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
