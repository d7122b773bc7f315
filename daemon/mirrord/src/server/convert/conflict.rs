//! Conflicts, and how they are settled.

use bytes::Bytes;
use mirror_core::Digest;
use mirror_engine::{ChangedBy, Conflict, ConflictDetail, ConflictKind, Resolution};
use mirror_proto::v1;
use mirror_proto::v1::resolve_conflict_request::Resolution as Asked;

/// The largest content that is sent along.
const LARGEST_SHOWN: usize = 4 * 1024 * 1024;

pub(in crate::server) fn conflict(conflict: &Conflict) -> v1::Conflict {
    let shown = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
    v1::Conflict {
        path: conflict.path.as_str().to_owned(),
        kind: conflict_kind(conflict.kind).into(),
        binary: conflict.binary,
        base: shown(conflict.base),
        local: shown(conflict.local),
        remote: shown(conflict.remote),
        remote_by: conflict.remote_by.as_ref().map(changed_by),
        since: conflict.since.to_string(),
        token: conflict.token.clone(),
        outside: conflict.outside,
        place: conflict.place.clone(),
        remote_commit: conflict.remote_commit,
        local_by: conflict.local_by.as_ref().map(changed_by),
        local_is_elsewhere: conflict.is_elsewhere,
        remote_name: conflict.other.name.clone(),
        remote_word: conflict.other.word.clone(),
    }
}

pub(in crate::server) fn conflict_detail(detail: &ConflictDetail) -> v1::ConflictDetail {
    let sent = |content: &Option<Bytes>| {
        content.as_ref().filter(|bytes| bytes.len() <= LARGEST_SHOWN).map(|bytes| bytes.to_vec())
    };
    v1::ConflictDetail {
        conflict: Some(conflict(&detail.conflict)),
        base_content: sent(&detail.base),
        local_content: sent(&detail.local),
        remote_content: sent(&detail.remote),
        merged_content: detail.merged.as_ref().map(|bytes| bytes.to_vec()),
        marked_content: detail.marked.as_ref().map(|bytes| bytes.to_vec()),
        unified_diff: detail.unified.clone(),
        fault: None,
    }
}

/// `None` for what says nothing that can be done.
pub(in crate::server) fn resolution(asked: Option<Asked>) -> Option<Resolution> {
    match asked? {
        Asked::MergedContent(merged) => Some(Resolution::Merged(merged.into())),
        Asked::NamedSide(name) => Some(Resolution::Side(name)),
        Asked::Side(side) => match v1::Side::try_from(side) {
            Ok(v1::Side::Local) => Some(Resolution::Local),
            Ok(v1::Side::Remote) => Some(Resolution::Remote),
            Ok(v1::Side::Unspecified) | Err(_) => None,
        },
    }
}

pub(super) fn changed_by(by: &ChangedBy) -> v1::ChangedBy {
    v1::ChangedBy {
        user: by.user.clone(),
        machine: by.machine.clone(),
        seq: by.seq,
        time: by.time.to_string(),
    }
}

fn conflict_kind(kind: ConflictKind) -> v1::ConflictKind {
    match kind {
        ConflictKind::EditEdit => v1::ConflictKind::EditEdit,
        ConflictKind::AddAdd => v1::ConflictKind::AddAdd,
        ConflictKind::Type => v1::ConflictKind::Type,
        ConflictKind::NameClash => v1::ConflictKind::NameClash,
        ConflictKind::UnknownBase => v1::ConflictKind::UnknownBase,
    }
}

#[cfg(test)]
mod tests {
    use mirror_core::{RelPath, Timestamp};
    use mirror_engine::OtherSide;

    use super::*;

    #[test]
    fn content_that_no_message_should_hold_is_left_out() {
        let content = |size: usize| Some(Bytes::from(vec![b'x'; size]));
        let detail = ConflictDetail {
            conflict: Conflict {
                path: RelPath::new("a.md").unwrap(),
                kind: ConflictKind::EditEdit,
                binary: false,
                base: None,
                local: None,
                remote: None,
                remote_by: None,
                remote_commit: None,
                place: None,
                local_by: None,
                is_elsewhere: false,
                other: OtherSide { name: "the head".to_owned(), word: "there".to_owned() },
                since: Timestamp(0),
                token: "t".to_owned(),
                outside: false,
            },
            base: None,
            local: content(LARGEST_SHOWN),
            remote: content(LARGEST_SHOWN + 1),
            merged: None,
            marked: None,
            unified: String::new(),
        };

        let sent = conflict_detail(&detail);

        assert_eq!(sent.local_content.map(|content| content.len()), Some(LARGEST_SHOWN));
        assert_eq!(sent.remote_content, None);
    }

    #[test]
    fn resolution_that_says_nothing_is_none() {
        assert_eq!(resolution(None), None);
        assert_eq!(resolution(Some(Asked::Side(0))), None);
        assert_eq!(resolution(Some(Asked::Side(99))), None);
    }
}
