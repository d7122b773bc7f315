//! Entries of the log.

use mirror_engine::{ChangeKind, ChangeSummary, CommitSummary};
use mirror_proto::v1;

pub(in crate::server) fn commit_summary(commit: &CommitSummary) -> v1::CommitSummary {
    v1::CommitSummary {
        seq: commit.seq,
        id: commit.id.map(|id| id.to_string()).unwrap_or_default(),
        time: commit.time.map(|time| time.to_string()).unwrap_or_default(),
        user: commit.user.clone(),
        machine: commit.machine.clone(),
        action: commit.action.map(|action| action.word().to_owned()).unwrap_or_default(),
        tag: commit.tag.clone(),
        message: commit.message.clone(),
        changes: commit.changes.iter().map(change).collect(),
        resolved: commit
            .resolved
            .iter()
            .map(|(path, strategy)| v1::ResolvedPath {
                path: path.clone(),
                strategy: strategy.clone(),
            })
            .collect(),
        void_reason: commit.void.clone(),
    }
}

fn change(change: &ChangeSummary) -> v1::CommitChange {
    v1::CommitChange {
        path: change.path.clone(),
        kind: change_kind(change.kind).into(),
        from: change.from.clone(),
        sha256: change.sha256.map(|digest| digest.to_string()),
        size_bytes: change.size,
    }
}

fn change_kind(kind: ChangeKind) -> v1::ChangeKind {
    match kind {
        ChangeKind::Added => v1::ChangeKind::Added,
        ChangeKind::Modified => v1::ChangeKind::Modified,
        ChangeKind::Deleted => v1::ChangeKind::Deleted,
        ChangeKind::Renamed => v1::ChangeKind::Renamed,
        ChangeKind::Mode => v1::ChangeKind::Mode,
    }
}
