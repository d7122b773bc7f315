//! Versions of single files, and the stash.

use mirror_engine::{FileVersion, Stashed};
use mirror_proto::v1;

pub(in crate::server) fn file_version(version: &FileVersion) -> v1::FileVersion {
    v1::FileVersion {
        seq: version.seq,
        time: version.time.to_string(),
        user: version.user.clone(),
        machine: version.machine.clone(),
        sha256: version.sha256.map(|digest| digest.to_string()),
        size_bytes: version.size,
        path: version.path.as_str().to_owned(),
    }
}

pub(in crate::server) fn stashed_version(stashed: &Stashed) -> v1::StashedVersion {
    v1::StashedVersion {
        id: stashed.id.to_string(),
        path: stashed.path.as_str().to_owned(),
        sha256: stashed.sha256.to_string(),
        size_bytes: stashed.size,
        time: stashed.time.to_string(),
        reason: stashed.reason.clone(),
    }
}
