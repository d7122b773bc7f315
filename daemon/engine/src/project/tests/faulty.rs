//! A line to a backend that fails as it is told to, and counts its calls.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use mirror_storage::adapter::memory::MemoryBackend;
use mirror_storage::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded,
    KeepAttributes, KeptAttributes, MoveAside, NewFile, RemoteFile, RemotePath, Revision,
    StorageError, Stored,
};

use tokio::sync::watch;

use super::power::Power;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing reached the service.
    Before,
    /// The service did it; its reply was lost, or broke off half-way.
    After,
}

/// A call that has ended, and how many had to end one after the other for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) verb: &'static str,
    pub(super) path: String,
    pub(super) depth: usize,
}

type Chooser = Box<dyn Fn(&str, &str) -> bool + Send>;

/// One that minds what it was asked before.
type Counting = Box<dyn FnMut(&str, &str) -> bool + Send>;

/// A write that its sender has given up, and that is still on its way.
type Late = (RemotePath, Body, Expect);

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flaw of its own")]
struct Line {
    begun: usize,
    ended: Vec<Call>,
    fault: Option<(usize, Fault)>,
    refused: Option<Chooser>,
    unanswered: Option<Chooser>,
    program: Option<(Chooser, BoxFuture<'static, ()>)>,
    delayed: Option<Counting>,
    late: Vec<Late>,
    latency: Option<Duration>,
    is_denied: bool,
    alters: bool,
    is_coarse: bool,
    /// Bytes that were asked for and are not given yet, now and at most.
    reading: (u64, u64),
    opens_all: bool,
}

pub(super) struct FaultyBackend {
    inner: MemoryBackend,
    power: Arc<Power>,
    line: Mutex<Line>,
    /// Calls wait for as long as it is.
    is_silent: watch::Sender<bool>,
}

struct Ticket {
    call: Call,
    loses_reply: bool,
}

fn unreachable() -> StorageError {
    StorageError::Unreachable("the line is cut".into())
}

impl FaultyBackend {
    pub(super) fn new(inner: MemoryBackend, power: Arc<Power>) -> Self {
        Self { inner, power, line: Mutex::default(), is_silent: watch::Sender::new(false) }
    }

    fn line<T>(&self, look: impl FnOnce(&mut Line) -> T) -> T {
        look(&mut self.line.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts counting anew, and fails call number `fault.0` from here.
    pub(super) fn begin_story(&self, fault: Option<(usize, Fault)>) {
        self.line(|line| {
            line.begun = 0;
            line.ended.clear();
            line.fault = fault;
        });
    }

    /// Whether the call that was to fail has come.
    pub(super) fn has_failed(&self) -> bool {
        self.line(|line| line.fault.is_some_and(|(number, _)| number < line.begun))
    }

    pub(super) fn ended(&self) -> Vec<Call> {
        self.line(|line| line.ended.clone())
    }

    /// The most bytes that were ever asked for at once.
    pub(super) fn most_read_at_once(&self) -> u64 {
        self.line(|line| line.reading.1)
    }

    /// Stores the view with other line ends, as some services do.
    pub(super) fn alter_contents(&self) {
        self.line(|line| line.alters = true);
    }

    /// Tells two versions of a file apart by size and second only, as SFTP does.
    pub(super) fn tell_little(&self) {
        self.line(|line| line.is_coarse = true);
    }

    /// Has no file for its owner alone, whatever is asked for, as disks without
    /// modes do.
    pub(super) fn open_all(&self) {
        self.line(|line| line.opens_all = true);
    }

    fn described(&self, file: RemoteFile) -> RemoteFile {
        let revision = match self.line(|line| line.is_coarse) {
            true => Revision(format!("{} {:?}", file.size, file.modified)),
            false => file.revision,
        };
        RemoteFile { revision, ..file }
    }

    pub(super) fn set_latency(&self, latency: Duration) {
        self.line(|line| line.latency = Some(latency));
    }

    /// Fails each call that `chooser` picks by verb and path.
    pub(super) fn refuse(&self, chooser: impl Fn(&str, &str) -> bool + Send + 'static) {
        self.line(|line| line.refused = Some(Box::new(chooser)));
    }

    /// Carries out each call that `chooser` picks, and loses its reply.
    pub(super) fn lose_reply_of(&self, chooser: impl Fn(&str, &str) -> bool + Send + 'static) {
        self.line(|line| line.unanswered = Some(Box::new(chooser)));
    }

    /// Gives up the first write that `chooser` picks; it arrives later.
    pub(super) fn delay(&self, chooser: impl FnMut(&str, &str) -> bool + Send + 'static) {
        self.line(|line| line.delayed = Some(Box::new(chooser)));
    }

    /// Lets what was given up reach the service.
    pub(super) async fn lets_arrive(&self) {
        let late = self.line(|line| std::mem::take(&mut line.late));
        assert!(!late.is_empty(), "something is on its way");
        for (path, body, expect) in late {
            self.inner.write(&path, body, expect).await.unwrap();
        }
    }

    /// Nothing is answered any more, and nobody is told.
    pub(super) fn falls_silent(&self) {
        self.is_silent.send_replace(true);
    }

    pub(super) fn speaks_again(&self) {
        self.is_silent.send_replace(false);
    }

    /// How many calls were begun in this story, those that wait left out.
    pub(super) fn begun(&self) -> usize {
        self.line(|line| line.begun)
    }

    pub(super) fn plug_in(&self) {
        self.line(|line| (line.refused, line.unanswered) = (None, None));
    }

    pub(super) fn refuse_credentials(&self) {
        self.line(|line| line.is_denied = true);
    }

    /// Lets something happen once, just before the call that `chooser` picks.
    pub(super) fn before(
        &self,
        chooser: impl Fn(&str, &str) -> bool + Send + 'static,
        program: impl Future<Output = ()> + Send + 'static,
    ) {
        self.line(|line| line.program = Some((Box::new(chooser), Box::pin(program))));
    }

    async fn begin(&self, verb: &'static str, path: &RemotePath) -> Result<Ticket, StorageError> {
        let path = path.as_str().to_owned();
        let program = self.line(|line| {
            line.program.take_if(|(chooser, _)| chooser(verb, &path)).map(|(_, program)| program)
        });
        if let Some(program) = program {
            program.await;
        }
        let mut is_silent = self.is_silent.subscribe();
        // The sender lives as long as this line.
        drop(is_silent.wait_for(|is_silent| !is_silent).await);
        let (number, depth, latency, refused, unanswered) = self.line(|line| {
            let number = line.begun;
            line.begun += 1;
            let depth = line.ended.iter().map(|call| call.depth).max().unwrap_or(0) + 1;
            let picked = |chooser: &Option<Chooser>| {
                chooser.as_ref().is_some_and(|chooser| chooser(verb, &path))
            };
            (number, depth, line.latency, picked(&line.refused), picked(&line.unanswered))
        });
        match latency {
            Some(latency) => tokio::time::sleep(latency).await,
            None => tokio::task::yield_now().await,
        }
        if self.line(|line| line.is_denied) {
            return Err(StorageError::CredentialsRefused("the password has changed".into()));
        }
        let fault = self.line(|line| line.fault).filter(|(at, _)| *at == number);
        let is_cut = matches!(fault, Some((_, Fault::Before)));
        let call = Call { verb, path, depth };
        if !self.power.lasts() || refused || is_cut {
            self.line(|line| line.ended.push(call));
            return Err(unreachable());
        }
        Ok(Ticket { call, loses_reply: fault.is_some() || unanswered })
    }

    fn end<T>(&self, ticket: Ticket, answer: T) -> Result<T, StorageError> {
        self.line(|line| line.ended.push(ticket.call));
        if ticket.loses_reply { Err(unreachable()) } else { Ok(answer) }
    }
}

async fn altered(body: &Body) -> Result<Body, StorageError> {
    let whole = body.open().try_next().await?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&whole).replace('\n', "\r\n").into())
}

#[async_trait]
impl Backend for FaultyBackend {
    fn label(&self) -> &'static str {
        "faulty memory"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        let ticket = self.begin("stat", path).await?;
        let file = self.inner.stat(path).await?;
        self.end(ticket, file.map(|file| self.described(file)))
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let listing = async move {
            let ticket = self.begin("list", prefix).await?;
            let files = self.inner.list(prefix).try_collect::<Vec<_>>().await?;
            let files = self.end(ticket, files)?;
            Ok(futures::stream::iter(files).map(|file| Ok(self.described(file))))
        };
        futures::stream::once(listing).try_flatten().boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        let size = self.inner.stat(path).await?.map_or(0, |file| file.size);
        let asked = size.saturating_sub(range.start).min(range.len.unwrap_or(u64::MAX));
        self.line(|line| {
            line.reading.0 += asked;
            line.reading.1 = line.reading.1.max(line.reading.0);
        });
        let begun = self.begin("read", path).await;
        self.line(|line| line.reading.0 -= asked);
        let ticket = begun?;
        let loses_reply = ticket.loses_reply;
        let Some(mut stream) = self.inner.read(path, range).await? else {
            return self.end(ticket, None);
        };
        if !loses_reply {
            return self.end(ticket, Some(stream));
        }
        let _ = self.end(ticket, ());
        let whole = stream.try_next().await?.unwrap_or_default();
        let half: Bytes = whole.slice(..whole.len() / 2);
        Ok(Some(futures::stream::iter([Ok(half), Err(unreachable())]).boxed()))
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        let ticket = self.begin("write", path).await?;
        let body = match !path.is_ours() && self.line(|line| line.alters) {
            true => altered(&body).await?,
            false => body,
        };
        let in_place = !self.capabilities().atomic_view && !path.is_ours();
        if in_place && !self.power.lasts() {
            // The beginning of the file is there when the power ends.
            drop(self.inner.write(path, body, expect).now_or_never());
            return Err(unreachable());
        }
        let picked = |line: &mut Line| {
            line.delayed.take_if(|chooser| chooser("write", path.as_str())).is_some()
        };
        if self.line(picked) {
            self.line(|line| line.late.push((path.clone(), body, expect)));
            self.line(|line| line.ended.push(ticket.call));
            return Err(unreachable());
        }
        let answer = self.inner.write(path, body, expect).await?;
        self.end(ticket, answer)
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        let ticket = self.begin("remove", path).await?;
        let answer = self.inner.remove(path, expect).await?;
        self.end(ticket, answer)
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        let ticket = self.begin("sweep", &RemotePath::ROOT).await?;
        self.end(ticket, self.inner.sweep(age).await?)
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.inner.move_aside().is_some().then_some(self as &dyn MoveAside)
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        self.inner.keep_attributes().is_some().then_some(self as &dyn KeepAttributes)
    }
}

#[async_trait]
impl KeepAttributes for FaultyBackend {
    fn keeps(&self) -> KeptAttributes {
        self.inner.keep_attributes().expect("only offered where it is there").keeps()
    }

    fn set_access(&self, access: Access) {
        self.inner.keep_attributes().expect("only offered where it is there").set_access(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        let ticket = self.begin("write", &file.path).await?;
        let mut file = file.clone();
        file.attributes.is_private &= !self.line(|line| line.opens_all);
        let keeper = self.inner.keep_attributes().expect("only offered where it is there");
        let answer = keeper.write_as(&file, body).await?;
        self.end(ticket, answer)
    }
}

#[async_trait]
impl MoveAside for FaultyBackend {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        let ticket = self.begin("rename", from).await?;
        let mover = self.inner.move_aside().expect("only offered where it is there");
        let answer = mover.rename(from, to).await?;
        self.end(ticket, answer)
    }
}
