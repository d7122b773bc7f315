//! Reads files and digests them. All of it blocks.

use std::io::{self, Read};

use mirror_core::{Kind, RelPath, State};

use super::look::concerns_root;
use super::{Indexed, skips};
use crate::outside::tree::digest_of;
use crate::outside::{Clock, Stamp, Tree, TreeError};

/// A file that is written all the time can't be read; one that is saved often can.
const TRIES: usize = 10;

/// How reading one file ended.
#[derive(Debug)]
pub(super) enum Reading {
    Read(Indexed),
    Gone,
    /// A link that leads out of the project.
    LeadsOut,
    Unreadable,
    /// It changed each time while it was read.
    Unsettled,
}

/// Reads one file until it stays the same from beginning to end.
pub(super) fn read(
    tree: &dyn Tree,
    clock: &dyn Clock,
    path: &RelPath,
) -> Result<Reading, TreeError> {
    for _ in 0..TRIES {
        // Taken before the first byte is read: a later write is then within
        // the time in which the entry counts as racy (B10).
        let hashed_at = clock.now();
        let (stamp, mut content) = match tree.open(path) {
            Ok(Some(opened)) => opened,
            Ok(None) | Err(TreeError::Obstructed(_)) => return Ok(Reading::Gone),
            Err(error) if concerns_root(&error) => return Err(error),
            Err(_) => return Ok(Reading::Unreadable),
        };
        let content = state_of(path, stamp, content.as_mut());
        match (content, tree.stamp(path)) {
            (_, Err(error)) if concerns_root(&error) => return Err(error),
            (Ok(Some(state)), Ok(Some(after))) if after == stamp => {
                return Ok(Reading::Read(Indexed { stamp, state, hashed_at }));
            }
            (Ok(None), Ok(Some(after))) if after == stamp => return Ok(Reading::LeadsOut),
            (_, Ok(after)) if after != Some(stamp) => {}
            _ => return Ok(Reading::Unreadable),
        }
    }
    Ok(Reading::Unsettled)
}

/// Digests what was opened; `None` for a link that leads out.
fn state_of(path: &RelPath, stamp: Stamp, content: &mut dyn Read) -> io::Result<Option<State>> {
    match stamp.kind {
        Kind::File => {
            // One byte more shows growth; a file that grows for ever must end here.
            let (digest, _) = digest_of(&mut content.take(stamp.size.saturating_add(1)))?;
            Ok(Some(State { kind: Kind::File, digest, exec: stamp.exec }))
        }
        Kind::Link => {
            let mut target = Vec::new();
            content.take(skips::MAX_TARGET_BYTES).read_to_end(&mut target)?;
            Ok((!skips::leads_out(path, &target)).then(|| skips::link_state(&target)))
        }
    }
}
