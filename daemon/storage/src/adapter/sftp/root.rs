//! The folder that a backend stands in, before and after a project uses it.
//!
//! The calls of [`Backend`](crate::Backend) never make the root: one that is
//! missing is most likely a disk that is not mounted on the server.

use super::paths::{Root, share_folder};
use super::wire::{Extensions, Failure, FileAttrs, FileType};
use super::{SftpBackend, SftpConnection};
use crate::{RemotePath, StorageError};

/// What stands where a backend's root should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SftpRoot {
    Folder,
    /// Nothing, in a folder that is there.
    Nothing,
    /// Not even the folder above.
    NothingAbove,
    /// Something that is no folder.
    NoFolder,
}

/// What the server can do beyond the protocol that it must speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SftpFeatures {
    pub fsync: bool,
    pub hardlink: bool,
    pub posix_rename: bool,
}

impl SftpConnection {
    pub async fn features(&self) -> Result<SftpFeatures, StorageError> {
        let session = self.session().await?;
        Ok(SftpFeatures {
            fsync: session.has(Extensions::FSYNC),
            hardlink: session.has(Extensions::HARDLINK),
            posix_rename: session.has(Extensions::POSIX_RENAME),
        })
    }
}

impl SftpBackend {
    /// Looks at the root, changing nothing.
    pub async fn look_at_root(&self) -> Result<SftpRoot, StorageError> {
        let root = self.reach().await?;
        let at = root.at(&RemotePath::ROOT);
        match kind_of(&root, &at).await? {
            Some(FileType::Directory) => Ok(SftpRoot::Folder),
            Some(_) => Ok(SftpRoot::NoFolder),
            // Here what is followed is missing: a link that leads nowhere is
            // nothing that a folder could take the place of.
            None if root.session.look(&at).await.is_ok() => Ok(SftpRoot::NoFolder),
            None => match kind_of(&root, above(&at)).await? {
                Some(FileType::Directory) => Ok(SftpRoot::Nothing),
                Some(_) | None => Ok(SftpRoot::NothingAbove),
            },
        }
    }

    /// Whether the root gives its group to what is made in it, or lets that write;
    /// of one that is missing, whether the folder above would give it its group.
    pub async fn is_for_group(&self) -> Result<bool, StorageError> {
        is_for_group(&self.reach().await?).await
    }

    /// Makes the root in a folder that is there.
    pub async fn make_root(&self) -> Result<(), StorageError> {
        let root = self.reach().await?;
        let path = RemotePath::ROOT;
        let at = root.at(&path);
        let made = root.session.make_folder(&at, root.rights.of_folder()).await;
        let made = share_folder(&root.session, &at, root.rights, made).await;
        // Another machine may have been faster.
        match made {
            Err(failure) if self.look_at_root().await? != SftpRoot::Folder => {
                Err(root.full_or(failure, 1, &path).await)
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes a folder that holds nothing, [`RemotePath::ROOT`] for the root
    /// itself; one that holds something stays, and one that is gone is fine.
    pub async fn remove_empty(&self, folder: &RemotePath) -> Result<(), StorageError> {
        let root = self.reach().await?;
        match root.session.remove_folder(&root.at(folder)).await {
            Ok(()) | Err(Failure::Refused(_)) => Ok(()),
            Err(failure) => Err(root.error(folder)(failure)),
        }
    }
}

pub(super) async fn is_for_group(root: &Root) -> Result<bool, StorageError> {
    let at = root.at(&RemotePath::ROOT);
    let bits = |seen: FileAttrs| seen.get_permissions().map_or(0, |mode| mode.bits());
    let look = async |at: &str| match root.session.follow(at).await {
        Ok(seen) => Ok(Some(bits(seen))),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(root.error(&RemotePath::ROOT)(failure)),
    };
    match look(&at).await? {
        Some(mode) => Ok(mode & 0o2020 != 0),
        None => Ok(look(above(&at)).await?.is_some_and(|mode| mode & 0o2000 != 0)),
    }
}

/// What stands at the server's `path`, once links are followed.
async fn kind_of(root: &Root, path: &str) -> Result<Option<FileType>, StorageError> {
    match root.session.follow(path).await {
        Ok(seen) => Ok(seen.get_filetype()),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(root.error(&RemotePath::ROOT)(failure)),
    }
}

/// The folder that the server's `path` stands in.
fn above(path: &str) -> &str {
    match path.rsplit_once('/') {
        None => ".",
        Some(("", _)) => "/",
        Some((above, _)) => above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_above_is_told_from_the_path() {
        for (path, expected) in [("/a/b", "/a"), ("/a", "/"), ("a/b", "a"), ("a", ".")] {
            assert_eq!(above(path), expected);
        }
    }
}
