//! `inbox`.

use mirror_proto::v1::Inbox;
use serde_json::{Value, json};

use super::fault;
use super::history::entry;
use super::job::notice;

pub(crate) fn report(inbox: &Inbox) -> Value {
    json!({
        "project": inbox.project,
        "reader": inbox.reader,
        "events": inbox.commits.iter().map(entry).collect::<Vec<_>>(),
        "conflicts": inbox.conflicts,
        "notices": inbox.notices.iter().map(notice).collect::<Vec<_>>(),
        "unread": inbox.unread_count,
        "error": inbox.fault.as_ref().map(fault),
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{CommitSummary, Notice, NoticeKind};

    use super::*;

    #[test]
    fn inbox_has_the_promised_shape() {
        let inbox = Inbox {
            project: "notes".to_owned(),
            reader: "person".to_owned(),
            commits: vec![CommitSummary { seq: 43, ..CommitSummary::default() }],
            conflicts: vec!["b.md".to_owned()],
            notices: vec![Notice {
                kind: NoticeKind::KeptUnknown.into(),
                message: "kept".to_owned(),
                ..Notice::default()
            }],
            unread_count: 5,
            ..Inbox::default()
        };
        let mut told = report(&inbox);
        assert_eq!(told["events"][0]["seq"], 43);
        assert_eq!(told["notices"][0]["kind"], "kept_unknown");
        told["events"] = json!([]);
        told["notices"] = json!([]);
        assert_eq!(
            told,
            json!({
                "project": "notes", "reader": "person", "events": [], "conflicts": ["b.md"],
                "notices": [], "unread": 5, "error": null,
            })
        );
    }
}
