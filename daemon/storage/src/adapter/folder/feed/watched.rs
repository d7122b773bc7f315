//! One folder and those right in it, as somebody watches them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use rustix::io::Errno;
use tokio::sync::watch;

use super::inotify::{Heard, Queue};
use crate::{Changes, Hint};

/// The folders that somebody watches, until it is dropped.
#[derive(Debug)]
pub(super) struct WatchedFolder {
    folder: PathBuf,
    /// Which folder stood there when it began.
    identity: (u64, u64),
    queue: Arc<Queue>,
    number: u64,
    watches: Vec<i32>,
    heard: watch::Receiver<Heard>,
}

impl WatchedFolder {
    pub(super) fn begin(queue: Arc<Queue>, folder: &Path) -> Result<Self, Errno> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let (sender, heard) = watch::channel(Heard::default());
        let mut watched = Self {
            identity: identity(folder).ok_or(Errno::NOENT)?,
            folder: folder.to_owned(),
            queue,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            watches: Vec::new(),
            heard,
        };
        watched.listen(folder, true, &sender)?;
        // Listed after it is watched: of what appears later, an event tells.
        for entry in fs::read_dir(folder).map_err(|error| errno(&error))? {
            let entry = entry.map_err(|error| errno(&error))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                match watched.listen(&entry.path(), false, &sender) {
                    // It went meanwhile, which an event tells, too.
                    Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => {}
                    Err(errno) => return Err(errno),
                }
            }
        }
        match identity(folder) == Some(watched.identity) {
            true => Ok(watched),
            false => Err(Errno::AGAIN),
        }
    }

    fn listen(
        &mut self,
        folder: &Path,
        is_top: bool,
        heard: &watch::Sender<Heard>,
    ) -> Result<(), Errno> {
        self.watches.push(self.queue.listen(folder, is_top, self.number, heard)?);
        Ok(())
    }
}

impl Drop for WatchedFolder {
    fn drop(&mut self) {
        self.queue.leave(&self.watches, self.number);
    }
}

#[async_trait]
impl Changes for WatchedFolder {
    async fn next(&mut self) -> Hint {
        match self.heard.changed().await {
            Ok(()) if !self.heard.borrow_and_update().is_over => Hint::Changed,
            // Whoever would tell of more is gone.
            Ok(()) | Err(_) => Hint::Over,
        }
    }

    async fn holds(&self) -> bool {
        let (folder, known) = (self.folder.clone(), self.identity);
        let look = move || identity(&folder) == Some(known);
        tokio::task::spawn_blocking(look).await.unwrap_or(false)
    }
}

fn identity(folder: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::lstat(folder).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
