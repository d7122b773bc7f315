//! What each machine says of itself on the backend: `machines/<machine id>.json`.
//!
//! A machine writes its own file only, and reads it to learn that its local
//! state is older than it was (B5). What it says is being written into the view
//! is how the beginning of a file is told from an edit (V5). Hints for the
//! rest: whatever can't be read counts as not there.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::SystemTime;

use futures::{StreamExt, TryStreamExt};
use mirror_core::{Digest, RelPath, Timestamp, Ulid};
use mirror_storage::{
    Backend, ByteRange, Expect, Guarded, RemoteFile, RemotePath, Revision, StorageError,
};
use serde::{Deserialize, Serialize};

use crate::log::own_path;

const FORMAT: u64 = 1;

/// No such file is larger.
const MAX_BYTES: u64 = 16 << 20;

/// So many are read, the newest first, and so much of all together: whoever may
/// write there can make any number.
const MOST_FILES: usize = 1_000;
const MOST_BYTES: u64 = 64 << 20;

/// The file of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineFile {
    pub format: u64,
    pub machine: String,
    pub last_seen: Timestamp,
    /// The digest of the project's root there: two folders of one machine are
    /// two readers.
    pub root: Digest,
    /// The newest commit that this machine had read.
    pub read_up_to: u64,
    /// What it is writing into the view; empty where a crash can't tear a file.
    #[serde(default)]
    pub writing: Vec<Writing>,
    /// It got other bytes back from the view than it wrote (V7).
    #[serde(default)]
    pub alters_content: bool,
    /// Contents that it found damaged and couldn't give again (P8).
    #[serde(default)]
    pub damaged: Vec<DamagedContent>,
}

/// A content that doesn't come out of its pack as it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DamagedContent {
    pub sha256: Digest,
    pub pack: Ulid,
    pub offset: u64,
}

/// A file on its way into the view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Writing {
    pub path: RelPath,
    pub sha256: Digest,
    pub size: u64,
}

/// What machines' files said at their revisions.
pub type MachineFiles = BTreeMap<Ulid, (Revision, Option<MachineFile>)>;

impl MachineFile {
    pub fn new(machine: String, last_seen: Timestamp, root: Digest, read_up_to: u64) -> Self {
        Self {
            format: FORMAT,
            machine,
            last_seen,
            root,
            read_up_to,
            writing: Vec::new(),
            alters_content: false,
            damaged: Vec::new(),
        }
    }

    pub async fn read(backend: &dyn Backend, id: Ulid) -> Result<Option<Self>, StorageError> {
        read_file(backend, &place_of(id)).await
    }

    /// Every machine's file, by machine; reads those that are not in `known` as
    /// they stand, and keeps them there.
    pub async fn read_all(
        backend: &dyn Backend,
        known: &mut MachineFiles,
    ) -> Result<BTreeMap<Ulid, Self>, StorageError> {
        let folder = own_path("machines");
        let files: Vec<RemoteFile> = backend.list(&folder).try_collect().await?;
        let with_id = |file: RemoteFile| Some((id_of(&file.path)?, file));
        let mut files: Vec<(Ulid, RemoteFile)> = files.into_iter().filter_map(with_id).collect();
        files.sort_by_key(|(id, file)| (Reverse(file.modified), *id));
        let (mut read, mut left) = (MachineFiles::new(), MOST_BYTES);
        for (id, file) in files.into_iter().take(MOST_FILES) {
            let Some(rest) = left.checked_sub(file.size) else { continue };
            if file.size > MAX_BYTES {
                continue;
            }
            left = rest;
            let machine = match known.remove(&id) {
                Some((revision, machine)) if revision == file.revision => machine,
                _ => read_file(backend, &file.path).await?,
            };
            read.insert(id, (file.revision, machine));
        }
        *known = read;
        let machines = known.iter().filter_map(|(id, (_, machine))| Some((*id, machine.clone()?)));
        Ok(machines.collect())
    }

    pub async fn write(
        &self,
        backend: &dyn Backend,
        id: Ulid,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        let bytes = serde_json::to_vec(self).expect("it has only string keys");
        backend.write(&place_of(id), bytes.into(), expect).await
    }

    /// What to expect of a machine's file as it stands now.
    pub async fn standing(backend: &dyn Backend, id: Ulid) -> Result<Expect, StorageError> {
        let file = backend.stat(&place_of(id)).await?;
        Ok(file.map_or(Expect::Absent, |file| Expect::At(file.revision)))
    }

    /// When a machine's file was written, by the service's clock: no other
    /// program dates it.
    pub async fn written_at(
        backend: &dyn Backend,
        id: Ulid,
    ) -> Result<Option<SystemTime>, StorageError> {
        Ok(backend.stat(&place_of(id)).await?.and_then(|file| file.modified))
    }
}

fn place_of(id: Ulid) -> RemotePath {
    own_path(&format!("machines/{id}.json"))
}

fn id_of(place: &RemotePath) -> Option<Ulid> {
    place.as_str().rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

async fn read_file(
    backend: &dyn Backend,
    place: &RemotePath,
) -> Result<Option<MachineFile>, StorageError> {
    let range = ByteRange { start: 0, len: Some(MAX_BYTES) };
    let Some(mut stream) = backend.read(place, range).await? else { return Ok(None) };
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    let machine = serde_json::from_slice::<MachineFile>(&bytes).ok();
    Ok(machine.filter(|machine| machine.format == FORMAT))
}
