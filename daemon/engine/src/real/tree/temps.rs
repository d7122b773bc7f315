//! Our temporary files, as a crash may have left them (B3).

use std::io::Read;
use std::os::fd::{AsFd as _, OwnedFd};

use mirror_core::{RelPath, State};
use rustix::fs::fsync;
use rustix::io::Errno;

use super::error::{self, Result};
use super::stage::unfinished_of;
use super::{LocalTree, sight};
use crate::outside::TreeError;
use crate::outside::tree::{Opened, digest_of, spare_of};

impl LocalTree {
    pub(super) fn restore(&self, path: &RelPath, temp: &str) -> Result<bool> {
        let Some(folder) = self.root.parent(path)? else {
            return Ok(false);
        };
        match self.names.move_in(folder.as_fd(), temp, path.name()) {
            Ok(()) => {}
            Err(Errno::EXIST | Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(error::at(path)(errno)),
        }
        self.names.flush(folder.as_fd()).map_err(error::at(path))?;
        Ok(true)
    }

    pub(super) fn state_of_temp(&self, path: &RelPath, temp: &str) -> Result<Option<State>> {
        let opened = self.open_beside(path, temp)?;
        let Some((stamp, mut reader)) = opened else {
            return Ok(None);
        };
        let digested = digest_of(&mut reader);
        let (digest, _) = digested.map_err(error::io_at(path))?;
        Ok(Some(sight::state(stamp, digest)))
    }

    /// Opens what stands at `name` in the folder of `path`.
    pub(super) fn open_beside(&self, path: &RelPath, name: &str) -> Result<Option<Opened>> {
        let Some(folder) = self.root.parent(path)? else {
            return Ok(None);
        };
        let opened = error::absent_is_none(sight::open(folder.as_fd(), name));
        Ok(opened.map_err(error::at(path))?.flatten())
    }

    /// Removes the names made of it too, which no call is ever asked for.
    pub(super) fn forget_temp(&self, path: &RelPath, temp: &str) -> Result<()> {
        let Some(folder) = self.root.parent(path)? else {
            return Ok(());
        };
        for name in [temp, &spare_of(temp), &unfinished_of(temp)] {
            let removed = error::absent_is_none(self.names.remove(folder.as_fd(), name));
            removed.map_err(error::at(path))?;
        }
        Ok(())
    }

    /// Flushes the file itself, too: a person may have written it just now.
    pub(super) fn flush_name(&self, path: &RelPath) -> Result<()> {
        let mut name = Some(path.clone());
        while let Some(at) = name {
            match self.root.parent(&at) {
                Ok(Some(folder)) => return self.flush_in(&folder, &at),
                // Then nothing stands there because of what is further up.
                Ok(None) | Err(TreeError::Obstructed(_)) => name = at.parent(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn flush_in(&self, folder: &OwnedFd, path: &RelPath) -> Result<()> {
        let opened = error::absent_is_none(sight::open_file(folder.as_fd(), path.name()));
        if let Some((_, file)) = opened.map_err(error::at(path))?.flatten() {
            fsync(file).map_err(error::at(path))?;
        }
        self.names.flush(folder.as_fd()).map_err(error::at(path))
    }
}

/// The bytes alone of what was opened.
pub(super) fn bytes_of(opened: Option<Opened>) -> Option<Box<dyn Read + Send>> {
    opened.map(|(_, reader)| reader)
}
