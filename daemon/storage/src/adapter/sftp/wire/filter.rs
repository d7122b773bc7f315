//! Stands between `ssh` and the library: lets whole, fitting packets through,
//! and takes the pulse of the connection while it does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use super::sanitize;

const BUFFER: usize = 64 * 1024;

/// How many requests may be answered before one that was made earlier: servers
/// do not keep to the order, and some requests take long.
const MOST_OVERTAKEN: u64 = 1000;

/// How many times its patience a client waits for one that was overtaken at all.
const LONG: u32 = 10;

/// Whether the server still answers what it is asked.
#[derive(Debug)]
pub(in crate::adapter::sftp) struct Pulse(Mutex<Due>);

/// The requests that have no answer yet, each with a number in their order.
#[derive(Debug)]
struct Due {
    asked: u64,
    numbers: HashMap<u32, u64>,
    since: BTreeMap<u64, Instant>,
    /// When bytes moved last, one way or the other.
    moved: Instant,
}

impl Pulse {
    pub(in crate::adapter::sftp) fn new() -> Self {
        let (numbers, since) = (HashMap::new(), BTreeMap::new());
        Self(Mutex::new(Due { asked: 0, numbers, since, moved: Instant::now() }))
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.0.lock().expect("no panic while held")
    }

    /// Notes a request; the first after a rest starts the wait.
    pub(in crate::adapter::sftp) fn ask(&self, packet: &[u8]) {
        let now = Instant::now();
        let mut due = self.due();
        if due.since.is_empty() {
            due.moved = now;
        }
        let number = due.asked;
        due.asked += 1;
        due.numbers.insert(sanitize::id_of(packet), number);
        due.since.insert(number, now);
    }

    fn answer(&self, packet: &[u8]) {
        let mut due = self.due();
        if let Some(number) = due.numbers.remove(&sanitize::id_of(packet)) {
            due.since.remove(&number);
        }
    }

    /// Notes that bytes moved, one way or the other.
    pub(in crate::adapter::sftp) fn beat(&self) {
        self.due().moved = Instant::now();
    }

    /// How long to wait before it makes sense to look again; `None` when that
    /// was long enough: nothing moved for that time though answers are due, or
    /// one of them was forgotten.
    pub(in crate::adapter::sftp) fn rest(&self, patience: Duration) -> Option<Duration> {
        let due = self.due();
        let Some((number, since)) = due.since.first_key_value() else { return Some(patience) };
        let (silence, age) = (due.moved.elapsed(), since.elapsed());
        // Those made later, less those of them that wait as well.
        let overtaken = due.asked - number - due.since.len() as u64;
        let is_forgotten = match overtaken {
            0 => false,
            MOST_OVERTAKEN.. => age >= patience,
            _ => age >= patience * LONG,
        };
        let is_over = silence >= patience || is_forgotten;
        (!is_over).then(|| patience.saturating_sub(silence).max(patience / 8))
    }
}

/// Names that a listing had to leave out.
#[derive(Debug, Default)]
pub(in crate::adapter::sftp) struct Skipped {
    told: Mutex<BTreeSet<Vec<u8>>>,
}

/// How many names are remembered as told.
const MOST_TOLD: usize = 1000;

impl Skipped {
    /// Says once of each name that it is left out.
    fn tell(&self, names: Vec<Vec<u8>>) {
        let mut told = self.told.lock().expect("no panic while held");
        for name in names {
            if told.len() < MOST_TOLD && !told.contains(&name) {
                let escaped = name.escape_ascii();
                tracing::warn!(name = %escaped, "a name that is not UTF-8 is left out");
                told.insert(name);
            }
        }
    }
}

pub(in crate::adapter::sftp) struct Gate<R> {
    inner: R,
    arrived: BytesMut,
    ready: Bytes,
    buffer: Box<[u8]>,
    is_open: bool,
    pulse: Arc<Pulse>,
    skipped: Skipped,
}

impl<R> Gate<R> {
    pub(in crate::adapter::sftp) fn new(inner: R, pulse: Arc<Pulse>) -> Self {
        Self {
            inner,
            arrived: BytesMut::new(),
            ready: Bytes::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            is_open: false,
            pulse,
            skipped: Skipped::default(),
        }
    }

    /// Makes the next packet ready, if all of it is there.
    fn next(&mut self) -> io::Result<bool> {
        let Some(packet) = sanitize::first_of(&mut self.arrived)? else {
            return Ok(false);
        };
        if !self.is_open && !sanitize::is_greeting(&packet) {
            return Err(sanitize::not_ours());
        }
        self.is_open = true;
        let passed = sanitize::passed(packet)?;
        self.skipped.tell(passed.skipped);
        self.pulse.answer(&passed.packet);
        self.ready = passed.packet;
        Ok(true)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Gate<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.ready.is_empty() && !this.next()? {
            let mut buffer = ReadBuf::new(&mut this.buffer);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.pulse.beat();
            this.arrived.extend_from_slice(buffer.filled());
        }
        let len = this.ready.len().min(out.remaining());
        out.put_slice(&this.ready[..len]);
        this.ready.advance(len);
        Poll::Ready(Ok(()))
    }
}
