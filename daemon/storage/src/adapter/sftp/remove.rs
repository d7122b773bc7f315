//! Removes files, and the folders that they leave empty.

use super::error::{FOLDER_IN_THE_WAY, rejected};
use super::paths::{Parents, Root};
use super::stat::Entry;
use crate::{Expect, Guarded, RemotePath, StorageError};

pub(super) async fn remove(
    root: &Root,
    path: &RemotePath,
    expect: &Expect,
) -> Result<Guarded<()>, StorageError> {
    let (parents, entry) = root.entry_at(path).await?;
    match (&entry, expect) {
        (Entry::File(seen), Expect::At(at)) if seen.revision() != *at => {
            return Ok(Guarded::Refused);
        }
        (Entry::File(_) | Entry::BodyInFolder(_), Expect::Absent) => return Ok(Guarded::Refused),
        (Entry::BodyInFolder(_), _) => return Err(rejected(path, FOLDER_IN_THE_WAY)),
        (Entry::File(_), _) => match root.session.unlink(&root.at(path)).await {
            Err(failure) if !failure.is_missing() => return Err(root.error(path)(failure)),
            _ => {}
        },
        (Entry::Nothing | Entry::Folder | Entry::Other, _) => {}
    }
    if parents == Parents::Folders {
        root.remove_empty_parents(path);
    }
    Ok(Guarded::Done(()))
}
