//! An upload under way: a file of its own under `_mirror/tmp`, which vanishes
//! unless it is published.

use std::pin::pin;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::{FuturesUnordered, StreamExt};
use openssh_sftp_client_lowlevel::{Extensions, FileAttrs};

use super::super::upload;
use super::calls::{Failure, Reply};
use super::opened::{Opened, opened};
use super::places::{self, Root};
use super::session::Session;
use super::standing::{BODY, marked_times};
use crate::{ByteStream, RemotePath, StorageError};

#[derive(Debug)]
pub(super) struct Temp {
    /// Where it stands, as the server calls it.
    pub(super) at: String,
    file: Option<Opened>,
    session: Arc<Session>,
    written: FileAttrs,
    is_published: bool,
    /// The folder that it was moved into, to be published as a folder.
    pub(super) folder: Option<String>,
}

impl Temp {
    pub(super) async fn create(root: &Root, path: &RemotePath) -> Result<Self, StorageError> {
        let place = places::temp(&upload::name());
        let at = root.at(&place);
        for _ in 0..places::TRIES {
            let around = root.around(&place);
            let created = opened(&root.session, |session| session.create(&at));
            // Held before anything else is looked at, so that it is removed.
            let created = created.await.map(|file| Self::new(at.clone(), file));
            around.await?.has_room(path)?;
            match created {
                Ok(temp) => return Ok(temp),
                Err(failure) if failure.is_missing() => {
                    root.present().await?;
                    root.forget_around(&place);
                    root.make_around(&place);
                }
                Err(failure) => return Err(root.full_or(failure, 1, path).await),
            }
        }
        Err(StorageError::Unreachable("the folder for uploads vanishes again and again".into()))
    }

    fn new(at: String, file: Opened) -> Self {
        let session = file.session.clone();
        Self {
            at,
            file: Some(file),
            session,
            written: FileAttrs::new(),
            is_published: false,
            folder: None,
        }
    }

    /// Stores all `bytes`, so that they survive a power cut if the server can.
    pub(super) async fn fill(
        &mut self,
        root: &Root,
        path: &RemotePath,
        (bytes, len): (ByteStream, u64),
    ) -> Result<(), StorageError> {
        let Some(file) = &self.file else { return Ok(()) };
        match filled(file, bytes).await {
            Ok(written) => {
                self.written = written;
                Ok(())
            }
            Err(Unfilled::Source(error)) => Err(error),
            Err(Unfilled::Server(failure)) => Err(root.full_or(failure, len, path).await),
            Err(Unfilled::Short) => {
                Err(StorageError::Unreachable("the server did not keep what it took".into()))
            }
        }
    }

    /// Dates and closes the file. Where the server can't say that all is on
    /// its disk, this waits until it says that the file is closed.
    pub(super) async fn seal(&mut self) -> Reply<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        if let Some(times) = marked_times(&self.written) {
            drop(self.session.date(&file.handle, times));
        }
        if self.session.has(Extensions::FSYNC) {
            return Ok(());
        }
        file.close().await
    }

    pub(super) fn size(&self) -> u64 {
        self.written.get_size().unwrap_or_default()
    }

    pub(super) fn note_published(&mut self) {
        self.is_published = true;
    }

    /// Moves the file into a folder of its own, there to be its `body`.
    pub(super) async fn spell_as_folder(&mut self) -> Reply<()> {
        if self.folder.is_some() {
            return Ok(());
        }
        let folder = upload::name_as_folder(&self.at);
        let body = format!("{folder}/{BODY}");
        drop(self.session.make_folder(&folder));
        self.session.rename(&self.at, &body).await?;
        self.at = body;
        self.folder = Some(folder);
        Ok(())
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        // Closed first: some servers remove no open file.
        self.file = None;
        if self.is_published {
            return;
        }
        drop(self.session.unlink(&self.at));
        if let Some(folder) = &self.folder {
            drop(self.session.remove_folder(folder));
        }
    }
}

enum Unfilled {
    Source(StorageError),
    Server(Failure),
    /// The server took every byte and holds another number of them.
    Short,
}

impl From<Failure> for Unfilled {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

/// Writes all bytes, many pieces at once, and gives what the server then says
/// of the file.
async fn filled(file: &Opened, mut bytes: ByteStream) -> Result<FileAttrs, Unfilled> {
    let Opened { session, handle, .. } = file;
    let most = usize::try_from(session.write_len()).expect("it fits in memory");
    let mut written = Replies::default();
    let mut start = 0;
    while let Some(mut chunk) =
        written.meanwhile(bytes.try_next()).await?.map_err(Unfilled::Source)?
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
        Some(size) if size != start => Err(Unfilled::Short),
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
