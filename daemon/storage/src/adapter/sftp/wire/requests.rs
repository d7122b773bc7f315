//! The requests of SFTP that we make, each sent as soon as its function is
//! called: to send many at once, call them before waiting for the first.

use std::borrow::Cow;
use std::path::Path;

use bytes::Bytes;
use futures::future::BoxFuture;
use openssh_sftp_client_lowlevel::{
    CreateFlags, Data, Error, FileAttrs, HandleOwned, Id, Limits, NameEntry, OpenOptions,
    Permissions, SftpErrorKind, Statvfs, UnixTimeStamp,
};

use super::line::{Buffer, Ending, Requests, wait_for_end};
use super::session::Session;

/// Why a request was not carried out.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The server says so, with the little that it says.
    Refused(SftpErrorKind),
    /// The session ended, maybe after the server did what was asked.
    Gone(Ending),
}

pub(crate) type Reply<T> = Result<T, Failure>;

/// A request that was sent. Its answer needn't be waited for.
pub(crate) type Answer<T> = BoxFuture<'static, Reply<T>>;

impl Failure {
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(SftpErrorKind::NoSuchFile))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::SftpError(kind, _) => Self::Refused(kind),
            _ => Self::Gone(Ending::Broken),
        }
    }
}

/// Why one of several requests was not carried out, where the server knows it:
/// most just fail, as for something that stands there already.
pub(crate) async fn first_denial(answers: Vec<Answer<()>>) -> Option<Failure> {
    for answer in answers {
        match answer.await {
            Err(failure @ (Failure::Refused(SftpErrorKind::PermDenied) | Failure::Gone(_))) => {
                return Some(failure);
            }
            Ok(()) | Err(Failure::Refused(_)) => {}
        }
    }
    None
}

/// What a server is to give to what it makes; nothing where it goes by itself.
fn with_mode(mode: Option<u32>) -> FileAttrs {
    let mut attributes = FileAttrs::new();
    if let Some(mode) = mode {
        attributes.set_permissions(Permissions::from_bits_truncate(mode));
    }
    attributes
}

fn as_path(path: &str) -> Cow<'_, Path> {
    Cow::Borrowed(Path::new(path))
}

impl Session {
    /// Sends one request; waits for its answer, or for the end of the session.
    fn call<T, Waiting>(
        &self,
        send: impl FnOnce(&mut Requests, Id<Buffer>) -> Result<Waiting, Error>,
    ) -> Answer<T>
    where
        T: Send + 'static,
        Waiting: Future<Output = Result<(Id<Buffer>, T), Error>> + Send + 'static,
    {
        let waiting = {
            let mut requests = self.requests.lock().expect("no panic while held");
            let id = requests.create_response_id();
            send(&mut requests, id)
        };
        let mut end = self.end.clone();
        Box::pin(async move {
            let answer = waiting?;
            tokio::select! {
                biased;
                answer = answer => Ok(answer?.1),
                ending = wait_for_end(&mut end) => Err(Failure::Gone(ending)),
            }
        })
    }

    pub(crate) fn limits(&self) -> Answer<Limits> {
        self.call(|requests, id| Ok(requests.send_limits_request(id)?.wait()))
    }

    /// Opens a new file to write; fails where anything stands.
    pub(crate) fn create(&self, path: &str, mode: Option<u32>) -> Answer<HandleOwned> {
        let open = OpenOptions::new().write(true);
        let open = open.create(as_path(path), CreateFlags::Excl, with_mode(mode));
        self.call(|requests, id| Ok(requests.send_open_file_request(id, open)?.wait()))
    }

    pub(crate) fn open(&self, path: &str) -> Answer<HandleOwned> {
        let open = OpenOptions::new().read(true).open(as_path(path));
        self.call(|requests, id| Ok(requests.send_open_file_request(id, open)?.wait()))
    }

    pub(crate) fn open_folder(&self, path: &str) -> Answer<HandleOwned> {
        self.call(|requests, id| Ok(requests.send_opendir_request(id, as_path(path))?.wait()))
    }

    pub(crate) fn close(&self, handle: &HandleOwned) -> Answer<()> {
        self.call(|requests, id| Ok(requests.send_close_request(id, Cow::Borrowed(handle))?.wait()))
    }

    /// The next entries of a folder, none at its end.
    pub(crate) fn entries(&self, handle: &HandleOwned) -> Answer<Box<[NameEntry]>> {
        self.call(|requests, id| {
            Ok(requests.send_readdir_request(id, Cow::Borrowed(handle))?.wait())
        })
    }

    /// Bytes from `start`, maybe fewer than asked for; `None` at the end.
    pub(crate) fn read(
        &self,
        handle: &HandleOwned,
        (start, len): (u64, u32),
    ) -> Answer<Option<Bytes>> {
        let data = self.call(|requests, id| {
            let handle = Cow::Borrowed(&**handle);
            Ok(requests.send_read_request(id, handle, start, len, None)?.wait())
        });
        Box::pin(async {
            Ok(match data.await? {
                Data::Buffer(bytes) => Some(Bytes::from(bytes)),
                Data::AllocatedBox(bytes) => Some(Bytes::from(bytes)),
                Data::Eof => None,
            })
        })
    }

    pub(crate) fn write(&self, handle: &HandleOwned, start: u64, bytes: Bytes) -> Answer<()> {
        self.call(|requests, id| {
            let handle = Cow::Borrowed(&**handle);
            Ok(requests.send_write_request_zero_copy(id, handle, start, &[bytes])?.wait())
        })
    }

    pub(crate) fn flush(&self, handle: &HandleOwned) -> Answer<()> {
        self.call(|requests, id| Ok(requests.send_fsync_request(id, Cow::Borrowed(handle))?.wait()))
    }

    /// Describes an open file.
    pub(crate) fn describe(&self, handle: &HandleOwned) -> Answer<FileAttrs> {
        self.call(|requests, id| Ok(requests.send_fstat_request(id, Cow::Borrowed(handle))?.wait()))
    }

    /// Sets when an open file was last read and changed.
    pub(crate) fn date(
        &self,
        handle: &HandleOwned,
        (read, changed): (UnixTimeStamp, UnixTimeStamp),
    ) -> Answer<()> {
        let mut dated = FileAttrs::new();
        dated.set_time(read, changed);
        self.call(|requests, id| {
            Ok(requests.send_fsetstat_request(id, Cow::Borrowed(handle), dated)?.wait())
        })
    }

    /// Describes what stands at `path` itself, a link as a link.
    pub(crate) fn look(&self, path: &str) -> Answer<FileAttrs> {
        self.call(|requests, id| Ok(requests.send_lstat_request(id, as_path(path))?.wait()))
    }

    /// Describes where `path` leads.
    pub(crate) fn follow(&self, path: &str) -> Answer<FileAttrs> {
        self.call(|requests, id| Ok(requests.send_stat_request(id, as_path(path))?.wait()))
    }

    pub(crate) fn space(&self, path: &str) -> Answer<Statvfs> {
        self.call(|requests, id| Ok(requests.send_statvfs_request(id, as_path(path))?.wait()))
    }

    pub(crate) fn unlink(&self, path: &str) -> Answer<()> {
        self.call(|requests, id| Ok(requests.send_remove_request(id, as_path(path))?.wait()))
    }

    pub(crate) fn make_folder(&self, path: &str, mode: Option<u32>) -> Answer<()> {
        self.call(|requests, id| {
            Ok(requests.send_mkdir_request(id, as_path(path), with_mode(mode))?.wait())
        })
    }

    /// Sets the mode of an open file.
    pub(crate) fn set_mode(&self, handle: &HandleOwned, mode: u32) -> Answer<()> {
        self.call(|requests, id| {
            let mode = with_mode(Some(mode));
            Ok(requests.send_fsetstat_request(id, Cow::Borrowed(handle), mode)?.wait())
        })
    }

    /// Sets the mode of what stands at `path`.
    pub(crate) fn set_mode_at(&self, path: &str, mode: u32) -> Answer<()> {
        self.call(|requests, id| {
            Ok(requests.send_setstat_request(id, as_path(path), with_mode(Some(mode)))?.wait())
        })
    }

    pub(crate) fn remove_folder(&self, path: &str) -> Answer<()> {
        self.call(|requests, id| Ok(requests.send_rmdir_request(id, as_path(path))?.wait()))
    }

    /// Gives a file a second name, where nothing stands.
    pub(crate) fn link(&self, from: &str, to: &str) -> Answer<()> {
        self.call(|requests, id| {
            Ok(requests.send_hardlink_request(id, as_path(from), as_path(to))?.wait())
        })
    }

    /// Renames to where nothing stands, as servers do it by themselves.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Answer<()> {
        self.call(|requests, id| {
            Ok(requests.send_rename_request(id, as_path(from), as_path(to))?.wait())
        })
    }

    /// Renames in one step, in place of what stands there.
    pub(crate) fn rename_over(&self, from: &str, to: &str) -> Answer<()> {
        self.call(|requests, id| {
            Ok(requests.send_posix_rename_request(id, as_path(from), as_path(to))?.wait())
        })
    }
}
