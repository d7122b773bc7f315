//! `memory`.

use mirror_proto::v1::{ListMemoriesResponse, Memory, UnmapMemoryResponse};
use serde_json::{Value, json};

use crate::output::words;

pub(crate) fn list(listed: &ListMemoriesResponse) -> Value {
    json!({"memories": listed.memories.iter().map(one).collect::<Vec<_>>()})
}

pub(crate) fn one(memory: &Memory) -> Value {
    json!({
        "name": memory.name,
        "root": memory.root,
        "folder": memory.folder,
        "files": memory.file_count,
        "state": words::memory_state(memory.state()),
    })
}

pub(crate) fn unmapped(name: &str, unmapped: &UnmapMemoryResponse) -> Value {
    json!({"name": name, "folder": unmapped.folder})
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::MemoryState;

    use super::*;

    #[test]
    fn memories_have_the_promised_shape() {
        let here = Memory {
            name: "notes".to_owned(),
            root: Some("/home/ann/notes".to_owned()),
            folder: Some("/home/ann/.claude/projects/-home-ann-notes/memory".to_owned()),
            file_count: 3,
            state: MemoryState::Mapped.into(),
        };
        let (name, state) = ("other".to_owned(), MemoryState::Unmapped.into());
        let there = Memory { name, state, ..Memory::default() };
        let listed = ListMemoriesResponse { memories: vec![here, there] };
        let shown = json!({"memories": [
            {
                "name": "notes", "root": "/home/ann/notes", "files": 3, "state": "mapped",
                "folder": "/home/ann/.claude/projects/-home-ann-notes/memory",
            },
            {"name": "other", "root": null, "folder": null, "files": 0, "state": "unmapped"},
        ]});
        assert_eq!(list(&listed), shown);
    }
}
