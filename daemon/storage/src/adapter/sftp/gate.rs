//! Stands between `ssh` and the library: lets whole, fitting packets through,
//! and takes the pulse of the connection while it does.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use super::packets;

const BUFFER: usize = 64 * 1024;

/// Whether the server still answers what it is asked.
#[derive(Debug)]
pub(super) struct Pulse {
    asked: AtomicU64,
    answered: AtomicU64,
    last: Mutex<Instant>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let last = Mutex::new(Instant::now());
        Self { asked: AtomicU64::new(0), answered: AtomicU64::new(0), last }
    }

    /// Notes a question; the first after a rest starts the wait.
    pub(super) fn ask(&self) {
        let answered = self.answered.load(Ordering::Relaxed);
        if self.asked.fetch_add(1, Ordering::Relaxed) == answered {
            self.beat();
        }
    }

    fn answer(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that bytes moved, one way or the other.
    pub(super) fn beat(&self) {
        *self.last.lock().expect("no panic while held") = Instant::now();
    }

    /// For how long nothing moved although answers are due.
    pub(super) fn silence(&self) -> Duration {
        let is_at_rest =
            self.answered.load(Ordering::Relaxed) >= self.asked.load(Ordering::Relaxed);
        match is_at_rest {
            true => Duration::ZERO,
            false => self.last.lock().expect("no panic while held").elapsed(),
        }
    }
}

/// Names that a listing had to leave out.
#[derive(Debug, Default)]
pub(super) struct Skipped {
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

pub(super) struct Gate<R> {
    inner: R,
    arrived: BytesMut,
    ready: Bytes,
    buffer: Box<[u8]>,
    is_open: bool,
    pulse: Arc<Pulse>,
    skipped: Skipped,
}

impl<R> Gate<R> {
    pub(super) fn new(inner: R, pulse: Arc<Pulse>) -> Self {
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
        let Some(packet) = packets::first_of(&mut self.arrived)? else {
            return Ok(false);
        };
        if !self.is_open && !packets::is_greeting(&packet) {
            return Err(packets::not_ours());
        }
        self.is_open = true;
        let passed = packets::passed(packet)?;
        self.skipped.tell(passed.skipped);
        self.pulse.answer();
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
