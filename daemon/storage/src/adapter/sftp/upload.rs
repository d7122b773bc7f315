//! An upload under way: a file of its own under `_mirror/tmp`, which vanishes
//! unless it is published.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::{FuturesUnordered, StreamExt};

use super::super::access::Rights;
use super::super::temp_names;
use super::paths::{self, Root, share_folder};
use super::stat::{BODY, marked_times};
use super::wire::{
    Answer, Extensions, Failure, FileAttrs, Handle, Reply, Session, SftpErrorKind, UnixTimeStamp,
    first_denial,
};
use crate::rights::without_group;
use crate::{ByteStream, NewFile, OUR_FOLDER, RemotePath, StorageError};

/// The rights of a file where nobody said for whom what is stored is, which its
/// umask would have a server give.
const UNSAID: u32 = 0o644;

#[derive(Debug)]
pub(super) struct Upload {
    /// Where it stands, as the server calls it.
    pub(super) at: String,
    file: Option<Handle>,
    session: Arc<Session>,
    written: FileAttrs,
    marks: Option<(UnixTimeStamp, UnixTimeStamp)>,
    /// Whether its name has to survive a power cut as well.
    is_lasting: bool,
    is_published: bool,
    /// The folder that it is moved into, to be published as a folder.
    folder: Option<String>,
    is_in_folder: bool,
    rights: Rights,
    /// What it is to have before it has any bytes.
    mode: Option<u32>,
}

/// Whether a file there is the truth about the project: an entry of the log, or
/// a pack, which is named by one. All others can be made again from those.
fn is_truth(path: &RemotePath) -> bool {
    let mut names = path.as_str().split('/');
    names.next() == Some(OUR_FOLDER) && matches!(names.next(), Some("log" | "packs"))
}

impl Upload {
    pub(super) async fn create(root: &Root, file: &NewFile) -> Result<Self, StorageError> {
        let path = &file.path;
        // Until it is known what the one has that it takes the place of, it is for
        // nobody else.
        let is_for_owner = file.attributes.is_private || file.rights_of.is_some();
        let (rights, mode) = (root.rights, root.rights.of_file(is_for_owner));
        let place = paths::temp_path(&temp_names::name());
        let at = root.at(&place);
        for _ in 0..paths::TRIES {
            let parents = root.parents(&place);
            let (held_at, is_lasting) = (at.clone(), is_truth(path));
            // Held as soon as it is there, so that it is removed whatever comes.
            let hold = move |file| Self::new(held_at, file, is_lasting).with(rights, mode);
            let create = |session: &Session| session.create(&at, mode);
            let created = Handle::open_as(&root.session, create, hold).await;
            parents.await?.has_room(path)?;
            match created {
                Ok(upload) => return Ok(upload),
                Err(failure) if failure.is_missing() => {
                    root.check_presence().await?;
                    root.forget_parents(&place);
                    if let Some(failure) = first_denial(root.make_parents(&place).await).await {
                        return Err(root.error(path)(failure));
                    }
                }
                Err(failure) => return Err(root.full_or(failure, 1, path).await),
            }
        }
        Err(give_up(root, path, "the folder for uploads vanishes again and again").await)
    }

    fn new(at: String, file: Handle, is_lasting: bool) -> Self {
        let session = file.session.clone();
        let is_lasting = is_lasting && session.has(Extensions::FSYNC);
        Self {
            at,
            file: Some(file),
            session,
            written: FileAttrs::new(),
            marks: None,
            is_lasting,
            is_published: false,
            folder: None,
            is_in_folder: false,
            rights: Rights::default(),
            mode: None,
        }
    }

    fn with(mut self, rights: Rights, mode: Option<u32>) -> Self {
        (self.rights, self.mode) = (rights, mode);
        self
    }

    /// Stores all `bytes`, so that they survive a power cut if the server can.
    pub(super) async fn fill(
        &mut self,
        root: &Root,
        path: &RemotePath,
        (bytes, len): (ByteStream, u64),
    ) -> Result<(), StorageError> {
        let Some(file) = &self.file else { return Ok(()) };
        if let Some(mode) = self.mode {
            // Whatever the server's umask took of what was asked for.
            drop(self.session.set_mode(&file.id, mode));
        }
        match write_pieces(file, bytes).await {
            Ok(written) => {
                self.written = written;
                Ok(())
            }
            Err(FillError::Source(error)) => Err(error),
            Err(FillError::Server(failure)) => Err(root.full_or(failure, len, path).await),
            Err(FillError::Short) => {
                Err(StorageError::Unreachable("the server did not keep what it took".into()))
            }
        }
    }

    /// Gives it what the file has whose place it takes: a person may have set it.
    /// What can't be known or set leaves it for its owner alone.
    pub(super) async fn take_rights_of(&self, replaced: Reply<FileAttrs>, is_private: bool) {
        let mode = match replaced {
            Ok(replaced) => replaced.get_permissions().map(|mode| {
                let mode = mode.bits() & if is_private { 0o700 } else { 0o777 };
                let group = |attributes: &FileAttrs| attributes.get_id().map(|(_, group)| group);
                let has_group = group(&self.written) == group(&replaced);
                if has_group { mode } else { without_group(mode) }
            }),
            // One that is gone has no rights that matter.
            Err(failure) if failure.is_missing() => {
                Some(self.rights.of_file(is_private).unwrap_or(UNSAID))
            }
            Err(_) => None,
        };
        if let (Some(file), Some(mode)) = (&self.file, mode) {
            drop(self.session.set_mode(&file.id, mode).await);
        }
    }

    /// Dates and closes the file, unless its name is to be flushed. Where the server
    /// can't say that all is on its disk, this waits until it says that the
    /// file is closed.
    pub(super) async fn seal(&mut self) -> Reply<()> {
        self.marks = marked_times(&self.written);
        self.date();
        match self.file.take_if(|_| !self.is_lasting) {
            Some(file) if !self.session.has(Extensions::FSYNC) => file.close().await,
            Some(_) | None => Ok(()),
        }
    }

    fn date(&self) {
        if let (Some(file), Some(marks)) = (&self.file, self.marks) {
            drop(self.session.date(&file.id, marks));
        }
    }

    /// Asks that the name survives a power cut as the bytes do, where it has to.
    /// To be sent right behind what gives the name, which costs no time.
    ///
    /// SFTP flushes no folders. But a link or a rename changes the file too (its
    /// count of links, its time of change), and that change is one with the name
    /// in the server's journal: so it is for ext4, XFS, Btrfs and ZFS, and a
    /// flush of the file brings both to the disk, with the folders made for it.
    /// A rename of the file's folder does not change the file. So it is dated
    /// once more; ext4, XFS and ZFS keep to the order of what was done, and write
    /// the rename before that.
    pub(super) fn flush_name(&self) -> Answer<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.is_lasting) else {
            return Box::pin(ready(Ok(())));
        };
        if self.is_in_folder {
            self.date();
        }
        self.session.flush(&file.id)
    }

    pub(super) fn size(&self) -> u64 {
        self.written.get_size().unwrap_or_default()
    }

    pub(super) fn note_published(&mut self) {
        self.is_published = true;
    }

    /// Moves the file into a folder of its own, there to be its `body`, and
    /// tells where that folder is.
    pub(super) async fn spell_as_folder(&mut self) -> Reply<String> {
        let folder = temp_names::name_as_folder(&self.at);
        if self.is_in_folder {
            return Ok(folder);
        }
        // Noted before it is made: a call may be cut off anywhere.
        self.folder = Some(folder.clone());
        let made = self.session.make_folder(&folder, self.rights.of_folder());
        let moved = self.session.rename(&self.at, &format!("{folder}/{BODY}"));
        match (moved.await, made.await) {
            (Ok(()), made) => {
                self.is_in_folder = true;
                drop(share_folder(&self.session, &folder, self.rights, made).await);
                Ok(folder)
            }
            // That there is no folder says less than why.
            (Err(failure), Err(unmade)) if failure.is_missing() => Err(unmade),
            (Err(failure), _) => Err(failure),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Closed first: some servers remove no open file.
        self.file = None;
        if self.is_published {
            return;
        }
        drop(self.session.unlink(&self.at));
        if let Some(folder) = &self.folder {
            drop(self.session.unlink(&format!("{folder}/{BODY}")));
            drop(self.session.remove_folder(folder));
        }
    }
}

/// For what was tried again and again: a full disk makes no folders, and says
/// no more about it than that they are missing.
pub(super) async fn give_up(root: &Root, path: &RemotePath, story: &'static str) -> StorageError {
    match root.full_or(Failure::Refused(SftpErrorKind::Failure), 1, path).await {
        StorageError::Full => StorageError::Full,
        _ => StorageError::Unreachable(story.into()),
    }
}

enum FillError {
    Source(StorageError),
    Server(Failure),
    /// The server took every byte and holds another number of them.
    Short,
}

impl From<Failure> for FillError {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

/// Writes all bytes, many pieces at once, and gives what the server then says
/// of the file.
async fn write_pieces(file: &Handle, mut bytes: ByteStream) -> Result<FileAttrs, FillError> {
    let Handle { session, id: handle, .. } = file;
    let most = usize::try_from(session.write_len()).expect("it fits in memory");
    let mut written = Replies::default();
    let mut start = 0;
    while let Some(mut chunk) =
        written.meanwhile(bytes.try_next()).await?.map_err(FillError::Source)?
    {
        while !chunk.is_empty() {
            let piece = chunk.split_to(chunk.len().min(most));
            let len = u32::try_from(piece.len()).expect("no longer than a request");
            let room = written.meanwhile(session.room(len)).await?;
            let reply = session.write(handle, start, piece);
            written.0.push(Box::pin(async move {
                let written = reply.await;
                drop(room);
                written
            }));
            start += u64::from(len);
        }
    }
    let flushed = session.has(Extensions::FSYNC).then(|| session.flush(handle));
    let described = session.describe(handle);
    while let Some(reply) = written.0.next().await {
        reply?;
    }
    if let Some(flushed) = flushed {
        flushed.await?;
    }
    let described = described.await?;
    match described.get_size() {
        Some(size) if size != start => Err(FillError::Short),
        _ => Ok(described),
    }
}

/// Pieces under way. They are listened to while we wait for anything else, as
/// each answer makes room for others.
#[derive(Default)]
struct Replies<'a>(FuturesUnordered<futures::future::BoxFuture<'a, Reply<()>>>);

impl Replies<'_> {
    async fn meanwhile<T>(&mut self, other: impl Future<Output = T>) -> Reply<T> {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                biased;
                Some(reply) = self.0.next(), if !self.0.is_empty() => reply?,
                done = &mut other => return Ok(done),
            }
        }
    }
}
