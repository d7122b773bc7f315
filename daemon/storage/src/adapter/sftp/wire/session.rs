//! One SFTP session over one line.
//!
//! Requests are written as soon as they are made and answered in any order.
//! Every one of them is answered or, when the session ends, told why it ended.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssh_sftp_client_lowlevel::{Extensions, Limits};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;

use super::line::{self, End, Ending, Line, Requests, wait_for_end};

/// How much of all uploads may be on its way at once, and how much of all
/// downloads may be read ahead, in pieces of [`UNIT`].
const ROOM: usize = 256;
const UNIT: u32 = 64 * 1024;

/// What servers take at once that don't say how much they take.
const PLAIN_LEN: u32 = 32 * 1024;
const LONGEST_LEN: u64 = 255 * 1024;

/// How much may be open at once: half of what Linux gives a program.
const HANDLES: usize = 512;

/// How long a session may take to end after it was asked to.
const FAREWELL: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Session {
    pub(super) requests: Mutex<Requests>,
    pub(super) end: End,
    pub(super) can: Extensions,
    /// One for each file or folder that the server may hold open for us.
    pub(super) handles: Arc<Semaphore>,
    lens: Arc<Lens>,
    room: Semaphore,
    /// Apart from uploads: what is read may be waiting to be written.
    ahead: Arc<Semaphore>,
    leave: Arc<Notify>,
    task: LineTask,
}

/// Ends the line with the session.
#[derive(Debug)]
struct LineTask(AbortHandle);

impl Drop for LineTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Debug)]
struct Lens {
    read: AtomicU32,
    write: AtomicU32,
}

impl Default for Lens {
    fn default() -> Self {
        Self { read: AtomicU32::new(PLAIN_LEN), write: AtomicU32::new(PLAIN_LEN) }
    }
}

impl Lens {
    fn note(&self, limits: &Limits) {
        for (len, most) in [(&self.read, limits.read_len), (&self.write, limits.write_len)] {
            match u32::try_from(most.min(LONGEST_LEN)) {
                Ok(most) if most > 0 => len.store(most, Ordering::Relaxed),
                _ => {}
            }
        }
    }
}

impl Session {
    /// Waits until SFTP answers at the other end of `line`.
    pub(crate) async fn start(line: Line, patience: Duration) -> Result<Self, Ending> {
        let running = line::start(line, patience)?;
        let task = LineTask(running.task);
        let (mut end, mut early_end, mut greeting) =
            (running.end.clone(), running.end, running.greeting);
        let can = tokio::select! {
            biased;
            can = greeting.wait_for(Option::is_some) => can.ok().and_then(|can| *can),
            _ = wait_for_end(&mut early_end) => None,
        };
        let Some(can) = can else {
            return Err(wait_for_end(&mut end).await);
        };
        let session = Self {
            requests: Mutex::new(running.requests),
            end,
            can,
            handles: Arc::new(Semaphore::new(HANDLES)),
            lens: Arc::default(),
            room: Semaphore::new(ROOM),
            ahead: Arc::new(Semaphore::new(ROOM)),
            leave: running.leave,
            task,
        };
        session.ask_limits();
        Ok(session)
    }

    /// Asks how much the server takes at once. Nobody has to wait for that.
    fn ask_limits(&self) {
        if !self.has(Extensions::LIMITS) {
            return;
        }
        let (limits, lens, handles) = (self.limits(), self.lens.clone(), self.handles.clone());
        tokio::spawn(async move {
            let Ok(limits) = limits.await else { return };
            lens.note(&limits);
            let most = usize::try_from(limits.open_handles).unwrap_or(HANDLES);
            if most > 0 {
                handles.forget_permits(HANDLES.saturating_sub((most * 3 / 4).max(1)));
            }
        });
    }

    /// How many bytes one request may ask for.
    pub(crate) fn read_len(&self) -> u32 {
        self.lens.read.load(Ordering::Relaxed)
    }

    /// How many bytes one request may bring.
    pub(crate) fn write_len(&self) -> u32 {
        self.lens.write.load(Ordering::Relaxed)
    }

    pub(crate) fn has(&self, extension: Extensions) -> bool {
        self.can.contains(extension)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.end.borrow().is_some() || self.task.0.is_finished()
    }

    /// Waits until `len` bytes may be on their way, too.
    pub(crate) async fn room(&self, len: u32) -> SemaphorePermit<'_> {
        let units = len.div_ceil(UNIT);
        self.room.acquire_many(units).await.expect("never closed")
    }

    /// Room to read `len` more bytes ahead, if there is some.
    pub(crate) fn room_now(&self, len: u32) -> Option<OwnedSemaphorePermit> {
        let units = len.div_ceil(UNIT);
        self.ahead.clone().try_acquire_many_owned(units).ok()
    }

    /// Waits for the last of all answers, and ends: a server that sees our end
    /// drops what it has not begun.
    pub(crate) async fn finish(&self) {
        let _ = tokio::time::timeout(FAREWELL, self.follow(".")).await;
        self.leave.notify_one();
        let _ = tokio::time::timeout(FAREWELL, wait_for_end(&mut self.end.clone())).await;
    }
}
