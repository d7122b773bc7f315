//! Stands between `ssh` and the library: lets whole, fitting packets through,
//! and notes what was answered while it does.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};

use super::liveness::Liveness;
use super::sanitize;

const BUFFER: usize = 64 * 1024;

/// Names that a listing had to leave out.
#[derive(Debug, Default)]
pub(super) struct SkippedNames {
    told: Mutex<BTreeSet<Vec<u8>>>,
}

/// How many names are remembered as told.
const MOST_TOLD: usize = 1000;

impl SkippedNames {
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

pub(super) struct Filter<R> {
    inner: R,
    arrived: BytesMut,
    ready: Bytes,
    buffer: Box<[u8]>,
    is_open: bool,
    liveness: Arc<Liveness>,
    skipped: SkippedNames,
}

impl<R> Filter<R> {
    pub(super) fn new(inner: R, liveness: Arc<Liveness>) -> Self {
        Self {
            inner,
            arrived: BytesMut::new(),
            ready: Bytes::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            is_open: false,
            liveness,
            skipped: SkippedNames::default(),
        }
    }

    /// Makes the next packet ready, if all of it is there.
    fn next(&mut self) -> io::Result<bool> {
        let Some(packet) = sanitize::take_packet(&mut self.arrived)? else {
            return Ok(false);
        };
        if !self.is_open && !sanitize::is_greeting(&packet) {
            return Err(sanitize::not_ours());
        }
        self.is_open = true;
        let sanitized = sanitize::sanitize(packet)?;
        self.skipped.tell(sanitized.skipped);
        self.liveness.note_answer(&sanitized.packet);
        self.ready = sanitized.packet;
        Ok(true)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Filter<R> {
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
            this.liveness.note_traffic();
            this.arrived.extend_from_slice(buffer.filled());
        }
        let len = this.ready.len().min(out.remaining());
        out.put_slice(&this.ready[..len]);
        this.ready.advance(len);
        Poll::Ready(Ok(()))
    }
}
