//! `stash`.

use mirror_proto::v1::{DropStashResponse, ListStashResponse, StashedVersion};
use serde_json::{Value, json};

use super::encoded;

pub(crate) fn list(listed: &ListStashResponse) -> Value {
    json!({"stash": listed.versions.iter().map(version).collect::<Vec<_>>()})
}

/// The same with the name of the project, one of several.
pub(crate) fn list_of(project: &str, listed: &ListStashResponse) -> Value {
    let mut listed = list(listed);
    listed["project"] = project.into();
    listed
}

pub(crate) fn dropped(dropped: &DropStashResponse) -> Value {
    json!({"dropped": dropped.versions.iter().map(version).collect::<Vec<_>>()})
}

pub(super) fn version(version: &StashedVersion) -> Value {
    json!({
        "id": version.id,
        "path": version.path,
        "sha256": version.sha256,
        "size": version.size_bytes,
        "time": version.time,
        "reason": version.reason,
    })
}

pub(crate) fn content(id: &str, whole: &[u8]) -> Value {
    let (encoding, [text]) = encoded([Some(whole)]);
    json!({"id": id, "encoding": encoding, "text": text})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stash_has_the_promised_shape() {
        let listed = ListStashResponse {
            versions: vec![StashedVersion {
                id: "01J".to_owned(),
                path: "a.md".to_owned(),
                sha256: "ab".to_owned(),
                size_bytes: 10,
                time: "2026-04-15T10:00:00Z".to_owned(),
                reason: "restore".to_owned(),
            }],
        };
        assert_eq!(
            list(&listed),
            json!({"stash": [{
                "id": "01J", "path": "a.md", "sha256": "ab", "size": 10,
                "time": "2026-04-15T10:00:00Z", "reason": "restore",
            }]})
        );
    }

    #[test]
    fn content_is_text_where_it_is_text() {
        assert_eq!(
            content("01J", b"a\n"),
            json!({"id": "01J", "encoding": "utf-8", "text": "a\n"})
        );
        assert_eq!(
            content("01J", b"\xff\0"),
            json!({"id": "01J", "encoding": "base64", "text": "/wA="})
        );
    }
}
