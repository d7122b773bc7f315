//! What waits for a backend, and what is kept for a person.

use mirror_engine::{Kept, WaitingPush};
use mirror_proto::v1;

use super::version::stashed_version;

pub(in crate::server) fn kept_versions(kept: &Kept) -> v1::KeptVersions {
    v1::KeptVersions {
        pushes: kept.pushes.iter().map(queued_push).collect(),
        stashed: kept.stashed.iter().map(stashed_version).collect(),
        conflicts: kept.conflicts.iter().map(|path| path.as_str().to_owned()).collect(),
        unreadable_count: u32::try_from(kept.unreadable).unwrap_or(u32::MAX),
    }
}

pub(in crate::server) fn committed_push((push, seq): &(WaitingPush, u64)) -> v1::CommittedPush {
    v1::CommittedPush { push: Some(queued_push(push)), commit: *seq }
}

pub(in crate::server) fn queued_push(push: &WaitingPush) -> v1::QueuedPush {
    let files = push.files.iter().map(|(path, digest)| v1::QueuedFile {
        path: path.as_str().to_owned(),
        sha256: digest.map(|digest| digest.to_string()),
    });
    v1::QueuedPush {
        id: push.id.to_string(),
        since: push.since.to_string(),
        action: push.action.word().to_owned(),
        message: push.message.clone(),
        files: files.collect(),
    }
}
