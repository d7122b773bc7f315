//! `status` and `diff`.

use mirror_proto::v1::{
    DiffReport, FileDiff, FileState, FileStatus, JobProgress, QueuedWork, SkippedFile,
    StatusGlance, StatusReport,
};
use serde_json::{Map, Value, json};

use super::fault;
use crate::output::words;

pub(crate) fn report(report: &StatusReport, with_in_sync: bool) -> Value {
    let files: Vec<_> = report
        .files
        .iter()
        .filter(|file| with_in_sync || file.state() != FileState::InSync)
        .map(file)
        .collect();
    json!({
        "project": report.project,
        "root": report.root,
        "backend": report.backend,
        "head": report.head,
        "read_up_to": report.read_up_to,
        "checked_at": report.checked_at,
        "offline": report.offline,
        "state": words::project_state(report.state()),
        "reason": report.reason,
        "auto": report.auto,
        "summary": summary(report),
        "bytes_up": report.bytes_up,
        "bytes_down": report.bytes_down,
        "files": files,
        "queue": report.queue.iter().map(queued).collect::<Vec<_>>(),
        "skipped": report.skipped.iter().map(skipped).collect::<Vec<_>>(),
        "job": report.job.as_ref().map(job),
        "error": report.fault.as_ref().map(fault),
        "files_known": !report.files_unknown,
        "waiting_deletions": report.waiting_deletions,
    })
}

/// `text` is what a prompt would show.
pub(crate) fn glance(known: &StatusGlance, text: &str) -> Value {
    let there = (!known.project.is_empty()).then_some(known);
    json!({
        "project": there.map(|it| it.project.as_str()),
        "local": known.local_count,
        "remote": known.remote_count,
        "conflicts": known.conflict_count,
        "held": known.held_count,
        "state": there.map(|it| words::project_state(it.state())),
        "text": text,
    })
}

pub(crate) fn diff(report: &DiffReport) -> Value {
    json!({"files": report.files.iter().map(difference).collect::<Vec<_>>()})
}

/// The states in the order that people read them.
pub(crate) const STATES: [FileState; 9] = [
    FileState::InSync,
    FileState::LocalAhead,
    FileState::RemoteAhead,
    FileState::Diverged,
    FileState::Conflict,
    FileState::NewLocal,
    FileState::NewRemote,
    FileState::DeletedLocal,
    FileState::DeletedRemote,
];

/// How many files are in a state; those in sync may be counted, not listed.
pub(crate) fn count_in(report: &StatusReport, state: FileState) -> u64 {
    let listed = report.files.iter().filter(|file| file.state() == state);
    let counted = match state {
        FileState::InSync => report.in_sync_count,
        _ => 0,
    };
    counted + listed.count() as u64
}

fn summary(report: &StatusReport) -> Map<String, Value> {
    STATES
        .iter()
        .map(|state| (words::file_state(*state), count_in(report, *state).into()))
        .collect()
}

fn file(file: &FileStatus) -> Value {
    json!({
        "path": file.path,
        "status": words::file_state(file.state()),
        "base": file.base,
        "local": file.local,
        "remote": file.remote,
        "size": file.size_bytes,
        "held": file.held,
    })
}

pub(super) fn queued(work: &QueuedWork) -> Value {
    json!({
        "backend": work.backend,
        "kind": words::queued_kind(work.kind()),
        "since": work.since,
        "attempts": work.attempt_count,
        "next_at": work.next_at,
        "error": work.fault.as_ref().map(fault),
    })
}

fn skipped(file: &SkippedFile) -> Value {
    json!({"path": file.path, "reason": words::skip_reason(file.reason())})
}

fn job(job: &JobProgress) -> Value {
    json!({
        "kind": job.kind,
        "phase": job.phase,
        "done_files": job.done_file_count,
        "total_files": job.total_file_count,
        "done_bytes": job.done_bytes,
        "total_bytes": job.total_bytes,
    })
}

pub(super) fn difference(file: &FileDiff) -> Value {
    json!({
        "path": file.path,
        "status": words::file_state(file.state()),
        "binary": file.binary,
        "unified": file.unified,
        "error": file.fault.as_ref().map(super::fault),
        "from": file.from,
        "to": file.to,
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{Fault, FaultClass, ProjectState, QueuedKind, SkipReason};

    use super::*;

    fn sample() -> StatusReport {
        let file = |path: &str, state: FileState| FileStatus {
            path: path.to_owned(),
            state: state.into(),
            base: Some("ab".to_owned()),
            local: Some("cd".to_owned()),
            remote: None,
            size_bytes: 10,
            held: false,
        };
        StatusReport {
            project: "notes".to_owned(),
            root: "/n".to_owned(),
            backend: "primary".to_owned(),
            head: 42,
            read_up_to: 41,
            checked_at: None,
            offline: true,
            state: ProjectState::Idle.into(),
            reason: None,
            auto: "off".into(),
            bytes_up: 10,
            bytes_down: 0,
            files: vec![file("a.md", FileState::LocalAhead), file("b.md", FileState::InSync)],
            queue: vec![QueuedWork {
                backend: "primary".to_owned(),
                kind: QueuedKind::View.into(),
                since: "2026-04-15T10:00:00Z".to_owned(),
                attempt_count: 3,
                next_at: "2026-04-15T10:01:00Z".to_owned(),
                fault: Some(Fault {
                    class: FaultClass::Quota.into(),
                    message: "full".to_owned(),
                    ..Fault::default()
                }),
            }],
            waiting_deletions: Vec::new(),
            skipped: vec![SkippedFile {
                path: "x".to_owned(),
                reason: SkipReason::SymlinkOutside.into(),
            }],
            in_sync_count: 8,
            job: Some(JobProgress {
                kind: "push".to_owned(),
                phase: "upload".to_owned(),
                done_file_count: 1,
                total_file_count: 2,
                done_bytes: 3,
                total_bytes: 4,
            }),
            fault: Some(Fault {
                class: FaultClass::Transient.into(),
                message: "away".to_owned(),
                ..Fault::default()
            }),
            files_unknown: false,
        }
    }

    #[test]
    fn glance_is_whole_where_there_is_no_project() {
        let known = StatusGlance { project: "notes".into(), local_count: 1, ..Default::default() };
        let known = StatusGlance { state: ProjectState::Consent.into(), ..known };
        assert_eq!(
            [glance(&known, "↑1 ?"), glance(&StatusGlance::default(), "")],
            [
                json!({"project": "notes", "local": 1, "remote": 0, "conflicts": 0, "held": 0,
                       "state": "consent", "text": "↑1 ?"}),
                json!({"project": null, "local": 0, "remote": 0, "conflicts": 0, "held": 0,
                       "state": null, "text": ""}),
            ]
        );
    }

    #[test]
    fn status_has_the_promised_shape() {
        assert_eq!(
            report(&sample(), false),
            json!({
                "project": "notes", "root": "/n", "backend": "primary", "head": 42,
                "read_up_to": 41, "checked_at": null, "offline": true, "state": "idle",
                "reason": null, "auto": "off",
                "summary": {
                    "in_sync": 9, "local_ahead": 1, "remote_ahead": 0, "diverged": 0,
                    "conflict": 0, "new_local": 0, "new_remote": 0, "deleted_local": 0,
                    "deleted_remote": 0,
                },
                "bytes_up": 10, "bytes_down": 0,
                "files": [{
                    "path": "a.md", "status": "local_ahead", "base": "ab", "local": "cd",
                    "remote": null, "size": 10, "held": false,
                }],
                "queue": [{
                    "backend": "primary", "kind": "view", "since": "2026-04-15T10:00:00Z",
                    "attempts": 3, "next_at": "2026-04-15T10:01:00Z",
                    "error": {
                        "class": "quota", "message": "full", "hint": null, "path": null,
                        "backend": null, "deletions": null,
                    },
                }],
                "skipped": [{"path": "x", "reason": "symlink_outside"}],
                "job": {
                    "kind": "push", "phase": "upload", "done_files": 1, "total_files": 2,
                    "done_bytes": 3, "total_bytes": 4,
                },
                "error": {
                    "class": "transient", "message": "away", "hint": null, "path": null,
                    "backend": null, "deletions": null,
                },
                "files_known": true, "waiting_deletions": [],
            })
        );
    }

    #[test]
    fn files_in_sync_are_listed_only_on_request() {
        let long = report(&sample(), true);
        assert_eq!(long["files"][1]["path"], "b.md");
        assert_eq!(long["summary"]["in_sync"], 9);
    }

    #[test]
    fn diff_has_the_promised_shape() {
        let found = DiffReport {
            files: vec![FileDiff {
                path: "a.md".to_owned(),
                state: FileState::NewLocal.into(),
                binary: false,
                unified: "+a\n".to_owned(),
                fault: None,
                from: "head".to_owned(),
                to: "local".to_owned(),
            }],
        };
        assert_eq!(
            diff(&found),
            json!({"files": [
                {
                    "path": "a.md", "status": "new_local", "binary": false, "unified": "+a\n",
                    "error": null, "from": "head", "to": "local",
                },
            ]})
        );
    }
}
