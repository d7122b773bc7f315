//! What stands on a backend for later versions only: an encrypted project, a
//! mirror, another format. Making or joining a project there would misread it.

use futures::StreamExt;
use mirror_core::commit::{FORMAT, Later};
use mirror_storage::{Backend, ByteRange};
use serde::Deserialize;

use crate::api::EngineResult;
use crate::log::{needs_later, own_path};

/// `FORMAT` is not longer, its script included.
const MOST_BYTES: u64 = 1 << 20;

/// What `FORMAT` says that decides whether this version may go on.
#[derive(Deserialize)]
struct Said {
    format: u64,
    #[serde(default)]
    encryption: Option<serde_json::Value>,
}

/// An error when the root is for later versions. What can't be read as `FORMAT`
/// says nothing: it only repeats the log (L1).
pub(super) async fn refuse_what_needs_a_later_version(backend: &dyn Backend) -> EngineResult<()> {
    let (format, mirror) = futures::join!(read(backend, "FORMAT"), read(backend, "MIRROR"));
    if mirror?.is_some() {
        return Err(needs_later("what stands there", &Later::Mirror));
    }
    let Some(bytes) = format? else { return Ok(()) };
    match serde_json::from_slice::<Said>(&bytes) {
        Ok(said) if said.format != FORMAT => {
            Err(needs_later("what stands there", &Later::Format(said.format)))
        }
        Ok(Said { encryption: Some(_), .. }) => {
            Err(needs_later("what stands there", &Later::Encrypted))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The beginning of one of our own files.
async fn read(backend: &dyn Backend, name: &str) -> EngineResult<Option<Vec<u8>>> {
    let range = ByteRange { start: 0, len: Some(MOST_BYTES) };
    let Some(mut stream) = backend.read(&own_path(name), range).await? else { return Ok(None) };
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(Some(bytes))
}
