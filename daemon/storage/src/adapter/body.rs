//! Holds a body to the length it said.
//!
//! Whoever reads a checked body to its end has exactly the promised bytes.

use futures::StreamExt;
use futures::stream::try_unfold;

use crate::{Body, ByteStream, RemotePath, StorageError};

/// Gives the bytes of `body`, and an error where they run short, run over or
/// can't be read.
pub(crate) fn length_checked(path: &RemotePath, body: &Body) -> ByteStream {
    let start = CheckedBody { bytes: body.open(), path: path.clone(), said: body.len(), seen: 0 };
    Box::pin(try_unfold(start, async |mut checked| {
        let chunk = checked.next().await?;
        Ok(chunk.map(|chunk| (chunk, checked)))
    }))
}

struct CheckedBody {
    bytes: ByteStream,
    path: RemotePath,
    said: u64,
    seen: u64,
}

impl CheckedBody {
    async fn next(&mut self) -> Result<Option<bytes::Bytes>, StorageError> {
        let chunk = match self.bytes.next().await {
            Some(Ok(chunk)) => Some(chunk),
            Some(Err(error)) => return Err(self.unreadable(error)),
            None => None,
        };
        self.seen += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let too_long = self.seen > self.said;
        let too_short = chunk.is_none() && self.seen < self.said;
        if too_long || too_short {
            return Err(self.wrong_length(too_long));
        }
        Ok(chunk)
    }

    fn wrong_length(&self, too_long: bool) -> StorageError {
        let Self { said, seen, .. } = self;
        let cause = if too_long {
            format!("it is longer than the {said} bytes it said")
        } else {
            format!("it ended after {seen} of {said} bytes")
        };
        self.unreadable(cause)
    }

    fn unreadable(&self, cause: impl Into<crate::Cause>) -> StorageError {
        StorageError::Source { path: self.path.clone(), cause: cause.into() }
    }
}
