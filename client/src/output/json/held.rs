//! `held`.

use mirror_proto::v1::{HeldDetail, HeldFile, ListHeldResponse};
use serde_json::{Value, json};

use super::{fault, status};
use crate::output::words;

pub(crate) fn list(listed: &ListHeldResponse) -> Value {
    json!({
        "held": listed.held.iter().map(file).collect::<Vec<_>>(),
        "error": listed.fault.as_ref().map(fault),
    })
}

pub(crate) fn detail(detail: &HeldDetail) -> Value {
    let mut shown = file(&detail.held.clone().unwrap_or_default());
    shown["diff"] = detail.diff.as_ref().map(status::difference).into();
    shown["error"] = detail.fault.as_ref().map(fault).into();
    shown
}

fn file(held: &HeldFile) -> Value {
    json!({
        "path": held.path,
        "seq": held.seq,
        "user": held.user,
        "machine": held.machine,
        "why": words::held_reason(held.why()),
        "sha256": held.sha256,
        "link": held.is_link,
        "refused": held.refused,
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{FileDiff, FileState, HeldReason};

    use super::*;

    fn sample() -> HeldFile {
        HeldFile {
            path: "skills/x/SKILL.md".to_owned(),
            seq: 43,
            user: "ann".to_owned(),
            machine: "laptop".to_owned(),
            sha256: "ab".to_owned(),
            why: HeldReason::RunsCode.into(),
            is_link: false,
            refused: true,
        }
    }

    #[test]
    fn held_has_the_promised_shape() {
        let shown = json!({
            "path": "skills/x/SKILL.md", "seq": 43, "user": "ann", "machine": "laptop",
            "why": "runs_code", "sha256": "ab", "link": false, "refused": true,
        });
        let listed = ListHeldResponse { held: vec![sample()], fault: None };
        assert_eq!(list(&listed), json!({"held": [shown], "error": null}));
    }

    #[test]
    fn detail_says_what_would_change() {
        let diff = FileDiff {
            path: "skills/x/SKILL.md".to_owned(),
            state: FileState::RemoteAhead.into(),
            unified: "-a\n+b\n".to_owned(),
            from: "local".to_owned(),
            to: "head".to_owned(),
            ..FileDiff::default()
        };
        let shown = detail(&HeldDetail { held: Some(sample()), diff: Some(diff), fault: None });
        assert_eq!((&shown["seq"], &shown["error"]), (&json!(43), &Value::Null));
        assert_eq!(shown["diff"]["unified"], "-a\n+b\n");
        assert_eq!(detail(&HeldDetail::default())["diff"], Value::Null);
    }
}
