//! `queue`, and what `remove` drops.

use mirror_proto::v1::{
    CommittedPush, DropQueuedResponse, KeptVersions, ListQueueResponse, QueuedFile, QueuedKind,
    QueuedPush,
};
use serde_json::{Value, json};

use super::{fault, stash, status};

pub(crate) fn queue(listed: &ListQueueResponse) -> Value {
    let tried = |kind| listed.work.iter().find(|work| work.kind() == kind);
    let hollow = json!({
        "backend": null, "kind": "push", "since": null, "attempts": null, "next_at": null,
        "error": null,
    });
    let pushes = listed.pushes.iter().map(|waiting| {
        let mut row = tried(QueuedKind::Push).map_or_else(|| hollow.clone(), status::queued);
        fill(&mut row, push(waiting));
        row
    });
    let views = tried(QueuedKind::View).into_iter().map(|work| {
        let mut row = status::queued(work);
        fill(&mut row, json!({"id": null, "action": null, "message": null, "files": []}));
        row
    });
    json!({
        "queue": pushes.chain(views).collect::<Vec<_>>(),
        "error": listed.fault.as_ref().map(fault),
    })
}

fn fill(row: &mut Value, more: Value) {
    if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
}

pub(crate) fn push(push: &QueuedPush) -> Value {
    let file = |file: &QueuedFile| json!({"path": file.path, "sha256": file.sha256});
    json!({
        "id": push.id,
        "since": push.since,
        "action": push.action,
        "message": push.message,
        "files": push.files.iter().map(file).collect::<Vec<_>>(),
    })
}

pub(crate) fn dropped(dropped: &DropQueuedResponse) -> Value {
    json!({
        "dropped": dropped.pushes.iter().map(push).collect::<Vec<_>>(),
        "committed": dropped.committed.iter().map(committed).collect::<Vec<_>>(),
        "stash": dropped.stashed.iter().map(stash::version).collect::<Vec<_>>(),
        "gone": dropped.gone,
        "unanswered": dropped.unanswered,
    })
}

fn committed(committed: &CommittedPush) -> Value {
    let mut row = committed.push.as_ref().map(push).unwrap_or_default();
    fill(&mut row, json!({"commit": committed.commit}));
    row
}

pub(crate) fn removed(kept: &KeptVersions) -> Value {
    json!({"done": true, "discarded": versions(kept)})
}

pub(crate) fn versions(kept: &KeptVersions) -> Value {
    json!({
        "queue": kept.pushes.iter().map(push).collect::<Vec<_>>(),
        "stash": kept.stashed.iter().map(stash::version).collect::<Vec<_>>(),
        "conflicts": kept.conflicts,
        "unreadable": kept.unreadable_count,
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::QueuedWork;

    use super::*;

    fn waiting() -> QueuedPush {
        QueuedPush {
            id: "01J".to_owned(),
            since: "2026-04-15T10:00:00Z".to_owned(),
            action: "push".to_owned(),
            message: None,
            files: vec![QueuedFile { path: "a.md".to_owned(), sha256: None }],
        }
    }

    #[test]
    fn queue_has_the_promised_shape() {
        let work = |kind: QueuedKind| QueuedWork {
            backend: "primary".to_owned(),
            kind: kind.into(),
            since: "2026-04-15T09:00:00Z".to_owned(),
            attempt_count: 3,
            next_at: "2026-04-15T10:01:00Z".to_owned(),
            fault: None,
        };
        let listed = ListQueueResponse {
            pushes: vec![waiting()],
            work: vec![work(QueuedKind::Push), work(QueuedKind::View)],
            fault: None,
        };
        let common = json!({
            "backend": "primary", "attempts": 3, "next_at": "2026-04-15T10:01:00Z", "error": null,
        });
        let mut push = json!({
            "kind": "push", "id": "01J", "since": "2026-04-15T10:00:00Z", "action": "push",
            "message": null, "files": [{"path": "a.md", "sha256": null}],
        });
        fill(&mut push, common.clone());
        let mut view = json!({
            "kind": "view", "id": null, "since": "2026-04-15T09:00:00Z", "action": null,
            "message": null, "files": [],
        });
        fill(&mut view, common);
        assert_eq!(queue(&listed), json!({"queue": [push, view], "error": null}));
        let untried = ListQueueResponse { pushes: vec![waiting()], ..Default::default() };
        assert_eq!(queue(&untried)["queue"][0]["attempts"], Value::Null);
    }

    #[test]
    fn push_that_was_committed_is_named_with_its_commit() {
        let committed = CommittedPush { push: Some(waiting()), commit: 45 };
        let known = DropQueuedResponse { committed: vec![committed], ..Default::default() };
        let mut row = push(&waiting());
        row["commit"] = 45.into();
        assert_eq!(
            dropped(&known),
            json!({
                "dropped": [], "committed": [row], "stash": [], "gone": [], "unanswered": [],
            })
        );
    }

    #[test]
    fn removal_says_what_went_with_it() {
        let kept = KeptVersions { pushes: vec![waiting()], ..KeptVersions::default() };
        assert_eq!(
            removed(&kept),
            json!({"done": true, "discarded": {
                "queue": [push(&waiting())], "stash": [], "conflicts": [], "unreadable": 0,
            }})
        );
    }
}
