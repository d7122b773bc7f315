//! One running `ssh` and the SFTP session in it.
//!
//! Requests are written as soon as they are made and answered in any order.
//! Every one of them is answered or, when the session ends, told why it ended.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssh_sftp_client_lowlevel::{Extensions, Limits, WriteEnd};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};
use tokio::task::AbortHandle;

use super::super::ssh::exit_reason::SftpFault;
use super::line::{self, Line, Outgoing};

/// The library could fill buffers of ours; we take those that it makes.
pub(in crate::adapter::sftp) type Buffer = Vec<u8>;
pub(in crate::adapter::sftp) type Requests = WriteEnd<Buffer, Outgoing>;

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

/// Why a session ended, once it has.
pub(in crate::adapter::sftp) type End = watch::Receiver<Option<SftpFault>>;

#[derive(Debug)]
pub(in crate::adapter::sftp) struct Session {
    pub(in crate::adapter::sftp) requests: Mutex<Requests>,
    pub(in crate::adapter::sftp) end: End,
    pub(in crate::adapter::sftp) can: Extensions,
    /// One for each file or folder that the server may hold open for us.
    pub(in crate::adapter::sftp) handles: Arc<Semaphore>,
    lens: Arc<Lens>,
    room: Semaphore,
    /// Apart from uploads: what is read may be waiting to be written.
    ahead: Arc<Semaphore>,
    leave: Arc<Notify>,
    tending: Tending,
}

/// Ends `ssh` with the session.
#[derive(Debug)]
struct Tending(AbortHandle);

impl Drop for Tending {
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
    pub(in crate::adapter::sftp) async fn start(
        line: Line,
        patience: Duration,
    ) -> Result<Self, SftpFault> {
        let started = line::start(line, patience)?;
        let tending = Tending(started.tending);
        let (mut end, mut early_end, mut greeting) =
            (started.end.clone(), started.end, started.greeting);
        let can = tokio::select! {
            biased;
            can = greeting.wait_for(Option::is_some) => can.ok().and_then(|can| *can),
            _ = ended(&mut early_end) => None,
        };
        let Some(can) = can else {
            return Err(ended(&mut end).await);
        };
        let session = Self {
            requests: Mutex::new(started.requests),
            end,
            can,
            handles: Arc::new(Semaphore::new(HANDLES)),
            lens: Arc::default(),
            room: Semaphore::new(ROOM),
            ahead: Arc::new(Semaphore::new(ROOM)),
            leave: started.leave,
            tending,
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
    pub(in crate::adapter::sftp) fn read_len(&self) -> u32 {
        self.lens.read.load(Ordering::Relaxed)
    }

    /// How many bytes one request may bring.
    pub(in crate::adapter::sftp) fn write_len(&self) -> u32 {
        self.lens.write.load(Ordering::Relaxed)
    }

    pub(in crate::adapter::sftp) fn has(&self, extension: Extensions) -> bool {
        self.can.contains(extension)
    }

    pub(in crate::adapter::sftp) fn is_over(&self) -> bool {
        self.end.borrow().is_some() || self.tending.0.is_finished()
    }

    /// Waits until `len` bytes may be on their way, too.
    pub(in crate::adapter::sftp) async fn room(&self, len: u32) -> SemaphorePermit<'_> {
        let units = len.div_ceil(UNIT);
        self.room.acquire_many(units).await.expect("never closed")
    }

    /// Room to read `len` more bytes ahead, if there is some.
    pub(in crate::adapter::sftp) fn room_now(&self, len: u32) -> Option<OwnedSemaphorePermit> {
        let units = len.div_ceil(UNIT);
        self.ahead.clone().try_acquire_many_owned(units).ok()
    }

    /// Waits for the last of all answers, and ends: a server that sees our end
    /// drops what it has not begun.
    pub(in crate::adapter::sftp) async fn finish(&self) {
        let _ = tokio::time::timeout(FAREWELL, self.follow(".")).await;
        self.leave.notify_one();
        let _ = tokio::time::timeout(FAREWELL, ended(&mut self.end.clone())).await;
    }
}

/// Waits for the end of a session.
pub(in crate::adapter::sftp) async fn ended(end: &mut End) -> SftpFault {
    match end.wait_for(Option::is_some).await {
        Ok(fault) => fault.clone().unwrap_or(SftpFault::ConnectionLost),
        // Its task was stopped.
        Err(_) => SftpFault::ConnectionLost,
    }
}
