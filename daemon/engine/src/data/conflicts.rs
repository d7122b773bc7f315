//! One pending conflict on the disk: a record, and the bytes of its sides.
//!
//! The record is `conflicts/<key>.json`, each content `conflicts/<key>/<digest>`.
//! Contents are written first and the record last, so that a record's contents
//! are there; what is read is digested again, so a damaged one counts as absent.

use std::io;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use mirror_core::digest::Hasher;
use mirror_core::reconcile::Sighted;
use mirror_core::{Digest, Kind, RelPath, SharedMap, State, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::{ConflictKind, EngineResult, Parts};
use crate::outside::Disk;
use crate::outside::tree::digest_of;

const FOLDER: &str = "conflicts";

/// Both sides of a path that waits for a person, and what they come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) path: RelPath,
    pub(crate) kind: ConflictKind,
    pub(crate) binary: bool,
    /// `None` where there was none, nobody knows, or its content is gone (M3).
    pub(crate) base: Option<State>,
    pub(crate) local: Option<State>,
    pub(crate) remote: Option<Sighted>,
    pub(crate) since: Timestamp,
    /// Where on the backend the remote side stands, for an edit of the view. Its
    /// `seq` is the local side's then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
}

impl Record {
    /// Whether both sides are those of `other`.
    pub(crate) fn has_sides_of(&self, other: &Self) -> bool {
        (self.kind, self.local, self.remote) == (other.kind, other.local, other.remote)
    }

    /// Where it is kept.
    pub(crate) fn folder(&self, data: &Arc<dyn Disk>) -> Folder {
        match &self.place {
            None => Folder::of(&self.path, data),
            Some(place) => Folder::outside(place, data),
        }
    }

    pub(crate) fn base_digest(&self) -> Option<Digest> {
        self.base.map(|state| state.digest)
    }

    pub(crate) fn local_digest(&self) -> Option<Digest> {
        self.local.map(|state| state.digest)
    }

    pub(crate) fn remote_digest(&self) -> Option<Digest> {
        self.remote.map(|remote| remote.state.digest)
    }

    pub(crate) fn digests(&self) -> impl Iterator<Item = Digest> {
        [self.base_digest(), self.local_digest(), self.remote_digest()].into_iter().flatten()
    }

    /// Names both sides and the base: another one means that something moved.
    pub(crate) fn token(&self) -> String {
        let mut hasher = Hasher::new();
        let remote = self.remote.map(|remote| remote.state);
        for state in [self.base, self.local, remote] {
            match state {
                None => hasher.update(b"-"),
                Some(State { kind, digest, exec }) => {
                    let kind = if kind == Kind::Link { b'l' } else { b'f' };
                    hasher.update(&[kind, u8::from(exec)]);
                    hasher.update(&digest.0);
                }
            }
        }
        let seq = self.remote.map_or(0, |remote| remote.seq);
        hasher.update(&seq.to_be_bytes());
        hasher.finish().to_string()[..32].to_owned()
    }
}

/// Where one path's conflict is kept.
#[derive(Clone)]
pub(crate) struct Folder {
    data: Arc<dyn Disk>,
    name: String,
}

impl Folder {
    pub(crate) fn of(path: &RelPath, data: &Arc<dyn Disk>) -> Self {
        let key = Digest::of(path.as_str().as_bytes());
        Self { data: data.clone(), name: format!("{FOLDER}/{key}") }
    }

    /// Of an edit of the view, by the place where it stands.
    pub(crate) fn outside(place: &str, data: &Arc<dyn Disk>) -> Self {
        let key = Digest::of(format!("view {place}").as_bytes());
        Self { data: data.clone(), name: format!("{FOLDER}/{key}") }
    }

    pub(crate) fn content(&self, digest: Digest) -> String {
        format!("{}/{digest}", self.name)
    }

    fn record(&self) -> String {
        format!("{}.json", self.name)
    }

    /// What is here, with its size, damaged or not.
    pub(crate) fn contents(&self) -> io::Result<Vec<(Digest, u64)>> {
        let files = self.data.list(&self.name)?;
        Ok(files.iter().filter_map(|file| Some((file.name.parse().ok()?, file.size))).collect())
    }

    /// Whether a content is here, and whole.
    pub(crate) fn has(&self, digest: Digest) -> io::Result<bool> {
        let Some(mut content) = self.data.open(&self.content(digest))? else { return Ok(false) };
        Ok(digest_of(content.as_mut())?.0 == digest)
    }

    /// Keeps a content, however large; `false` when it turns out to be another.
    pub(crate) fn keep(&self, digest: Digest, content: &mut dyn Read) -> io::Result<bool> {
        self.data.write(&self.content(digest), content, true)?;
        let is_it = self.has(digest)?;
        if !is_it {
            self.data.remove(&self.content(digest))?;
        }
        Ok(is_it)
    }

    /// Reads a content that has no more than `most` bytes.
    pub(crate) fn read(&self, digest: Digest, most: usize) -> io::Result<Option<Bytes>> {
        let Some(content) = self.data.open(&self.content(digest))? else { return Ok(None) };
        let mut bytes = Vec::new();
        content.take(most as u64 + 1).read_to_end(&mut bytes)?;
        let is_whole = bytes.len() <= most && Digest::of(&bytes) == digest;
        Ok(is_whole.then(|| Bytes::from(bytes)))
    }

    /// Writes the record, and drops contents of earlier ones.
    pub(crate) fn write(&self, record: &Record) -> io::Result<()> {
        let text = serde_json::to_vec(record)?;
        self.data.write(&self.record(), &mut text.as_slice(), true)?;
        self.drop_contents_but(record)
    }

    /// Drops the record, then its contents.
    pub(crate) fn drop_all(&self, record: &Record) -> io::Result<()> {
        self.data.remove(&self.record())?;
        let none = Record { base: None, local: None, remote: None, ..record.clone() };
        self.drop_contents_but(&none)
    }

    fn drop_contents_but(&self, record: &Record) -> io::Result<()> {
        let kept: Vec<String> = record.digests().map(|digest| digest.to_string()).collect();
        for file in self.data.list(&self.name)? {
            if !kept.contains(&file.name) {
                self.data.remove(&format!("{}/{}", self.name, file.name))?;
            }
        }
        Ok(())
    }
}

/// What is recorded, by path.
pub(crate) type Conflicts = SharedMap<RelPath, Record>;

/// What is recorded, by the place where the edit was found.
pub(crate) type OutsideConflicts = SharedMap<String, Record>;

/// All records. One that can't be read is left out: its path still differs on
/// both sides, so it is recorded anew.
pub(crate) fn load_all(data: &dyn Disk) -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    for file in data.list(FOLDER)? {
        if file.name.strip_suffix(".json").is_none() {
            continue;
        }
        let bytes = data.read(&format!("{FOLDER}/{}", file.name))?.unwrap_or_default();
        match serde_json::from_slice(&bytes) {
            Ok(record) => records.push(record),
            Err(error) => tracing::warn!(file = file.name, %error, "a conflict can't be read"),
        }
    }
    Ok(records)
}

/// Reads what earlier runs recorded, of the working tree and of the view.
pub(crate) async fn load(parts: &Parts) -> EngineResult<(Conflicts, OutsideConflicts)> {
    let data = parts.data.clone();
    let records = parts.outside.offload(move || load_all(data.as_ref())).await?;
    let (mut here, mut outside) = (Conflicts::new(), OutsideConflicts::new());
    for record in records {
        match record.place.clone() {
            None => drop(here.insert(record.path.clone(), record)),
            Some(place) => drop(outside.insert(place, record)),
        }
    }
    Ok((here, outside))
}
