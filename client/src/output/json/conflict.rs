//! `conflict`.

use mirror_proto::v1::{
    ChangedBy, Conflict, ConflictDetail, Fault, JobFinished, ListConflictsResponse,
};
use serde_json::{Value, json};

use super::{encoded, fault};
use crate::output::set_aside::made_way;
use crate::output::words;

pub(crate) fn list(listed: &ListConflictsResponse) -> Value {
    json!({
        "conflicts": listed.conflicts.iter().map(conflict).collect::<Vec<_>>(),
        "error": listed.fault.as_ref().map(fault),
    })
}

fn conflict(conflict: &Conflict) -> Value {
    json!({
        "path": conflict.path,
        "kind": words::conflict_kind(conflict.kind()),
        "binary": conflict.binary,
        "base": conflict.base,
        "local": conflict.local,
        "remote": conflict.remote,
        "remote_by": conflict.remote_by.as_ref().map(changed_by),
        "since": conflict.since,
        "token": conflict.token,
        "outside": conflict.outside,
        "place": conflict.place,
        "remote_commit": conflict.remote_commit,
        "local_by": conflict.local_by.as_ref().map(changed_by),
        "remote_name": conflict.remote_name,
        "remote_word": conflict.remote_word,
    })
}

fn changed_by(by: &ChangedBy) -> Value {
    json!({"user": by.user, "machine": by.machine, "commit": by.seq, "time": by.time})
}

/// A conflict with all its sides.
pub(crate) fn envelope(detail: &ConflictDetail) -> Value {
    let mut told = conflict(&detail.conflict.clone().unwrap_or_default());
    let (encoding, texts) = encoded([
        detail.base_content.as_deref(),
        detail.local_content.as_deref(),
        detail.remote_content.as_deref(),
        detail.merged_content.as_deref(),
        detail.marked_content.as_deref(),
    ]);
    let names = ["base_text", "local_text", "remote_text", "merged_text", "marked_text"];
    for (name, text) in names.into_iter().zip(texts) {
        told[name] = text;
    }
    told["encoding"] = encoding.into();
    told["unified_diff"] = detail.unified_diff.as_str().into();
    told["error"] = detail.fault.as_ref().map(fault).into();
    told
}

pub(crate) fn resolved(path: &str, resolution: &str, job: &JobFinished) -> Value {
    json!({
        "path": path,
        "resolution": resolution,
        "commit": job.commit.as_ref().map(|commit| commit.seq),
        "queued": job.queued,
        "pull_pending": job.pull_pending,
        "failed": job.failed.iter().map(super::job::failed).collect::<Vec<_>>(),
        "cancelled": job.cancelled,
        "stash_id": made_way(path, job).and_then(|notice| notice.stash_id.as_deref()),
        "notices": job.notices.iter().map(super::job::notice).collect::<Vec<_>>(),
        "error": null,
    })
}

/// The same shape for a decision that came too late, or was cancelled.
pub(crate) fn refused(path: &str, is_cancelled: bool, why: &Fault) -> Value {
    json!({
        "path": path,
        "resolution": null,
        "commit": null,
        "queued": false,
        "pull_pending": false,
        "failed": [],
        "cancelled": is_cancelled,
        "stash_id": null,
        "notices": [],
        "error": fault(why),
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{Committed, ConflictKind};

    use super::*;

    fn sample() -> Conflict {
        Conflict {
            path: "b.md".to_owned(),
            kind: ConflictKind::AddAdd.into(),
            binary: false,
            base: None,
            local: Some("aa".to_owned()),
            remote: Some("bb".to_owned()),
            remote_by: Some(ChangedBy {
                user: "u".to_owned(),
                machine: "m".to_owned(),
                seq: 43,
                time: "2026-04-15T10:00:00Z".to_owned(),
            }),
            since: "2026-04-15T10:01:00Z".to_owned(),
            token: "t".to_owned(),
            outside: true,
            place: Some("nas".to_owned()),
            remote_commit: None,
            local_by: None,
            local_is_elsewhere: false,
            remote_name: "nas, edited there".to_owned(),
            remote_word: "nas".to_owned(),
        }
    }

    #[test]
    fn list_has_the_promised_shape() {
        assert_eq!(
            list(&ListConflictsResponse { conflicts: vec![sample()], fault: None }),
            json!({"conflicts": [{
                "path": "b.md", "kind": "add_add", "binary": false, "base": null, "local": "aa",
                "remote": "bb",
                "remote_by": {
                    "user": "u", "machine": "m", "commit": 43, "time": "2026-04-15T10:00:00Z",
                },
                "since": "2026-04-15T10:01:00Z", "token": "t", "outside": true,
                "place": "nas", "remote_commit": null, "local_by": null,
                "remote_name": "nas, edited there", "remote_word": "nas",
            }], "error": null})
        );
    }

    #[test]
    fn envelope_is_the_conflict_with_all_its_sides() {
        let detail = ConflictDetail {
            conflict: Some(sample()),
            local_content: Some(b"mine\n".to_vec()),
            remote_content: Some(b"theirs\n".to_vec()),
            marked_content: Some(b"<<<<<<< here\n".to_vec()),
            unified_diff: "-theirs\n+mine\n".to_owned(),
            ..ConflictDetail::default()
        };
        let told = envelope(&detail);
        assert_eq!(told["path"], "b.md");
        assert_eq!(told["base_text"], Value::Null);
        assert_eq!(told["local_text"], "mine\n");
        assert_eq!(told["remote_text"], "theirs\n");
        assert_eq!(told["merged_text"], Value::Null);
        assert_eq!(told["marked_text"], "<<<<<<< here\n");
        assert_eq!(told["encoding"], "utf-8");
        assert_eq!(told["unified_diff"], "-theirs\n+mine\n");
        assert_eq!(told["error"], Value::Null);
        let fault = Some(Fault { message: "away".to_owned(), ..Fault::default() });
        assert_eq!(envelope(&ConflictDetail { fault, ..detail })["error"]["message"], "away");
    }

    #[test]
    fn one_side_that_is_no_text_makes_all_of_them_base64() {
        let detail = ConflictDetail {
            local_content: Some(b"mine\n".to_vec()),
            remote_content: Some(b"\xff\0".to_vec()),
            ..ConflictDetail::default()
        };
        let told = envelope(&detail);
        assert_eq!(told["encoding"], "base64");
        assert_eq!(told["local_text"], "bWluZQo=");
        assert_eq!(told["remote_text"], "/wA=");
    }

    #[test]
    fn decision_that_came_too_late_has_the_shape_of_one_that_did_not() {
        let job = JobFinished {
            commit: Some(Committed { seq: 44, id: "01J".to_owned() }),
            ..JobFinished::default()
        };
        let done = resolved("b.md", "merged", &job);
        assert_eq!(
            done,
            json!({
                "path": "b.md", "resolution": "merged", "commit": 44, "queued": false,
                "pull_pending": false, "failed": [], "cancelled": false, "stash_id": null,
                "notices": [],
                "error": null,
            })
        );
        let why = Fault { message: "moved".to_owned(), ..Fault::default() };
        let late = refused("b.md", false, &why);
        assert_eq!(late["error"]["message"], "moved");
        let keys = |value: &Value| {
            value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>())
        };
        assert_eq!(keys(&late), keys(&done));
    }
}
