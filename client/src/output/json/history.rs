//! `log`, `history` and `show`.

use mirror_proto::v1::{
    CommitChange, CommitSummary, FileVersion, ListCommitsResponse, ListVersionsResponse,
    ResolvedPath,
};
use serde_json::{Value, json};

use super::{encoded, fault};
use crate::output::words;

pub(crate) fn log(page: &ListCommitsResponse) -> Value {
    json!({
        "entries": page.commits.iter().map(entry).collect::<Vec<_>>(),
        "next_before": page.next_before,
    })
}

pub(crate) fn entry(commit: &CommitSummary) -> Value {
    json!({
        "seq": commit.seq,
        "id": commit.id,
        "time": commit.time,
        "user": commit.user,
        "machine": commit.machine,
        "action": commit.action,
        "tag": commit.tag,
        "message": commit.message,
        "changes": commit.changes.iter().map(change).collect::<Vec<_>>(),
        "resolved": commit.resolved.iter().map(resolved).collect::<Vec<_>>(),
        "void": commit.void_reason,
    })
}

pub(crate) fn versions(listed: &ListVersionsResponse) -> Value {
    json!({
        "path": listed.path,
        "versions": listed.versions.iter().map(version).collect::<Vec<_>>(),
        "error": listed.fault.as_ref().map(fault),
    })
}

fn version(version: &FileVersion) -> Value {
    json!({
        "seq": seq(version),
        "time": version.time,
        "user": known(&version.user),
        "machine": known(&version.machine),
        "sha256": version.sha256,
        "size": version.size_bytes,
        "path": version.path,
        "role": words::version_role(version.role()),
        "stash_id": version.stash_id,
        "queue_id": version.queue_id,
    })
}

/// `show`: one version with its content.
pub(crate) fn content(version: &FileVersion, whole: &[u8]) -> Value {
    let (encoding, [text]) = encoded([Some(whole)]);
    json!({
        "path": version.path,
        "seq": seq(version),
        "sha256": version.sha256,
        "size": version.size_bytes,
        "role": words::version_role(version.role()),
        "stash_id": version.stash_id,
        "queue_id": version.queue_id,
        "encoding": encoding,
        "text": text,
    })
}

/// `None` where nobody knows.
fn known(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty())
}

/// No commit has what this machine alone keeps.
fn seq(version: &FileVersion) -> Option<u64> {
    Some(version.seq).filter(|seq| *seq > 0)
}

fn change(change: &CommitChange) -> Value {
    json!({
        "path": change.path,
        "change": words::change_kind(change.kind()),
        "from": change.from,
        "sha256": change.sha256,
        "size": change.size_bytes,
    })
}

fn resolved(resolved: &ResolvedPath) -> Value {
    json!({"path": resolved.path, "strategy": resolved.strategy})
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{ChangeKind, VersionRole};

    use super::*;

    #[test]
    fn log_has_the_promised_shape() {
        let page = ListCommitsResponse {
            commits: vec![CommitSummary {
                seq: 43,
                id: "01J".to_owned(),
                time: "2026-04-15T10:00:00Z".to_owned(),
                user: "u".to_owned(),
                machine: "m".to_owned(),
                action: "push".to_owned(),
                changes: vec![CommitChange {
                    path: "b.md".to_owned(),
                    kind: ChangeKind::Renamed.into(),
                    from: Some("a.md".to_owned()),
                    sha256: None,
                    size_bytes: Some(10),
                }],
                resolved: vec![ResolvedPath {
                    path: "c.md".to_owned(),
                    strategy: "merged".to_owned(),
                }],
                ..CommitSummary::default()
            }],
            next_before: Some(43),
        };
        assert_eq!(
            log(&page),
            json!({
                "entries": [{
                    "seq": 43, "id": "01J", "time": "2026-04-15T10:00:00Z", "user": "u",
                    "machine": "m", "action": "push", "tag": null, "message": null,
                    "changes": [{
                        "path": "b.md", "change": "renamed", "from": "a.md", "sha256": null,
                        "size": 10,
                    }],
                    "resolved": [{"path": "c.md", "strategy": "merged"}],
                    "void": null,
                }],
                "next_before": 43,
            })
        );
    }

    #[test]
    fn versions_have_the_promised_shape() {
        let deleted = FileVersion {
            seq: 44,
            time: "2026-04-15T10:00:00Z".to_owned(),
            user: "u".to_owned(),
            machine: "m".to_owned(),
            sha256: None,
            size_bytes: 0,
            path: "a.md".to_owned(),
            role: VersionRole::Committed.into(),
            stash_id: None,
            queue_id: None,
        };
        let path = "a.md".to_owned();
        let listed = ListVersionsResponse { path, versions: vec![deleted], fault: None };
        assert_eq!(
            versions(&listed),
            json!({"path": "a.md", "versions": [{
                "seq": 44, "time": "2026-04-15T10:00:00Z", "user": "u", "machine": "m",
                "sha256": null, "size": 0, "path": "a.md", "role": "committed", "stash_id": null,
                "queue_id": null,
            }], "error": null})
        );
    }

    #[test]
    fn content_of_a_version_has_the_promised_shape() {
        let stashed = FileVersion {
            path: "a.md".to_owned(),
            sha256: Some("ab".to_owned()),
            size_bytes: 2,
            role: VersionRole::Stash.into(),
            stash_id: Some("01J".to_owned()),
            ..FileVersion::default()
        };
        assert_eq!(
            content(&stashed, b"a\n"),
            json!({
                "path": "a.md", "seq": null, "sha256": "ab", "size": 2, "role": "stash",
                "stash_id": "01J", "queue_id": null, "encoding": "utf-8", "text": "a\n",
            })
        );
    }
}
