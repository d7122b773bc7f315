//! A content on its way to a client, piece by piece.

use std::io::{self, Read};

use mirror_engine::EngineError;
use mirror_engine::packs::Content;

use super::host::Events;
use crate::error::{Refusal, RequestError};

/// Small, as many of them may wait for a slow client.
const PIECE: u64 = 64 * 1024;

/// Sends all pieces but the last, and gives that one.
pub(super) async fn send_content<T: Send + 'static>(
    content: Content,
    pieces: Events<T>,
    piece_of: impl Fn(Vec<u8>) -> T + Send + 'static,
) -> Result<T, RequestError> {
    let send = move || send(&content, &pieces, piece_of);
    let last = tokio::task::spawn_blocking(send).await.map_err(|_| Refusal::Panicked)?;
    Ok(last.map_err(EngineError::from)?)
}

fn send<T>(
    content: &Content,
    pieces: &Events<T>,
    piece_of: impl Fn(Vec<u8>) -> T,
) -> io::Result<T> {
    let mut rest = content.open()?;
    let mut last = next(&mut rest)?;
    loop {
        let next = next(&mut rest)?;
        if next.is_empty() {
            return Ok(piece_of(last));
        }
        let piece = piece_of(std::mem::replace(&mut last, next));
        if pieces.blocking_send(Ok(piece)).is_err() {
            // The client is gone and wants no more.
            return Ok(piece_of(last));
        }
    }
}

fn next(content: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(PIECE).read_to_end(&mut bytes)?;
    Ok(bytes)
}
