//! The whole history at one commit, as bytes that every machine makes alike.
//!
//! A cache (L8): it says nothing that the entries before it don't. The bytes
//! are JSON with fields in the order of the type and keys in byte order, so
//! that their digest can be vouched for by whoever has read the log itself.

use serde::{Deserialize, Serialize};

use crate::commit::FORMAT;
use crate::{Digest, History};

/// A checkpoint is due when this many entries came since the last.
pub const INTERVAL: u64 = 128;

#[derive(Serialize)]
struct Written<'a> {
    format: u64,
    history: &'a History,
}

#[derive(Deserialize)]
struct Read {
    format: u64,
    history: History,
}

/// The bytes do not hold a history of this format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint that this version understands: {0}")]
pub struct CheckpointError(String);

/// Writes a history; equal histories give equal bytes.
pub fn to_bytes(history: &History) -> Vec<u8> {
    serde_json::to_vec(&Written { format: FORMAT, history }).expect("keys are strings")
}

/// The digest that a commit names when it vouches for this history.
pub fn digest(history: &History) -> Digest {
    Digest::of(&to_bytes(history))
}

/// Reads a history. Whether it may be trusted is the caller's question (L8).
pub fn from_bytes(bytes: &[u8]) -> Result<History, CheckpointError> {
    let read: Read =
        serde_json::from_slice(bytes).map_err(|error| CheckpointError(error.to_string()))?;
    if read.format != FORMAT {
        return Err(CheckpointError(format!("it has format {}", read.format)));
    }
    read.history.rebuilt().map_err(|what| CheckpointError(what.to_owned()))
}
