//! The single things that the state holds.

use mirror_core::entry::State;
use mirror_core::{Digest, RelPath, Ulid};
use serde::{Deserialize, Serialize};

use crate::outside::Identity;

/// Whose state this is: another project or another folder means it is lost (L1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub project: Digest,
    pub root: String,
    pub identity: Option<(u64, u64)>,
}

/// What this machine last agreed on for one path (B1). No record is "no file".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaseRecord {
    Known {
        state: State,
        seq: u64,
        identity: Option<Identity>,
    },
    /// State was lost, or the path came into coverage later (B5).
    Unknown,
}

/// A local write (`state` is some) or removal under way (B3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Where the new file, or what came out, stands beside the path.
    pub temp_name: String,
    /// What stood at the path when the step was planned.
    pub expected: Option<State>,
    pub state: Option<State>,
    /// The commit that this brings the path to.
    pub seq: u64,
}

impl Target {
    /// Whether this is the version the step began with, or the one it brings.
    pub fn knows(&self, state: State) -> bool {
        Some(state) == self.state || Some(state) == self.expected
    }
}

/// A commit that was tried: its bytes, and the local input of every path (B3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub seq: u64,
    pub id: Ulid,
    pub bytes: Vec<u8>,
    pub inputs: Vec<(RelPath, Option<State>, Option<Identity>)>,
}

/// What this machine last saw of one file in the view (V2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub digest: Digest,
    pub size: u64,
    /// Nanoseconds since 1970 by the service; `None` where it gives no time.
    pub modified_ns: Option<i64>,
    pub revision: String,
    pub seq: u64,
    /// The service's time when this was recorded, as far as it is known.
    pub recorded_ns: Option<i64>,
}

impl Seen {
    /// Whether an equal size and time prove an equal content: only when they
    /// were recorded more than two seconds after that time.
    pub fn proves_by_time(&self) -> bool {
        const MARGIN_NS: i64 = 2_000_000_000;
        match (self.modified_ns, self.recorded_ns) {
            (Some(modified), Some(recorded)) => recorded > modified.saturating_add(MARGIN_NS),
            _ => false,
        }
    }
}
