//! One line to a server: feeds it, reads it, and tells how it ended.

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use openssh_sftp_client_lowlevel::{
    Error, Extensions, Queue, ReadEnd, SharedData, WriteEnd, connect,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::filter::Filter;
use super::liveness::Liveness;

/// The library could fill buffers of ours; we take those that it makes.
pub(super) type Buffer = Vec<u8>;
pub(super) type Requests = WriteEnd<Buffer, Outgoing>;
type Shared = SharedData<Buffer, Outgoing>;
type Answers = ReadEnd<Filter<Box<dyn AsyncRead + Send + Unpin>>, Buffer, Outgoing>;

/// How long a carrier may take for its last words once the line is over.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long a server may at least be silent until it greets: a login takes its
/// time on a busy machine.
const WELCOME: Duration = Duration::from_secs(30);

const READ_BUFFER: usize = 64 * 1024;
const WRITE_BUFFER: usize = 256 * 1024;

/// Both ways to the server, and what carries them.
pub(crate) struct Line {
    pub(crate) to: Box<dyn AsyncWrite + Send + Unpin>,
    pub(crate) from: Box<dyn AsyncRead + Send + Unpin>,
    /// None where a test plays the server.
    pub(crate) carrier: Option<Box<dyn Carrier>>,
}

/// The program that carries a line, ended when it is dropped.
#[async_trait]
pub(crate) trait Carrier: Send + Sync {
    /// What it said of itself, once it has closed its side.
    async fn last_words(&mut self) -> String;
}

/// How a line ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing came for too long, though answers were due.
    Silent,
    /// What came first is no greeting: something else talks there.
    NoGreeting,
    /// The server speaks no version of SFTP that we speak.
    OtherVersion,
    /// An answer that SFTP doesn't have there.
    Broken,
    /// It closed before the server greeted.
    Unwelcome(LastWords),
    /// It stood, and closed.
    Lost(LastWords),
}

/// What a carrier said when its line ended. It may name files of this machine,
/// so it is not for a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct LastWords(String);

impl Deref for LastWords {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LastWords {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LastWords({} bytes)", self.0.len())
    }
}

/// How a line ended, once it has.
pub(super) type End = watch::Receiver<Option<Ending>>;

/// Waits for the end of a line.
pub(super) async fn wait_for_end(end: &mut End) -> Ending {
    let told = end.wait_for(Option::is_some).await.ok().and_then(|ending| ending.clone());
    // Its task was stopped, and says nothing.
    told.unwrap_or_else(|| Ending::Lost(LastWords::default()))
}

/// Requests on their way into the line.
#[derive(Debug)]
pub(super) struct Outgoing {
    waiting: Mutex<Vec<Bytes>>,
    wake: Notify,
    liveness: Arc<Liveness>,
}

impl Outgoing {
    fn add(&self, header: Bytes, body: impl Iterator<Item = Bytes>) {
        self.liveness.note_request(&header);
        let mut waiting = self.waiting.lock().expect("no panic while held");
        waiting.push(header);
        waiting.extend(body);
        drop(waiting);
        self.wake.notify_one();
    }

    fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut *self.waiting.lock().expect("no panic while held"))
    }
}

/// The library's word for where requests go; a write is one in two parts.
impl Queue for Outgoing {
    fn push(&self, bytes: Bytes) {
        self.add(bytes, std::iter::empty());
    }

    fn extend(&self, header: Bytes, body: &[&[Bytes]]) {
        self.add(header, body.iter().flat_map(|parts| parts.iter().cloned()));
    }
}

/// A line in use, on which the server may not have greeted yet.
#[derive(Debug)]
pub(super) struct RunningLine {
    pub(super) requests: Requests,
    pub(super) end: End,
    pub(super) greeting: watch::Receiver<Option<Extensions>>,
    pub(super) leave: Arc<Notify>,
    pub(super) task: AbortHandle,
}

/// Starts the task that looks after `line`.
pub(super) fn start(line: Line, patience: Duration) -> Result<RunningLine, Ending> {
    let Line { to, from, carrier } = line;
    let liveness = Arc::new(Liveness::new());
    let outgoing =
        Outgoing { waiting: Mutex::default(), wake: Notify::new(), liveness: liveness.clone() };
    let requests: Requests = connect(outgoing, ()).map_err(|_| Ending::Broken)?;
    let shared: Shared = (*requests).clone();
    let buffer = NonZeroUsize::new(READ_BUFFER).expect("not zero");
    let answers = ReadEnd::new(Filter::new(from, liveness.clone()), buffer, shared.clone());
    let (ended, end) = watch::channel(None);
    let (greeted, greeting) = watch::channel(None);
    let leave = Arc::new(Notify::new());
    let keeper = Keeper { carrier, liveness, patience, leave: leave.clone() };
    let task = tokio::spawn(async move {
        let ending = keeper.keep_until_the_end(to, shared.queue(), answers, &greeted).await;
        ended.send_replace(Some(ending));
    });
    Ok(RunningLine { requests, end, greeting, leave, task: task.abort_handle() })
}

/// Looks after one line until it ends.
struct Keeper {
    carrier: Option<Box<dyn Carrier>>,
    liveness: Arc<Liveness>,
    patience: Duration,
    leave: Arc<Notify>,
}

impl Keeper {
    async fn keep_until_the_end(
        mut self,
        to: Box<dyn AsyncWrite + Send + Unpin>,
        outgoing: &Outgoing,
        answers: Answers,
        greeted: &watch::Sender<Option<Extensions>>,
    ) -> Ending {
        let error = tokio::select! {
            biased;
            error = read_answers(answers, greeted) => error,
            () = self.wait_for_silence(greeted) => return Ending::Silent,
            never = write_requests(to, outgoing, &self.leave) => match never {},
        };
        // Its words may come a little after it closed its side.
        let words = match &mut self.carrier {
            Some(carrier) => timeout(LAST_WORDS, carrier.last_words()).await.unwrap_or_default(),
            None => String::new(),
        };
        let is_open = greeted.borrow().is_some();
        ending(&error, is_open, LastWords(words))
    }

    async fn wait_for_silence(&self, greeted: &watch::Sender<Option<Extensions>>) {
        let patience = || match greeted.borrow().is_some() {
            true => self.patience,
            false => self.patience.max(WELCOME),
        };
        while let Some(rest) = self.liveness.next_look(patience()) {
            tokio::time::sleep(rest.min(self.patience)).await;
        }
    }
}

/// Tells from the library's error how a line ended.
fn ending(error: &Error, is_open: bool, words: LastWords) -> Ending {
    match error {
        Error::IOError(error) if error.kind() == io::ErrorKind::InvalidData => match is_open {
            true => Ending::Broken,
            false => Ending::NoGreeting,
        },
        Error::IOError(_) if is_open => Ending::Lost(words),
        Error::IOError(_) => Ending::Unwelcome(words),
        Error::UnsupportedSftpProtocol { .. } => Ending::OtherVersion,
        _ => Ending::Broken,
    }
}

/// Writes what comes, many requests at once where many wait; when it is time
/// to leave, closes our side after the last one.
async fn write_requests(
    mut to: impl AsyncWrite + Unpin,
    outgoing: &Outgoing,
    leave: &Notify,
) -> Infallible {
    let mut is_leaving = false;
    loop {
        let waiting = outgoing.take();
        if waiting.is_empty() {
            if is_leaving {
                break;
            }
            tokio::select! {
                () = outgoing.wake.notified() => {}
                () = leave.notified() => is_leaving = true,
            }
        } else if write_joined(&mut to, waiting, &outgoing.liveness).await.is_err() {
            break;
        }
    }
    drop(to);
    // What follows is for the other side to say.
    pending().await
}

/// Writes small requests together and large ones by themselves.
async fn write_joined(
    to: &mut (impl AsyncWrite + Unpin),
    waiting: Vec<Bytes>,
    liveness: &Liveness,
) -> io::Result<()> {
    let mut together = BytesMut::with_capacity(WRITE_BUFFER);
    for part in waiting {
        if together.len() + part.len() > WRITE_BUFFER {
            write_all(to, &together, liveness).await?;
            together.clear();
        }
        if part.len() > WRITE_BUFFER {
            write_all(to, &part, liveness).await?;
        } else {
            together.extend_from_slice(&part);
        }
    }
    write_all(to, &together, liveness).await
}

async fn write_all(
    to: &mut (impl AsyncWrite + Unpin),
    mut bytes: &[u8],
    liveness: &Liveness,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let len = to.write(bytes).await?;
        liveness.note_traffic();
        bytes = &bytes[len..];
    }
    Ok(())
}

async fn read_answers(mut answers: Answers, greeted: &watch::Sender<Option<Extensions>>) -> Error {
    match answers.receive_server_hello().await {
        Ok(can) => greeted.send_replace(Some(can)),
        Err(error) => return error,
    };
    loop {
        if let Err(error) = answers.read_in_one_packet().await {
            return error;
        }
    }
}
