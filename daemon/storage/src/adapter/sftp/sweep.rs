//! Removes what uploads left that were cut off (L9).
//!
//! What is old enough is renamed first, to a name that no upload knows. One that
//! goes on after all misses its file then, and fails: it can't publish what a
//! sweep has emptied.

use std::time::Duration;

use futures::stream::{StreamExt, iter};

use super::super::temp_names;
use super::error::rejected;
use super::list::{Folder, read_folder};
use super::paths::{self, Root};
use super::rename::send_move;
use super::stat::BODY;
use super::upload::Upload;
use super::wire::{Answer, Failure, FileAttrs, FileType, Reply, SftpErrorKind};
use crate::{Expect, NewFile, RemotePath, StorageError};

/// How many are looked at in one sweep, the oldest first.
const MOST: usize = 1_000;

/// How many are removed at once: the project waits for the end of a sweep.
const AT_ONCE: usize = 32;

pub(super) async fn sweep(root: &Root, age: Duration) -> Result<usize, StorageError> {
    let temps = paths::temps_folder();
    let looks: Vec<_> = oldest(read_folder(root.clone(), temps.clone()).await?)
        .into_iter()
        .map(|path| (root.session.look(&root.at(&path)), path))
        .collect();
    if looks.is_empty() {
        return Ok(0);
    }
    let now = now(root, &temps).await?;
    let age = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
    let is_old = |seen: &FileAttrs| changed(seen).is_some_and(|at| now.saturating_sub(at) > age);
    let removals: Vec<_> =
        looks.into_iter().map(|(look, path)| remove_if_old(root, path, look, is_old)).collect();
    let mut removals = iter(removals).buffer_unordered(AT_ONCE);
    let (mut swept, mut failed) = (0, None);
    while let Some(removed) = removals.next().await {
        match removed {
            Ok(is_removed) => swept += usize::from(is_removed),
            // What can't go keeps nothing else.
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    failed.map_or(Ok(swept), Err)
}

/// What uploads and sweeps left, as far as one sweep goes.
fn oldest(found: Folder) -> Vec<RemotePath> {
    let files = found.files.into_iter().map(|file| file.path);
    let mut uploads: Vec<_> = files
        .chain(found.folders)
        .filter_map(|path| Some((temp_names::moment(path.name())?, path)))
        .collect();
    uploads.sort_unstable();
    uploads.into_iter().take(MOST).map(|(_, path)| path).collect()
}

/// The server's own time, in seconds: that of a file made just now.
async fn now(root: &Root, temps: &RemotePath) -> Result<u32, StorageError> {
    let upload = Upload::create(root, &NewFile::plain(temps.clone(), Expect::Anything)).await?;
    let seen = root.session.look(&upload.at).await.map_err(root.error(temps))?;
    let unsaid = || StorageError::Malformed("the server does not say when a file changed".into());
    changed(&seen).ok_or_else(unsaid)
}

fn changed(seen: &FileAttrs) -> Option<u32> {
    seen.get_time().map(|(_, changed)| changed.into_raw())
}

async fn remove_if_old(
    root: &Root,
    path: RemotePath,
    look: Answer<FileAttrs>,
    is_old: impl Fn(&FileAttrs) -> bool,
) -> Result<bool, StorageError> {
    let removed = match look.await {
        Ok(seen) if !is_old(&seen) => return Ok(false),
        Ok(_) => rename_and_remove(root, &path, is_old).await,
        Err(failure) => Err(failure),
    };
    match removed {
        // Another sweep, or the upload itself, was faster.
        Err(failure) if failure.is_missing() => Ok(false),
        // What the server won't do now, it won't do at the next try either.
        Err(Failure::Refused(SftpErrorKind::Failure)) => Err(rejected(&path, temp_names::STUCK)),
        removed => removed.map_err(root.error(&path)),
    }
}

async fn rename_and_remove(
    root: &Root,
    path: &RemotePath,
    is_old: impl Fn(&FileAttrs) -> bool,
) -> Reply<bool> {
    let swept = paths::temp_path(&temp_names::swept_name());
    send_move(root, path, &swept).await?;
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

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    #[test]
    fn oldest_uploads_have_their_turn_first() {
        let path = |name: String| paths::temp_path(&name);
        let upload =
            |second: u64| temp_names::name_as_folder(&Ulid::from_parts(second, 0).to_string());
        let seconds: Vec<u64> = (0..=MOST as u64).rev().collect();
        let mut found = Folder::default();
        found.folders = seconds.iter().map(|second| path(upload(*second))).collect();
        found.folders.push(path("notes".to_owned()));

        let turn = oldest(found);

        let expected: Vec<_> = (0..MOST as u64).map(|second| path(upload(second))).collect();
        assert_eq!(turn, expected);
    }
}
