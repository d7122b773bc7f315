//! An upload under way: a file of its own under `_mirror/tmp`, which vanishes
//! unless it is published.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use bytes::Bytes;
use futures::TryStreamExt;
use rustix::fs::{AtFlags, OFlags, Stat};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::super::access::Rights;
use super::super::temp_names;
use super::error::{at, io_at};
use super::paths::{self, Root};
use super::{rights, stat, sys};
use crate::{ByteStream, NewFile, RemotePath, StorageError};

/// How many chunks may wait between the runtime and the disk.
const WAITING: usize = 4;

/// Chunks on their way to the disk; `None` says that these were all, so that
/// an upload nobody waits for any more never passes for a complete one.
pub(super) type Chunks = mpsc::Receiver<Result<Option<Bytes>, StorageError>>;

/// Splits an upload into what the runtime does and what the disk receives.
pub(super) fn feed(mut bytes: ByteStream) -> (impl Future<Output = ()> + Send, Chunks) {
    let (sender, chunks) = mpsc::channel(WAITING);
    let feeding = async move {
        loop {
            let next = bytes.try_next().await;
            let is_last = !matches!(next, Ok(Some(_)));
            let is_wanted = sender.send(next).await.is_ok();
            if is_last || !is_wanted {
                return;
            }
        }
    };
    (feeding, chunks)
}

pub(super) struct Upload {
    folder: OwnedFd,
    name: String,
    file: File,
    /// How a folder is made that it may be published as.
    rights: Rights,
    is_published: bool,
    /// The folder that it is moved into, to be published as a folder.
    spelled: Option<String>,
}

impl Upload {
    /// Stores all `chunks` in a new file, so that they survive a power cut.
    pub(super) fn store(root: &Root, file: &NewFile, chunks: Chunks) -> Result<Self, StorageError> {
        let like = file.rights_of.as_ref().map_or(Like::Nothing, |like| like_of(root, like));
        let is_private = file.attributes.is_private;
        let is_for_owner = is_private || !matches!(like, Like::Nothing);
        let mut upload = Self::new(root, &file.path, is_for_owner)?;
        upload.fill(&file.path, chunks)?;
        upload.finish_rights(file, &like).map_err(at(&file.path))?;
        upload.file.sync_all().map_err(io_at(&file.path))?;
        Ok(upload)
    }

    /// What is said of it last: whose place it takes, and when it was changed.
    fn finish_rights(&self, file: &NewFile, like: &Like) -> Result<(), Errno> {
        if let Like::File(replaced) = like {
            rights::set_as_on(&self.file, replaced, file.attributes.is_private)?;
        }
        if let Some(modified) = file.attributes.modified {
            rights::set_time(&self.file, modified, &rustix::fs::fstat(&self.file)?);
        }
        Ok(())
    }

    pub(super) fn new(
        root: &Root,
        path: &RemotePath,
        is_private: bool,
    ) -> Result<Self, StorageError> {
        let folder = root.make_folders(paths::temps_folder().as_str(), path)?;
        let name = temp_names::name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = rights::first_of_file(root.rights, is_private);
        let file = rustix::fs::openat(&folder, &name, flags, mode).map_err(at(path))?;
        rights::set_on_file(&file, &folder, root.rights, is_private);
        let (file, rights) = (File::from(file), root.rights);
        Ok(Self { folder, name, file, rights, is_published: false, spelled: None })
    }

    fn fill(&mut self, path: &RemotePath, mut chunks: Chunks) -> Result<(), StorageError> {
        loop {
            match chunks.blocking_recv() {
                Some(Ok(Some(chunk))) => self.file.write_all(&chunk).map_err(io_at(path))?,
                Some(Ok(None)) => return Ok(()),
                Some(Err(error)) => return Err(error),
                None => return Err(abandoned(path)),
            }
        }
    }

    /// When the file was last written, by the clock of its file system.
    pub(super) fn changed(&self) -> Result<i64, Errno> {
        rustix::fs::fstat(&self.file).map(|stat| stat.st_mtime)
    }

    /// Gives the file its name, unless something stands there: by a link, by a rename
    /// that doesn't replace, or by what `last` allows where a file system has neither.
    pub(super) fn publish_exclusively(
        &mut self,
        parent: &OwnedFd,
        name: &str,
        last: LastWay,
    ) -> Result<(), Errno> {
        match sys::link((&self.folder, &self.name), (parent, name)) {
            // The first name goes with `self`. Some file systems say that they have
            // made a link, and make none (L10).
            Ok(()) => match self.stands_at(parent, name)? {
                Some(true) => return Ok(()),
                Some(false) => return Err(Errno::EXIST),
                None => {}
            },
            // No hard links here, which some file systems call not permitted.
            Err(errno) if errno == Errno::PERM || sys::is_unsupported(errno) => {}
            Err(errno) => return Err(errno),
        }
        match sys::rename_exclusively((&self.folder, &self.name), (parent, name)) {
            Err(errno) if sys::is_unsupported(errno) => {}
            renamed => {
                self.is_published = renamed.is_ok();
                return renamed;
            }
        }
        match last {
            LastWay::Folder => self.publish_as_folder(parent, name),
            // Two calls may have taken their time to fail: somebody may have saved there.
            LastWay::Rename if sys::stat(parent, name)?.is_some() => Err(Errno::EXIST),
            LastWay::Rename => self.publish_over(parent, name),
        }
    }

    /// Whether what stands at a name is this file; `None` for nothing.
    fn stands_at(&self, parent: &OwnedFd, name: &str) -> Result<Option<bool>, Errno> {
        let size = rustix::fs::fstat(&self.file)?.st_size;
        let there = sys::stat(parent, name)?;
        Ok(there.map(|there| stat::is_file(&there) && there.st_size == size))
    }

    /// Gives a folder with the file as its body the name: no file system renames a
    /// folder over a file, or over a folder that holds something.
    fn publish_as_folder(&mut self, parent: &OwnedFd, name: &str) -> Result<(), Errno> {
        let spelled = temp_names::name_as_folder(&self.name);
        rustix::fs::mkdirat(&self.folder, &spelled, rights::first_of_folder(self.rights))?;
        // From here on it goes with `self`.
        self.spelled = Some(spelled.clone());
        let inner = sys::open_folder(&self.folder, &spelled)?;
        rights::set_on_folder(&inner, &self.folder, self.rights);
        rustix::fs::renameat(&self.folder, &self.name, &inner, stat::BODY)?;
        sys::flush_folder(&inner)?;
        match rustix::fs::renameat(&self.folder, &spelled, parent, name) {
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR | Errno::ISDIR) => {
                rustix::fs::renameat(&inner, stat::BODY, &self.folder, &self.name)?;
                self.drop_spelled();
                Err(Errno::EXIST)
            }
            renamed => {
                self.is_published = renamed.is_ok();
                renamed
            }
        }
    }

    /// Gives the file its name, in place of what stands there.
    pub(super) fn publish_over(&mut self, parent: &OwnedFd, name: &str) -> Result<(), Errno> {
        rustix::fs::renameat(&self.folder, &self.name, parent, name)?;
        self.is_published = true;
        Ok(())
    }

    /// Whether `stat` describes this very file under its published name, as
    /// after a link whose reply was lost on the network.
    pub(super) fn is_same(&self, stat: &Stat) -> bool {
        rustix::fs::fstat(&self.file)
            .is_ok_and(|own| (own.st_dev, own.st_ino) == (stat.st_dev, stat.st_ino))
    }

    /// Describes the published file. Dropping the first of two names touches
    /// the file, so that comes before.
    pub(super) fn finish(mut self) -> Result<Stat, Errno> {
        self.drop_name();
        rustix::fs::fstat(&self.file)
    }

    fn drop_spelled(&mut self) {
        let Some(spelled) = self.spelled.take() else { return };
        if let Ok(inner) = sys::open_folder(&self.folder, &spelled) {
            let _ = rustix::fs::unlinkat(inner, stat::BODY, AtFlags::empty());
        }
        let _ = rustix::fs::unlinkat(&self.folder, &spelled, AtFlags::REMOVEDIR);
    }

    fn drop_name(&mut self) {
        if !self.is_published {
            self.drop_spelled();
            let _ = rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::empty());
            self.is_published = true;
        }
    }
}

/// The file whose rights an upload is to have. It is opened before the upload is
/// made, which until then is its owner's alone.
enum Like {
    File(OwnedFd),
    Nothing,
    /// Nobody knows with which rights it stands there: fewer than ours can't be wrong.
    Unreadable,
}

fn like_of(root: &Root, like: &RemotePath) -> Like {
    let parent = match root.parent_of(like) {
        Ok(Some(parent)) => parent,
        Ok(None) => return Like::Nothing,
        Err(_) => return Like::Unreadable,
    };
    match sys::open_plain(&parent, like.name()) {
        Ok(file) => Like::File(file),
        Err(Errno::NOENT) => Like::Nothing,
        Err(_) => Like::Unreadable,
    }
}

/// What to do where a name can be given to one writer by no call of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastWay {
    /// An entry of the log may be a folder.
    Folder,
    /// The name is one writer's alone, or was free a moment ago.
    Rename,
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.drop_name();
    }
}

fn abandoned(path: &RemotePath) -> StorageError {
    StorageError::Source {
        path: path.clone(),
        cause: "nobody waits for this upload any more".into(),
    }
}
