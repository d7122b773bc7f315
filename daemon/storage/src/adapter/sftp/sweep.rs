//! Removes what uploads left that were cut off (L9).
//!
//! What is old enough is renamed first, to a name that no upload knows. One that
//! goes on after all misses its file then, and fails: it can't publish what a
//! sweep has emptied.

use std::time::Duration;

use openssh_sftp_client_lowlevel::{FileAttrs, FileType};

use super::super::upload;
use super::calls::Reply;
use super::change::moved;
use super::list::folder;
use super::places::{self, Root};
use super::standing::BODY;
use super::temp::Temp;
use crate::{RemotePath, StorageError};

/// How many are looked at in one sweep; the next one finds the others.
const MOST: usize = 1_000;

pub(super) async fn sweep(root: &Root, age: Duration) -> Result<usize, StorageError> {
    let temps = places::temps();
    let found = folder(root.clone(), temps.clone()).await?;
    let files = found.files.into_iter().map(|file| file.path);
    let uploads = files.chain(found.folders).filter(|path| upload::is_ours(path.name()));
    let looks: Vec<_> =
        uploads.take(MOST).map(|path| (root.session.look(&root.at(&path)), path)).collect();
    if looks.is_empty() {
        return Ok(0);
    }
    let now = now(root, &temps).await?;
    let age = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
    let is_old = |seen: &FileAttrs| changed(seen).is_some_and(|at| now.saturating_sub(at) > age);
    let mut swept = 0;
    for (look, path) in looks {
        let is_candidate = match look.await {
            Ok(seen) => is_old(&seen),
            Err(failure) if failure.is_missing() => false,
            Err(failure) => return Err(root.error(&path)(failure)),
        };
        if is_candidate {
            match removed(root, &path, is_old).await {
                Ok(is_removed) => swept += usize::from(is_removed),
                // Another sweep, or the upload itself, was faster.
                Err(failure) if failure.is_missing() => {}
                Err(failure) => return Err(root.error(&path)(failure)),
            }
        }
    }
    Ok(swept)
}

/// The server's own time, in seconds: that of a file made just now.
async fn now(root: &Root, temps: &RemotePath) -> Result<u32, StorageError> {
    let temp = Temp::create(root, temps).await?;
    let seen = root.session.look(&temp.at).await.map_err(root.error(temps))?;
    let unsaid = || StorageError::Malformed("the server does not say when a file changed".into());
    changed(&seen).ok_or_else(unsaid)
}

fn changed(seen: &FileAttrs) -> Option<u32> {
    seen.get_time().map(|(_, changed)| changed.into_raw())
}

async fn removed(
    root: &Root,
    path: &RemotePath,
    is_old: impl Fn(&FileAttrs) -> bool,
) -> Reply<bool> {
    let swept = places::temp(&upload::swept_name());
    moved(root, path, &swept).await?;
    let at = root.at(&swept);
    let seen = root.session.look(&at).await?;
    if !is_old(&seen) {
        // It was written to meanwhile. Its upload fails, and it waits anew.
        return Ok(false);
    }
    if seen.get_filetype() != Some(FileType::Directory) {
        return root.session.unlink(&at).await.map(|()| true);
    }
    let body = root.session.unlink(&format!("{at}/{BODY}"));
    let folder = root.session.remove_folder(&at);
    match body.await {
        Err(failure) if !failure.is_missing() => return Err(failure),
        _ => {}
    }
    folder.await.map(|()| true)
}
