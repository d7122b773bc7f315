//! A backend under test, in the words that rules are written in.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use mirror_storage::adapter::sftp::{SftpBackend, SftpConnection};
use mirror_storage::adapter::{FolderBackend, MemoryBackend, MemoryProfile};
use mirror_storage::{
    Access, Backend, Body, ByteRange, ByteStream, ChangeFeed, CopyRange, Expect, Guarded,
    KeepAttributes, MoveAside, NewFile, RemoteFile, RemotePath, Revision, Source, StorageError,
    Stored,
};
use tempfile::TempDir;

use crate::support::servers::sftp::{SftpServer, Variant};

/// One empty backend, gone with its files when dropped or with its server.
#[derive(Clone)]
pub(crate) struct Place {
    backend: Arc<dyn Backend>,
    /// The service itself, where it is played in memory.
    memory: Option<MemoryBackend>,
    root: Option<PathBuf>,
    /// Removed with the last of us.
    _folder: Option<Arc<TempDir>>,
}

impl Place {
    pub(crate) fn memory_with_swap() -> Self {
        Self::memory(MemoryProfile::SWAP)
    }

    pub(crate) fn memory_without_swap() -> Self {
        Self::memory(MemoryProfile::RENAME)
    }

    pub(crate) fn memory_unflushed() -> Self {
        Self::memory(MemoryProfile::UNFLUSHED)
    }

    pub(crate) fn memory_with_everything() -> Self {
        Self::memory(MemoryProfile::EVERYTHING)
    }

    fn memory(profile: MemoryProfile) -> Self {
        let memory = MemoryBackend::with_clock(profile, Arc::new(SystemTime::now));
        Self::around(Arc::new(memory.clone()), memory)
    }

    /// Something that stands between us and a service in memory.
    pub(crate) fn around(backend: Arc<dyn Backend>, memory: MemoryBackend) -> Self {
        Self { backend, memory: Some(memory), root: None, _folder: None }
    }

    pub(crate) fn local_folder() -> Self {
        let folder = TempDir::new().expect("a folder for one test");
        let place = Self::folder(folder.path());
        Self { _folder: Some(Arc::new(folder)), ..place }
    }

    /// A folder that belongs to somebody else.
    pub(crate) fn folder(root: &Path) -> Self {
        let backend = Arc::new(FolderBackend::open(root.to_owned()));
        Self { backend, memory: None, root: Some(root.to_owned()), _folder: None }
    }

    pub(crate) fn sftp_stock() -> Option<Self> {
        Self::on_shared(Variant::Stock)
    }

    pub(crate) fn sftp_only() -> Option<Self> {
        Self::on_shared(Variant::SftpOnly)
    }

    pub(crate) fn sftp_without_hardlinks() -> Option<Self> {
        Self::on_shared(Variant::WithoutHardlinks)
    }

    pub(crate) fn sftp_as_a_user() -> Option<Self> {
        Self::on_shared(Variant::OtherUser)
    }

    fn on_shared(variant: Variant) -> Option<Self> {
        SftpServer::shared(variant).map(|server| Self::on(server, &server.new_root()))
    }

    /// A folder on a server, by a connection of its own.
    pub(crate) fn on(server: &SftpServer, root: &Path) -> Self {
        Self::over(Arc::new(SftpConnection::new(server.account())), root)
    }

    /// A folder at the other end of this connection.
    pub(crate) fn over(connection: Arc<SftpConnection>, root: &Path) -> Self {
        let path = root.to_str().expect("paths of tests are UTF-8").to_owned();
        let backend = Arc::new(SftpBackend::open(connection, path));
        Self { backend, memory: None, root: Some(root.to_owned()), _folder: None }
    }

    /// Where the files lie on this machine.
    pub(crate) fn on_disk(&self) -> &Path {
        self.root.as_ref().expect("a place on a disk")
    }

    /// Makes a folder behind the adapter's back, of whoever owns the root.
    pub(crate) fn makes_folder(&self, path: &str) -> PathBuf {
        let root = self.on_disk();
        let owner = root.metadata().expect("the root is there");
        let mut folder = root.to_owned();
        for name in path.split('/') {
            folder.push(name);
            if !folder.is_dir() {
                fs::create_dir(&folder).expect("a folder");
                chown(&folder, Some(owner.uid()), Some(owner.gid())).expect("it is given away");
            }
        }
        folder
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    pub(crate) fn move_aside(&self) -> &dyn MoveAside {
        self.backend.move_aside().expect("a place with a rename")
    }

    pub(crate) fn keep_attributes(&self) -> &dyn KeepAttributes {
        self.backend.keep_attributes().expect("a place that keeps attributes")
    }

    pub(crate) fn copy_range(&self) -> &dyn CopyRange {
        self.backend.copy_range().expect("a place with copies")
    }

    pub(crate) fn change_feed(&self) -> &dyn ChangeFeed {
        self.backend.change_feed().expect("a place that hints at changes")
    }

    /// What the adapter offers beyond the rules of `Backend`.
    pub(crate) fn offers(&self) -> Vec<&'static str> {
        let kept = self.backend.keep_attributes().map(KeepAttributes::keeps);
        let all = [
            ("rename", self.backend.move_aside().is_some()),
            ("many", self.backend.write_many().is_some()),
            ("times", kept.is_some_and(|kept| kept.modified)),
            ("access", kept.is_some_and(|kept| kept.access)),
            ("copies", self.backend.copy_range().is_some()),
            ("hints", self.backend.change_feed().is_some()),
        ];
        all.into_iter().filter(|(_, is_offered)| *is_offered).map(|(offer, _)| offer).collect()
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Has the power of the service fail, and come back.
    pub(crate) fn cut_power(&self) {
        self.memory.as_ref().expect("a place whose power can be cut").cut_power();
    }

    /// Who may use a file; `None` where nobody has said so.
    pub(crate) fn access(&self, at: &str) -> Option<Access> {
        if let Some(memory) = &self.memory {
            return memory.access(&path(at));
        }
        let mut file = self.on_disk().join(at);
        if file.is_dir() {
            file.push("body");
        }
        let file = file.metadata().expect("the file is there");
        Some(match file.permissions().mode() & 0o077 {
            0 => Access::Owner,
            0o060 => Access::Group,
            0o064 => Access::World,
            other => panic!("{at:?} has an odd mode, {other:o}"),
        })
    }

    #[track_caller]
    pub(crate) fn store(
        &self,
        at: &str,
        content: impl Into<Body>,
    ) -> impl Future<Output = Revision> {
        let stored = self.store_if(at, content, Expect::Anything);
        async {
            match stored.await {
                Guarded::Done(revision) => revision,
                Guarded::Refused => panic!("an unguarded write was refused"),
            }
        }
    }

    pub(crate) async fn store_if(
        &self,
        at: &str,
        content: impl Into<Body>,
        expect: Expect,
    ) -> Guarded<Revision> {
        let stored = self.try_store(at, content, expect).await;
        stored.unwrap_or_else(|error| panic!("could not store {at:?}: {error:?}"))
    }

    pub(crate) async fn try_store(
        &self,
        at: &str,
        content: impl Into<Body>,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        self.backend.write(&path(at), content.into(), expect).await
    }

    /// Stores files together, each where nothing or anything stands.
    pub(crate) async fn store_many(&self, files: Vec<(NewFile, Body)>) -> Vec<Stored> {
        let many = self.backend.write_many().expect("a place that takes many files");
        many.store_all(files).await.expect("the call comes through")
    }

    pub(crate) async fn remove_if(&self, at: &str, expect: Expect) -> Guarded<()> {
        let removed = self.backend.remove(&path(at), expect).await;
        removed.unwrap_or_else(|error| panic!("could not remove {at:?}: {error:?}"))
    }

    pub(crate) async fn remove(&self, at: &str) {
        assert_eq!(self.remove_if(at, Expect::Anything).await, Guarded::Done(()));
    }

    pub(crate) async fn rename(&self, from: &str, to: &str) -> Guarded<()> {
        let renamed = self.try_rename(from, to).await;
        renamed.unwrap_or_else(|error| panic!("could not rename {from:?} to {to:?}: {error:?}"))
    }

    pub(crate) async fn try_rename(
        &self,
        from: &str,
        to: &str,
    ) -> Result<Guarded<()>, StorageError> {
        self.move_aside().rename(&path(from), &path(to)).await
    }

    pub(crate) async fn stat(&self, at: &str) -> Option<RemoteFile> {
        let file = self.backend.stat(&path(at)).await;
        file.unwrap_or_else(|error| panic!("could not look up {at:?}: {error:?}"))
    }

    /// All bytes of a file, `None` when there is none.
    pub(crate) async fn bytes(&self, at: &str) -> Option<Vec<u8>> {
        self.range(at, ByteRange::ALL).await
    }

    pub(crate) async fn range(&self, at: &str, range: ByteRange) -> Option<Vec<u8>> {
        let bytes = self.try_range(at, range).await;
        bytes.unwrap_or_else(|error| panic!("could not read {at:?}: {error:?}"))
    }

    pub(crate) async fn try_bytes(&self, at: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.try_range(at, ByteRange::ALL).await
    }

    async fn try_range(&self, at: &str, range: ByteRange) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(bytes) = self.backend.read(&path(at), range).await? else {
            return Ok(None);
        };
        let chunks: Vec<Bytes> = bytes.try_collect().await?;
        Ok(Some(chunks.concat()))
    }

    /// The text of a file that has to be there.
    pub(crate) async fn content(&self, at: &str) -> String {
        let bytes = self.bytes(at).await;
        let bytes = bytes.unwrap_or_else(|| panic!("no file at {at:?}"));
        String::from_utf8(bytes).expect("a text")
    }

    pub(crate) async fn files(&self, prefix: &str) -> Vec<RemoteFile> {
        self.try_files(prefix).await.expect("a complete listing")
    }

    async fn try_files(&self, prefix: &str) -> Result<Vec<RemoteFile>, StorageError> {
        let prefix = path(prefix);
        let mut files: Vec<_> = self.backend.list(&prefix).try_collect().await?;
        files.sort_by(|one: &RemoteFile, other| one.path.cmp(&other.path));
        Ok(files)
    }

    pub(crate) async fn names(&self, prefix: &str) -> Vec<String> {
        self.try_names(prefix).await.expect("a complete listing")
    }

    pub(crate) async fn try_names(&self, prefix: &str) -> Result<Vec<String>, StorageError> {
        let files = self.try_files(prefix).await?;
        Ok(files.iter().map(|file| file.path.to_string()).collect())
    }

    /// Asserts that there is no file anywhere, finished or not.
    pub(crate) async fn holds_nothing(&self) {
        assert_eq!(self.names("").await, [""; 0]);
        assert_eq!(self.names("_mirror").await, [""; 0]);
    }
}

/// A file to be stored without attributes.
pub(crate) fn new_file(at: &str, expect: Expect) -> NewFile {
    NewFile::plain(path(at), expect)
}

pub(crate) fn path(text: &str) -> RemotePath {
    RemotePath::new(text).expect("a normal path")
}

/// A body that gives these chunks, whatever length it says.
pub(crate) fn streamed(len: u64, chunks: Vec<Result<Bytes, &'static str>>) -> Body {
    Body::Source { len, source: Arc::new(Chunks(chunks)) }
}

struct Chunks(Vec<Result<Bytes, &'static str>>);

impl Source for Chunks {
    fn open(&self) -> ByteStream {
        let broken = |cause: &str| StorageError::Unreachable(cause.into());
        stream::iter(self.0.clone()).map(move |chunk| chunk.map_err(broken)).boxed()
    }
}

/// Bytes without a pattern that a mixed-up chunk could repeat.
pub(crate) fn varied(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_le_bytes()[7]
    };
    std::iter::repeat_with(next).take(len).collect()
}
