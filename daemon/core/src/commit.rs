//! One entry of the log, as it stands in its file (format 1).
//!
//! Parsing accepts only what this version understands whole: an entry of
//! another format is told apart from one that is broken. What an entry may say
//! in its place in the log is [`History::apply`](crate::History::apply)'s job.

use serde::{Deserialize, Deserializer, Serialize};

pub use crate::settings::{MergeRule, NamedBackend, Settings, SharedMode};
use crate::{Chunk, Digest, Entry, Kind, RelPath, State, Timestamp, Ulid};

/// The format that this version reads and writes.
pub const FORMAT: u64 = 1;

/// No entry of the log is larger.
pub const MAX_ENTRY_BYTES: u64 = 64 << 20;

/// No entry nests deeper.
pub const MAX_DEPTH: usize = 32;

/// What a commit was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Push,
    Sync,
    Delete,
    Restore,
    Snapshot,
    Settings,
    Import,
    External,
    Repair,
    Forget,
    Gc,
    Promote,
    Moved,
}

impl Action {
    /// Whether a commit made for this can be gone back to.
    pub fn is_snapshot(self) -> bool {
        match self {
            Self::Push
            | Self::Sync
            | Self::Delete
            | Self::Restore
            | Self::Snapshot
            | Self::Import
            | Self::External => true,
            Self::Settings
            | Self::Repair
            | Self::Forget
            | Self::Gc
            | Self::Promote
            | Self::Moved => false,
        }
    }

    /// Reads the word that stands in the log.
    fn from_word(word: &str) -> Option<Self> {
        Self::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word))
            .ok()
    }

    /// The word that stands in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Sync => "sync",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Snapshot => "snapshot",
            Self::Settings => "settings",
            Self::Import => "import",
            Self::External => "external",
            Self::Repair => "repair",
            Self::Forget => "forget",
            Self::Gc => "gc",
            Self::Promote => "promote",
            Self::Moved => "moved",
        }
    }
}

/// Vouches for a checkpoint: the digest of its JSON before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRef {
    pub seq: u64,
    pub sha256: Digest,
}

/// What a commit does to one path. `None` stands for "no file".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub path: RelPath,
    /// The version that this replaces.
    #[serde(deserialize_with = "said")]
    pub from: Option<Digest>,
    #[serde(deserialize_with = "said")]
    pub to: Option<Entry>,
    /// An annotation for people: the same content vanished there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<RelPath>,
}

/// How two versions of a path became one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    Merged,
    KeepLocal,
    KeepRemote,
    Edited,
}

impl Strategy {
    /// The word that stands in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::KeepLocal => "keep-local",
            Self::KeepRemote => "keep-remote",
            Self::Edited => "edited",
        }
    }
}

/// A version that went into a merge; its content is kept (M2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub sha256: Digest,
    pub size: u64,
    #[serde(default = "file", skip_serializing_if = "Kind::is_file")]
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Vec<Chunk>>,
}

fn file() -> Kind {
    Kind::File
}

impl From<&Entry> for Input {
    fn from(entry: &Entry) -> Self {
        let Entry { kind, sha256, size, chunks, .. } = entry.clone();
        Self { sha256, size, kind, chunks }
    }
}

impl Input {
    /// A version whose content is in a pack, or will be, as a whole.
    pub fn whole(state: State, size: u64) -> Self {
        Self { sha256: state.digest, size, kind: state.kind, chunks: None }
    }

    /// The contents that must be readable to rebuild this version.
    pub fn contents(&self) -> Vec<Digest> {
        crate::entry::contents(self.sha256, self.chunks.as_deref())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub path: RelPath,
    pub base: Option<Digest>,
    pub inputs: Vec<Input>,
    pub strategy: Strategy,
}

/// How a content is stored inside its pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Stored,
    Deflated,
}

/// Where one content lies in a pack: `stored_size` bytes from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedContent {
    pub sha256: Digest,
    pub offset: u64,
    pub stored_size: u64,
    pub size: u64,
    pub method: Method,
}

/// A pack that a commit brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    pub name: Ulid,
    pub sha256: Digest,
    pub size: u64,
    /// How an encrypted pack begins; a later version understands it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    pub contents: Vec<PackedContent>,
}

/// Makes the mirror on whose log this stands the primary (R3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promote {
    pub to: String,
    #[serde(default)]
    pub missing: Vec<Digest>,
}

/// Closes a log: the project goes on elsewhere (R3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub to: String,
    pub seq: u64,
    pub id: Ulid,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub format: u64,
    /// Its place in the log, from 1.
    pub seq: u64,
    pub id: Ulid,
    /// The digest of the bytes of the entry before; `None` at 1.
    #[serde(deserialize_with = "said")]
    pub parent: Option<Digest>,
    /// How the parent is found on a service that goes by ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_ref: Option<String>,
    pub time: Timestamp,
    pub user: String,
    pub machine: String,
    pub machine_id: Ulid,
    pub action: Action,
    #[serde(default)]
    pub tag: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// A person agreed to the deletions that this brings (B12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<bool>,
    /// A person let through what looks like a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_secrets: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointRef>,
    #[serde(default)]
    pub changes: Vec<Change>,
    #[serde(default)]
    pub resolved: Vec<Resolved>,
    #[serde(default)]
    pub packs: Vec<Pack>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_packs: Vec<Ulid>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote: Option<Promote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

/// Reads a field that may be null but not be left out: a change that lacks its
/// `to` is broken, not a deletion.
fn said<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Why an entry's bytes are no commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It was written by a later version: the project stops (L6).
    #[error("{0}")]
    NeedsLater(Later),
    #[error("it has {0} bytes, more than an entry may have")]
    TooLarge(u64),
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("it cannot be read as a commit: {0}")]
    Malformed(String),
}

/// What only a later version understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Later {
    #[error("it has format {0}, and this version understands format {FORMAT} only")]
    Format(u64),
    #[error("it has the action {0:?}, which this version does not know")]
    Action(String),
    #[error("it is encrypted, which this version does not understand")]
    Encrypted,
    #[error("it is about a mirror, which this version does not understand")]
    Mirror,
}

/// How a file encrypted with age begins.
pub const AGE_HEADER: &[u8] = b"age-encryption.org/v1";

/// What every format has, and what an older version must not misread: new words
/// for `action` are how format 1 grows in ways that can't be ignored.
#[derive(Deserialize)]
struct Envelope {
    format: u64,
    #[serde(default)]
    action: serde_json::Value,
}

impl Envelope {
    fn check(self) -> Result<(), Later> {
        if self.format != FORMAT {
            return Err(Later::Format(self.format));
        }
        match self.action {
            serde_json::Value::String(word) if Action::from_word(&word).is_none() => {
                Err(Later::Action(word))
            }
            _ => Ok(()),
        }
    }
}

impl Commit {
    /// Reads an entry's bytes. Unknown fields are ignored; they are part of
    /// the entry's digest all the same.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.starts_with(AGE_HEADER) {
            return Err(ParseError::NeedsLater(Later::Encrypted));
        }
        if bytes.len() as u64 > MAX_ENTRY_BYTES {
            return Err(ParseError::TooLarge(bytes.len() as u64));
        }
        if depth(bytes) > MAX_DEPTH {
            return Err(ParseError::TooDeep);
        }
        let malformed = |error: serde_json::Error| ParseError::Malformed(error.to_string());
        let envelope: Envelope = serde_json::from_slice(bytes).map_err(malformed)?;
        envelope.check().map_err(ParseError::NeedsLater)?;
        let commit: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        match commit.packs.iter().any(|pack| pack.header.is_some()) {
            true => Err(ParseError::NeedsLater(Later::Encrypted)),
            false => Ok(commit),
        }
    }

    /// The bytes to store; their digest is what the next entry names.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a commit has only string keys");
        bytes.push(b'\n');
        bytes
    }
}

/// How deep arrays and objects nest, strings left out.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The path of an entry in the log, below `_mirror/`: sharded by thousands (L2).
pub fn entry_name(seq: u64) -> String {
    format!("log/{:07}/{seq:010}.json", seq / 1000)
}

/// The path of a pack, below `_mirror/`: sharded by the name's last two letters,
/// which are random.
pub fn pack_name(name: Ulid) -> String {
    let text = name.to_string();
    format!("packs/{}/{text}.zip", &text[text.len() - 2..])
}

/// The path of a checkpoint, below `_mirror/`.
pub fn checkpoint_name(seq: u64) -> String {
    format!("checkpoints/{seq:010}.json.gz")
}

#[cfg(test)]
mod tests;
