//! `push`, `pull`, `sync` and `delete`.

use mirror_proto::v1::{FailedFile, FileChange, JobFinished, Notice};
use serde_json::{Value, json};

use super::fault;
use crate::output::words;

pub(crate) fn finished(job: &JobFinished) -> Value {
    json!({
        "project": named(&job.project),
        "commit": job.commit.as_ref().map(|commit| commit.seq),
        "id": job.commit.as_ref().map(|commit| commit.id.as_str()),
        "files": job.files.iter().map(change).collect::<Vec<_>>(),
        "conflicts": job.conflicts,
        "failed": job.failed.iter().map(failed).collect::<Vec<_>>(),
        "queued": job.queued,
        "view": if job.view_pending { "pending" } else { "written" },
        "dry_run": job.dry_run,
        "cancelled": job.cancelled,
        "skipped_count": job.skipped_count,
        "waiting_count": job.waiting_count,
        "held": job.held,
        "notices": job.notices.iter().map(notice).collect::<Vec<_>>(),
    })
}

/// A job that nobody waited for may have told nothing yet.
pub(super) fn named(project: &str) -> Option<&str> {
    Some(project).filter(|project| !project.is_empty())
}

fn change(file: &FileChange) -> Value {
    json!({"path": file.path, "action": words::file_action(file.action()), "from": file.from})
}

pub(super) fn failed(file: &FailedFile) -> Value {
    json!({"path": file.path, "error": file.fault.as_ref().map(fault)})
}

pub(super) fn notice(notice: &Notice) -> Value {
    json!({
        "kind": words::notice_kind(notice.kind()),
        "path": notice.path,
        "backend": notice.backend,
        "message": notice.message,
        "time": notice.time,
        "stash_id": notice.stash_id,
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{Committed, Fault, FaultClass, FileAction, NoticeKind};

    use super::*;

    #[test]
    fn job_has_the_promised_shape() {
        let job = JobFinished {
            project: "notes".to_owned(),
            commit: Some(Committed { seq: 43, id: "01J".to_owned() }),
            files: vec![FileChange {
                path: "a.md".to_owned(),
                action: FileAction::DeletedRemote.into(),
                from: None,
            }],
            conflicts: vec!["b.md".to_owned()],
            failed: vec![FailedFile {
                path: "c.md".to_owned(),
                fault: Some(Fault {
                    class: FaultClass::Permission.into(),
                    message: "no".to_owned(),
                    ..Fault::default()
                }),
            }],
            queued: false,
            view_pending: true,
            pull_pending: false,
            dry_run: false,
            cancelled: false,
            skipped_count: 11,
            waiting_count: 2,
            held: vec!["e.md".to_owned()],
            notices: vec![Notice {
                kind: NoticeKind::EditBeatDeletion.into(),
                path: Some("d.md".to_owned()),
                backend: None,
                message: "kept".to_owned(),
                time: "2026-04-15T10:00:00Z".to_owned(),
                stash_id: None,
            }],
        };
        assert_eq!(
            finished(&job),
            json!({
                "project": "notes", "commit": 43, "id": "01J",
                "files": [{"path": "a.md", "action": "deleted_remote", "from": null}],
                "conflicts": ["b.md"],
                "failed": [{"path": "c.md", "error": {
                    "class": "permission", "message": "no", "hint": null, "path": null,
                    "backend": null, "deletions": null,
                }}],
                "queued": false, "view": "pending", "dry_run": false, "cancelled": false,
                "skipped_count": 11,
                "waiting_count": 2, "held": ["e.md"],
                "notices": [{
                    "kind": "edit_beat_deletion", "path": "d.md", "backend": null,
                    "message": "kept", "time": "2026-04-15T10:00:00Z", "stash_id": null,
                }],
            })
        );
    }

    #[test]
    fn job_without_a_commit_says_null() {
        let nothing = finished(&JobFinished::default());
        assert_eq!(nothing["commit"], Value::Null);
        assert_eq!(nothing["id"], Value::Null);
        assert_eq!(nothing["view"], "written");
    }
}
