//! Renames files without ever replacing one, and clears away the folders that
//! they leave empty.

use futures::future::join;
use ulid::Ulid;

use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, rejected};
use super::paths::{Root, TRIES};
use super::stat::Entry;
use super::wire::{Answer, Extensions, Failure, FileAttrs, FileType, Reply, SftpErrorKind};
use crate::{Guarded, OUR_FOLDER, RemotePath, StorageError};

/// Renames in two ways. A name aside is made for one rename, so nothing can
/// stand there: what is at `from` goes there in one step, whole. To any other
/// name it goes by way of a name aside, where nobody else touches it: what a
/// crash leaves there is found like every aside.
pub(super) async fn rename(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    let renamed = match to.is_aside() {
        true => take_aside(root, from, to).await,
        false => rename_by_way_of_aside(root, from, to).await,
    };
    // Whichever of the two folders has nothing in it now. A file that went aside
    // is about to be replaced: its folder stays, with its mode and owner.
    if !to.is_aside() {
        root.remove_empty_parents(from);
    }
    if !matches!(renamed, Ok(Guarded::Done(()))) {
        root.remove_empty_parents(to);
    }
    renamed
}

async fn rename_by_way_of_aside(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    let (source, target) = join(root.entry_at(from), root.entry_at(to)).await;
    let ((_, source), (parents, target)) = (source?, target?);
    if !matches!(source, Entry::File(_)) {
        return Ok(Guarded::Refused);
    }
    parents.has_room(to)?;
    match target {
        Entry::Nothing => {}
        Entry::File(_) | Entry::BodyInFolder(_) => return Ok(Guarded::Refused),
        Entry::Folder if !to.is_ours() && root.clear_empty(to).await? => {}
        Entry::Folder => return Err(rejected(to, FOLDER_IN_THE_WAY)),
        Entry::Other => return Err(rejected(to, NO_FILE_IN_THE_WAY)),
    }
    let (machine, moment) = (Ulid::generate(), Ulid::generate());
    let aside = format!("{OUR_FOLDER}/aside/{machine}/{moment}/{from}");
    let aside = RemotePath::new(aside).expect("a part of a normal path");
    if take_aside(root, from, &aside).await? == Guarded::Refused {
        return Ok(Guarded::Refused);
    }
    let passed = name_from_aside(root, &aside, to).await;
    if !matches!(passed, Ok(Guarded::Done(()))) {
        // Back, unless somebody saved there meanwhile: then it stays aside.
        name_from_aside(root, &aside, from).await?;
    }
    root.remove_empty_parents(&aside);
    passed
}

/// Takes what stands at `from` to a name aside, in one step.
async fn take_aside(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    let (source, target) = (root.entry_at(from), root.entry_at(to));
    let (source, target) = join(source, target).await;
    let ((_, source), (mut parents, target)) = (source?, target?);
    if !matches!(source, Entry::File(_)) || !target.is_nothing() {
        return Ok(Guarded::Refused);
    }
    for _ in 0..TRIES {
        parents.has_room(to)?;
        root.make_parents(to).await;
        let (moved, arrived) = (send_move(root, from, to), root.session.look(&root.at(to)));
        match moved.await {
            Ok(()) => {
                let kind = arrived.await.ok().and_then(|arrived| arrived.get_filetype());
                return put_back_if_no_file(root, kind, (from, to)).await;
            }
            Err(failure) if failure.is_missing() => root.forget_parents(to),
            Err(failure) => return Err(root.full_or(failure, 1, to).await),
        }
        let (source, target) = join(root.entry_at(from), root.entry_at(to)).await;
        if !matches!(source?.1, Entry::File(_)) {
            return Ok(Guarded::Refused);
        }
        parents = target?.0;
    }
    Err(StorageError::Unreachable("its folder vanishes again and again".into()))
}

/// Sends the one-step rename, where the server has one.
pub(super) fn send_move(root: &Root, from: &RemotePath, to: &RemotePath) -> Answer<()> {
    let (from, to) = (root.at(from), root.at(to));
    match root.session.has(Extensions::POSIX_RENAME) {
        true => root.session.rename_over(&from, &to),
        false => root.session.rename(&from, &to),
    }
}

/// A folder may have taken the file's place since we looked.
async fn put_back_if_no_file(
    root: &Root,
    kind: Option<FileType>,
    (from, to): (&RemotePath, &RemotePath),
) -> Result<Guarded<()>, StorageError> {
    if matches!(kind, None | Some(FileType::RegularFile)) {
        return Ok(Guarded::Done(()));
    }
    let (aside, home) = (root.at(to), root.at(from));
    root.session.rename(&aside, &home).await.map_err(root.error(from))?;
    Ok(Guarded::Refused)
}

/// Gives what stands aside a name where nothing stands.
async fn name_from_aside(
    root: &Root,
    aside: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    for _ in 0..TRIES {
        root.make_parents(to).await;
        let failure = match give_name(root, aside, to).await {
            Ok(()) => return Ok(Guarded::Done(())),
            Err(failure) => failure,
        };
        root.forget_parents(to);
        let (parents, entry) = root.entry_at(to).await?;
        parents.has_room(to)?;
        match failure {
            _ if !entry.is_nothing() => return Ok(Guarded::Refused),
            failure if failure.is_missing() => {}
            failure => return Err(root.full_or(failure, 1, to).await),
        }
    }
    Err(StorageError::Unreachable("its folder vanishes again and again".into()))
}

async fn give_name(root: &Root, aside: &RemotePath, to: &RemotePath) -> Reply<()> {
    let (aside, to) = (root.at(aside), root.at(to));
    if root.session.has(Extensions::HARDLINK) {
        let standing = root.session.look(&aside);
        let (linked, there) = (root.session.link(&aside, &to), root.session.look(&to));
        match linked.await {
            // The name aside may be the only one: some servers say that they have
            // made a link, and make none, also where another file stands.
            Ok(()) => match there.await {
                Ok(there) if is_same(&standing.await?, &there) => {
                    return root.session.unlink(&aside).await;
                }
                Ok(_) => return Err(Failure::Refused(SftpErrorKind::Failure)),
                Err(failure) if failure.is_missing() => {}
                Err(failure) => return Err(failure),
            },
            // No hard links on this file system after all.
            Err(Failure::Refused(SftpErrorKind::PermDenied | SftpErrorKind::OpUnsupported)) => {}
            Err(failure) => return Err(failure),
        }
    }
    // Some servers rename over what stands there.
    match root.session.look(&to).await {
        Ok(_) => Err(Failure::Refused(SftpErrorKind::Failure)),
        Err(failure) if failure.is_missing() => root.session.rename(&aside, &to).await,
        Err(failure) => Err(failure),
    }
}

/// Whether two names may well be those of one file, by all that a server says.
fn is_same(one: &FileAttrs, other: &FileAttrs) -> bool {
    let told = |seen: &FileAttrs| (seen.get_filetype(), seen.get_size());
    told(one) == told(other)
}
