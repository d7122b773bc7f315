//! Contents that were fetched once, by digest. Each is digested again when it
//! is used, so a damaged one counts as absent.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use mirror_core::Digest;

use super::SMALL_BYTES;
use crate::outside::{Disk, Outside};

/// Least recently used contents go first.
#[derive(Clone)]
pub struct Cache {
    disk: Arc<dyn Disk>,
    outside: Outside,
    limit: u64,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Cache({} bytes)", self.limit)
    }
}

const FOLDER: &str = "contents";

/// Whether contents of commits are kept on a disk of this machine; what can't be
/// looked at may be.
#[must_use]
pub fn caches_contents(disk: &dyn Disk) -> bool {
    disk.list(FOLDER).map_or(true, |files| !files.is_empty())
}

impl Cache {
    pub fn new(disk: Arc<dyn Disk>, outside: Outside, limit: u64) -> Self {
        Self { disk, outside, limit }
    }

    /// A small content, if it is here and whole.
    pub async fn get(&self, content: Digest) -> Option<Bytes> {
        let disk = self.disk.clone();
        self.outside
            .offload(move || {
                let name = name_of(content);
                let mut bytes = Vec::new();
                disk.open(&name).ok()??.take(SMALL_BYTES + 1).read_to_end(&mut bytes).ok()?;
                if Digest::of(&bytes) != content {
                    return None;
                }
                let _ = disk.touch(&name);
                Some(Bytes::from(bytes))
            })
            .await
    }

    /// Keeps small contents; failing to costs a later download only.
    pub async fn keep(&self, contents: Vec<(Digest, Bytes)>) {
        let disk = self.disk.clone();
        self.outside
            .offload(move || {
                for (digest, bytes) in contents {
                    let _ = disk.write(&name_of(digest), &mut bytes.as_ref(), false);
                }
            })
            .await;
    }

    /// Drops what was used least recently until the cache is within its limit.
    pub async fn trim(&self) {
        let (disk, limit) = (self.disk.clone(), self.limit);
        self.outside.offload(move || trim(disk.as_ref(), limit)).await;
    }
}

fn name_of(content: Digest) -> String {
    format!("{FOLDER}/{content}")
}

fn trim(disk: &dyn Disk, limit: u64) {
    let mut files = disk.list(FOLDER).unwrap_or_default();
    let mut total: u64 = files.iter().map(|file| file.size).sum();
    files.sort_by_key(|file| file.used_ms);
    for file in files {
        if total <= limit {
            break;
        }
        if disk.remove(&format!("{FOLDER}/{}", file.name)).is_ok() {
            total -= file.size;
        }
    }
}
