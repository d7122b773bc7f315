//! Follows the way of a commit's link along the links that stand here (B9).
//!
//! Where the way may go at all is for [`crate::links`] to say, and that it isn't
//! at or through an ignored folder is for the engine to see.

use mirror_core::RelPath;

use super::LocalTree;
use super::error::Result;
use crate::links;
use crate::outside::{Tree as _, TreeError};

impl LocalTree {
    /// Reads a target's text, if it is one that the link at `path` may have.
    pub(super) fn text_of_target<'a>(&self, path: &RelPath, target: &'a [u8]) -> Result<&'a str> {
        let refused = || TreeError::LinkRefused(path.clone());
        // What is behind a file, or isn't there, is no link; each place before it
        // was looked at already.
        let link_at = |place: &RelPath| match self.link_at(place) {
            Err(TreeError::Obstructed(_)) => Ok(None),
            answer => answer,
        };
        links::follow(path, target, link_at)?.ok_or_else(refused)?;
        std::str::from_utf8(target).map_err(|_| refused())
    }
}
