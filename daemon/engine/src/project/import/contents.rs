//! Keeping the bytes of what people wrote into the view, while they are on
//! their way into the log.
//!
//! Small ones in memory, up to a bound for all of them; the others in files of
//! the data folder, which are dropped once nothing needs them.

use std::collections::BTreeMap;
use std::io;
use std::io::{Read, Write};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use mirror_core::{Digest, merge};
use mirror_storage::{ByteRange, ByteStream};

use crate::api::EngineResult;
use crate::outside::tree::digest_of;
use crate::project::commit::draft::ContentSource;
use crate::project::worker::Worker;
use crate::view::Found;

const FOLDER: &str = "outside";

/// So much is held in memory at once.
const IN_MEMORY: u64 = 32 << 20;

impl Worker {
    /// Reads what was found, by its digest. What is no longer as it was found
    /// is left out.
    pub(crate) async fn keep_contents(
        &self,
        found: &[Found],
    ) -> EngineResult<BTreeMap<Digest, ContentSource>> {
        let (mut held, mut room) = (BTreeMap::new(), IN_MEMORY);
        for one in found {
            let digest = one.seen.digest;
            if held.contains_key(&digest) {
                continue;
            }
            let Some(stream) = self.parts.backend.read(&one.place, ByteRange::ALL).await? else {
                continue;
            };
            let is_small = one.seen.size <= room.min(merge::MAX_TEXT_BYTES as u64);
            let content = if is_small {
                room -= one.seen.size;
                in_memory(stream, one.seen.size, digest).await?
            } else {
                self.in_file(stream, digest).await?
            };
            held.extend(content.map(|content| (digest, content)));
        }
        Ok(held)
    }

    async fn in_file(
        &self,
        mut stream: ByteStream,
        digest: Digest,
    ) -> EngineResult<Option<ContentSource>> {
        let cache = self.parts.cache.clone();
        let outside = &self.parts.outside;
        let mut scratch = outside.offload(move || cache.scratch()).await?;
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            scratch = outside.offload(move || scratch.write_all(&piece).map(|()| scratch)).await?;
        }
        let (data, name) = (self.parts.data.clone(), format!("{FOLDER}/{}", outside.ulid()));
        let keep = move || -> io::Result<Option<ContentSource>> {
            if digest_of(&mut scratch.reopen()?)?.0 != digest {
                return Ok(None);
            }
            data.write(&name, &mut scratch.reopen()?, false)?;
            Ok(Some(ContentSource::Stored(name)))
        };
        Ok(outside.offload(keep).await?)
    }

    /// The held bytes, if they are few enough to be merged.
    pub(crate) async fn held_text(&self, content: &ContentSource) -> Option<Bytes> {
        let name = match content {
            ContentSource::Bytes(bytes) => return Some(bytes.clone()),
            ContentSource::Stored(name) => name.clone(),
        };
        let data = self.parts.data.clone();
        let read = move || {
            let mut bytes = Vec::new();
            let most = merge::MAX_TEXT_BYTES as u64 + 1;
            data.open(&name).ok()??.take(most).read_to_end(&mut bytes).ok()?;
            (bytes.len() <= merge::MAX_TEXT_BYTES).then(|| Bytes::from(bytes))
        };
        self.parts.outside.offload(read).await
    }

    /// Drops the files of what was held; also those that a crash left, when no
    /// content is in use.
    pub(crate) async fn drop_held(&self) {
        let data = self.parts.data.clone();
        let drop_all = move || -> io::Result<()> {
            for file in data.list(FOLDER)? {
                data.remove(&format!("{FOLDER}/{}", file.name))?;
            }
            Ok(())
        };
        if let Err(error) = self.parts.outside.offload(drop_all).await {
            tracing::warn!(%error, "files that are no longer needed could not be dropped");
        }
    }
}

async fn in_memory(
    mut stream: ByteStream,
    size: u64,
    digest: Digest,
) -> EngineResult<Option<ContentSource>> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() as u64 > size {
            return Ok(None);
        }
    }
    let is_it = Digest::of(&bytes) == digest;
    Ok(is_it.then(|| ContentSource::Bytes(bytes.freeze())))
}
