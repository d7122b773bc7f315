//! A temporary file as the source of an upload.

use std::io::Read;
use std::sync::Mutex;

use bytes::Bytes;
use mirror_storage::{Body, ByteStream, Source, StorageError};

use super::Meter;
use crate::log::own_path;
use crate::outside::{Outside, Scratch};

/// So much is read at a time.
const PIECE: usize = 256 << 10;

/// Below this, a body is read once into memory.
const IN_MEMORY: u64 = 4 << 20;

struct ScratchSource {
    scratch: Mutex<Box<dyn Scratch>>,
    outside: Outside,
    meter: Meter,
}

/// The `len` bytes of a temporary file, as a body.
pub(crate) async fn body_of(
    scratch: Box<dyn Scratch>,
    len: u64,
    outside: &Outside,
    meter: &Meter,
) -> std::io::Result<Body> {
    if len > IN_MEMORY {
        let (outside, meter) = (outside.clone(), meter.clone());
        let source = ScratchSource { scratch: Mutex::new(scratch), outside, meter };
        return Ok(Body::Source { len, source: std::sync::Arc::new(source) });
    }
    let bytes = outside
        .offload(move || {
            let mut bytes = Vec::new();
            scratch.reopen()?.read_to_end(&mut bytes).map(|_| bytes)
        })
        .await?;
    Ok(Bytes::from(bytes).into())
}

impl Source for ScratchSource {
    fn open(&self) -> ByteStream {
        let opened = self.scratch.lock().expect("no reader panics").reopen();
        let (outside, meter) = (self.outside.clone(), self.meter.clone());
        let next = move |reader: Option<std::io::Result<Box<dyn Scratch>>>| {
            let (outside, meter) = (outside.clone(), meter.clone());
            async move {
                match reader? {
                    Err(error) => Some((Err(failed(error)), None)),
                    Ok(mut scratch) => {
                        if outside.interrupt.is_cancelled() {
                            let cause = std::io::Error::other("the job was cancelled");
                            return Some((Err(failed(cause)), None));
                        }
                        let (piece, scratch) =
                            outside.offload(move || (read_piece(scratch.as_mut()), scratch)).await;
                        match piece {
                            Ok(piece) if piece.is_empty() => None,
                            Ok(piece) => {
                                meter.add(piece.len() as u64);
                                Some((Ok(piece), Some(Ok(scratch))))
                            }
                            Err(error) => Some((Err(failed(error)), None)),
                        }
                    }
                }
            }
        };
        Box::pin(futures::stream::unfold(Some(opened), next))
    }
}

fn read_piece(scratch: &mut dyn Scratch) -> std::io::Result<Bytes> {
    let mut piece = Vec::with_capacity(PIECE);
    scratch.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece.into())
}

fn failed(error: std::io::Error) -> StorageError {
    StorageError::Source { path: own_path("packs"), cause: error.into() }
}
