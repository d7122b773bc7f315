//! The single things that the state holds.

use mirror_core::commit::Pack;
use mirror_core::entry::State;
use mirror_core::{Digest, RelPath, Timestamp, Ulid};
use mirror_storage::RemoteFile;
use serde::{Deserialize, Serialize};

/// Whose state this is: another project or another folder means it is lost (L1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub project: Digest,
    pub root: String,
    pub identity: Option<(u64, u64)>,
}

impl Owner {
    /// A folder that is missing now says nothing against the state, nor does one on
    /// another device: most likely its disk is not mounted, and before anything is
    /// done to the files there a person is asked. Elsewhere on another machine it
    /// is the folder of a clone (B6).
    pub(super) fn is_still(&self, now: &Self, is_own_machine: bool) -> bool {
        (self.project, &self.root) == (now.project, &now.root)
            && (now.identity.is_none()
                || self.identity == now.identity
                || is_own_machine && self.is_on_other_device(now.identity))
    }

    pub(super) fn is_on_other_device(&self, identity: Option<(u64, u64)>) -> bool {
        let device = |identity: Option<(u64, u64)>| identity.map(|(device, _)| device);
        let (known, now) = (device(self.identity), device(identity));
        known.is_some() && now.is_some() && known != now
    }

    pub fn new(project: Digest, root: &std::path::Path, identity: Option<(u64, u64)>) -> Self {
        Self { project, root: root.to_string_lossy().into_owned(), identity }
    }
}

/// What this machine last agreed on for one path (B1). No record is "no file".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaseRecord {
    Known {
        state: State,
        seq: u64,
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
    /// What the base is once this has landed.
    pub base: BaseAfter,
}

/// What a local write does to the base of its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaseAfter {
    /// The version that was written came from the head.
    Written,
    /// The version that was written is an edit made on this base.
    Under(Option<BaseRecord>),
}

impl Target {
    /// The base once the write has landed.
    pub fn base_after(&self) -> Option<BaseRecord> {
        match &self.base {
            BaseAfter::Written => {
                self.state.map(|state| BaseRecord::Known { state, seq: self.seq })
            }
            BaseAfter::Under(base) => base.clone(),
        }
    }

    /// Whether this is the version the step began with, or the one it brings.
    pub fn knows(&self, state: State) -> bool {
        Some(state) == self.state || Some(state) == self.expected
    }
}

/// A commit that was tried: its bytes, and what it was made from (B3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub seq: u64,
    pub id: Ulid,
    pub bytes: Vec<u8>,
    pub changes: Vec<TriedChange>,
    /// The files that it takes away and that count for the hour (B12).
    pub losses: u64,
}

/// An append that a person gave up before it was answered: it is not sent again,
/// and may arrive all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    pub seq: u64,
    pub id: Ulid,
    pub changes: Vec<TriedChange>,
}

/// One change of a commit that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedChange {
    pub path: RelPath,
    pub to: Option<State>,
    /// `None`: the change was not made from what stood here.
    pub input: Option<LocalInput>,
}

/// What stood in the working tree when a change was made from it (B4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalInput {
    pub state: Option<State>,
    /// For a version that was spooled (B8): the base it was made on. The base
    /// moves only while it is still that one.
    pub made_on: Option<Option<BaseRecord>>,
}

/// A pack on its way to the backend, or there and in no commit yet (P7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub name: Ulid,
    /// `None` until it is stored whole.
    #[serde(with = "as_in_the_log")]
    pub stored: Option<Pack>,
}

/// A pack as its entry has it: the state's own encoding can leave no field out.
mod as_in_the_log {
    use mirror_core::commit::Pack;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

    #[expect(clippy::ref_option, reason = "a field is handed on as it is")]
    pub(super) fn serialize<S: Serializer>(
        pack: &Option<Pack>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serde_json::to_string(pack).map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Pack>, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
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
    /// This machine wrote it, and hasn't read it back yet (V7).
    pub is_own: bool,
    /// This machine wrote it for its owner alone. Where it is open all the same,
    /// that is how the service has it, and nothing is gained by another try (B14).
    pub is_narrowed: bool,
}

/// A version that the view held: the base of what a person makes of it (V2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenVersion {
    pub digest: Digest,
    pub seq: u64,
}

/// A view file that was moved aside, or left there by a crash (V3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsideRecord {
    pub path: RelPath,
    /// What was expected there; `None` when that is unknown.
    pub base: Option<SeenVersion>,
}

impl Seen {
    /// Whether this machine has made this very file private, as far as it can.
    pub fn is_narrowed_as(&self, file: &RemoteFile) -> bool {
        self.is_narrowed && self.revision == file.revision.0
    }

    /// The service's time for it, for people.
    pub fn modified(&self) -> Option<Timestamp> {
        Some(Timestamp(self.modified_ns?.div_euclid(1_000_000)))
    }

    pub fn version(&self) -> SeenVersion {
        SeenVersion { digest: self.digest, seq: self.seq }
    }

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

/// Where a content lies that was found damaged (P8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Spot {
    Pack {
        name: Ulid,
        offset: u64,
    },
    /// It is made of these chunks, whose list has this digest.
    Chunks(Digest),
}

/// What was found there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// How it differs; `None` when there was no pack.
    pub reason: Option<String>,
    /// The version of the pack that was read.
    pub revision: Option<String>,
    pub looks: u32,
    /// When it is read again though nothing says that it changed, in milliseconds.
    pub next_at: i64,
}
