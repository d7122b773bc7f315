//! Reads files and digests them. All of it blocks.

use std::io::{self, Read};

use mirror_core::{Kind, RelPath, State};

use super::look::{Place, concerns_root};
use super::{Indexed, skips};
use crate::links;
use crate::outside::tree::digest_of;
use crate::outside::{Outside, Stamp, TreeError};

/// A file that is written all the time can't be read; one that is saved often can.
const TRIES: usize = 10;

/// How reading one file ended.
#[derive(Debug)]
pub(super) enum Reading {
    Read(Indexed),
    Gone,
    /// Something above it is no folder any more.
    Obstructed,
    /// A link that no machine may have: out of the project, at or through
    /// another link, or to what is ignored.
    LeadsOut,
    Unreadable,
    /// It changed each time while it was read.
    Unsettled,
}

/// Reads one file until it stays the same from beginning to end.
pub(super) fn read(place: &Place, outside: &Outside, path: &RelPath) -> Result<Reading, TreeError> {
    let (tree, clock, interrupt) = (&*place.tree, &*outside.clock, &outside.interrupt);
    for _ in 0..TRIES {
        if interrupt.is_cancelled() {
            return Err(cancelled(path));
        }
        // Taken before the first byte is read: a later write is then within
        // the time in which the entry counts as racy (B10).
        let hashed_at = clock.now();
        let (stamp, content) = match tree.open(path) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(Reading::Gone),
            Err(TreeError::Obstructed(_)) => return Ok(Reading::Obstructed),
            Err(error) if concerns_root(&error) => return Err(error),
            Err(_) => return Ok(Reading::Unreadable),
        };
        let content = state_of(place, path, stamp, &mut interrupt.guard(content));
        if interrupt.is_cancelled() {
            return Err(cancelled(path));
        }
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

/// Says nothing of the file: its next look is as if there had been none.
fn cancelled(path: &RelPath) -> TreeError {
    let cause = io::Error::other("the job was cancelled");
    TreeError::Failed { path: path.clone(), cause }
}

/// Digests what was opened; `None` for a link that may not be mirrored.
fn state_of(
    place: &Place,
    path: &RelPath,
    stamp: Stamp,
    content: &mut dyn Read,
) -> io::Result<Option<State>> {
    match stamp.kind {
        Kind::File => {
            // One byte more shows growth; a file that grows for ever must end here.
            let (digest, _) = digest_of(&mut content.take(stamp.size.saturating_add(1)))?;
            Ok(Some(State { kind: Kind::File, digest, exec: stamp.exec }))
        }
        Kind::Link => {
            let mut target = Vec::new();
            content.take(links::MAX_TARGET_BYTES as u64 + 1).read_to_end(&mut target)?;
            Ok(may_point_to(place, path, &target).then(|| skips::link_state(&target)))
        }
    }
}

/// Whether every other machine would take this link too.
fn may_point_to(place: &Place, path: &RelPath, target: &[u8]) -> bool {
    // What can't be looked at is no link.
    let link_at = |at: &RelPath| Ok::<_, TreeError>(place.tree.link_at(at).unwrap_or_default());
    let way = links::follow(path, target, link_at).unwrap_or_default();
    way.is_some_and(|way| !links::is_ignored(&way, &place.coverage))
}
