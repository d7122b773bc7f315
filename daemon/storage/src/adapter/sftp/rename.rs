//! Removes and renames files, and the folders they leave empty.

use futures::future::join;
use openssh_sftp_client_lowlevel::{Extensions, FileType, SftpErrorKind};
use ulid::Ulid;

use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, rejected};
use super::paths::{Around, Root, TRIES};
use super::stat::Standing;
use super::wire::requests::{Answer, Failure, Reply};
use crate::{Expect, Guarded, OUR_FOLDER, RemotePath, StorageError};

pub(super) async fn remove(
    root: &Root,
    path: &RemotePath,
    expect: &Expect,
) -> Result<Guarded<()>, StorageError> {
    let (around, standing) = root.standing(path).await?;
    match (&standing, expect) {
        (Standing::File(seen), Expect::At(at)) if seen.revision() != *at => {
            return Ok(Guarded::Refused);
        }
        (Standing::File(_) | Standing::Entry(_), Expect::Absent) => return Ok(Guarded::Refused),
        (Standing::Entry(_), _) => return Err(rejected(path, FOLDER_IN_THE_WAY)),
        (Standing::File(_), _) => match root.session.unlink(&root.at(path)).await {
            Err(failure) if !failure.is_missing() => return Err(root.error(path)(failure)),
            _ => {}
        },
        (Standing::Nothing | Standing::Folder | Standing::Other, _) => {}
    }
    if around == Around::Folders {
        root.tidy_around(path);
    }
    Ok(Guarded::Done(()))
}

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
        true => taken(root, from, to).await,
        false => passed_on(root, from, to).await,
    };
    // Whichever of the two folders has nothing in it now. A file that went aside
    // is about to be replaced: its folder stays, with its mode and owner.
    if !to.is_aside() {
        root.tidy_around(from);
    }
    if !matches!(renamed, Ok(Guarded::Done(()))) {
        root.tidy_around(to);
    }
    renamed
}

async fn passed_on(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    let (source, target) = join(root.standing(from), root.standing(to)).await;
    let ((_, source), (around, target)) = (source?, target?);
    if !matches!(source, Standing::File(_)) {
        return Ok(Guarded::Refused);
    }
    around.has_room(to)?;
    match target {
        Standing::Nothing => {}
        Standing::File(_) | Standing::Entry(_) => return Ok(Guarded::Refused),
        Standing::Folder if !to.is_ours() && root.clear_empty(to).await? => {}
        Standing::Folder => return Err(rejected(to, FOLDER_IN_THE_WAY)),
        Standing::Other => return Err(rejected(to, NO_FILE_IN_THE_WAY)),
    }
    let (machine, moment) = (Ulid::generate(), Ulid::generate());
    let aside = format!("{OUR_FOLDER}/aside/{machine}/{moment}/{from}");
    let aside = RemotePath::new(aside).expect("a part of a normal path");
    if taken(root, from, &aside).await? == Guarded::Refused {
        return Ok(Guarded::Refused);
    }
    let passed = given(root, &aside, to).await;
    if !matches!(passed, Ok(Guarded::Done(()))) {
        // Back, unless somebody saved there meanwhile: then it stays aside.
        given(root, &aside, from).await?;
    }
    root.tidy_around(&aside);
    passed
}

/// Takes what stands at `from` to a name aside, in one step.
async fn taken(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    let (source, target) = (root.standing(from), root.standing(to));
    let (source, target) = join(source, target).await;
    let ((_, source), (mut around, target)) = (source?, target?);
    if !matches!(source, Standing::File(_)) || !target.is_nothing() {
        return Ok(Guarded::Refused);
    }
    for _ in 0..TRIES {
        around.has_room(to)?;
        root.make_around(to);
        let (moved, arrived) = (moved(root, from, to), root.session.look(&root.at(to)));
        match moved.await {
            Ok(()) => {
                let kind = arrived.await.ok().and_then(|arrived| arrived.get_filetype());
                return put_back_if_no_file(root, kind, (from, to)).await;
            }
            Err(failure) if failure.is_missing() => root.forget_around(to),
            Err(failure) => return Err(root.full_or(failure, 1, to).await),
        }
        let (source, target) = join(root.standing(from), root.standing(to)).await;
        if !matches!(source?.1, Standing::File(_)) {
            return Ok(Guarded::Refused);
        }
        around = target?.0;
    }
    Err(StorageError::Unreachable("its folder vanishes again and again".into()))
}

/// Sends the one-step rename, where the server has one.
pub(super) fn moved(root: &Root, from: &RemotePath, to: &RemotePath) -> Answer<()> {
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
async fn given(
    root: &Root,
    aside: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    for _ in 0..TRIES {
        root.make_around(to);
        let failure = match named(root, aside, to).await {
            Ok(()) => return Ok(Guarded::Done(())),
            Err(failure) => failure,
        };
        root.forget_around(to);
        let (around, standing) = root.standing(to).await?;
        around.has_room(to)?;
        match failure {
            _ if !standing.is_nothing() => return Ok(Guarded::Refused),
            failure if failure.is_missing() => {}
            failure => return Err(root.full_or(failure, 1, to).await),
        }
    }
    Err(StorageError::Unreachable("its folder vanishes again and again".into()))
}

async fn named(root: &Root, aside: &RemotePath, to: &RemotePath) -> Reply<()> {
    let (aside, to) = (root.at(aside), root.at(to));
    if root.session.has(Extensions::HARDLINK) {
        match root.session.link(&aside, &to).await {
            Ok(()) => return root.session.unlink(&aside).await,
            // No hard links on this file system after all.
            Err(Failure::Refused(SftpErrorKind::PermDenied | SftpErrorKind::OpUnsupported)) => {}
            Err(failure) => return Err(failure),
        }
    }
    root.session.rename(&aside, &to).await
}
