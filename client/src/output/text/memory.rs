//! `memory`.

use mirror_proto::v1::{ListMemoriesResponse, Memory, MemoryState, UnmapMemoryResponse};

use super::bounded;
use crate::output::escape::escape;
use crate::output::paint::Paint;

pub(crate) fn list(listed: &ListMemoriesResponse, paint: Paint) -> String {
    if listed.memories.is_empty() {
        return format!(
            "no memory is shared yet\n{} `mirrorctl memory map DIR NAME` shares the agent's memory \
             of a folder\n",
            paint.cyan("hint:")
        );
    }
    bounded(listed.memories.iter().map(|memory| line(memory, paint)).collect())
}

fn line(memory: &Memory, paint: Paint) -> String {
    let name = escape(&memory.name);
    let files = count(memory.file_count);
    let of = |place: &Option<String>| escape(place.as_deref().unwrap_or_default());
    let (root, folder) = (of(&memory.root), of(&memory.folder));
    let again = |why: &str| {
        format!("\n  {} `mirrorctl memory map {root} {name}` takes it up again", paint.yellow(why))
    };
    let more = match memory.state() {
        MemoryState::Mapped | MemoryState::Unspecified => String::new(),
        MemoryState::Unmapped => {
            return format!("{name} ({files})\n  not mapped here");
        }
        MemoryState::Missing => again("the folder is missing, or a link leads to it:"),
        MemoryState::Replaced => again("another folder is in its place:"),
    };
    format!("{name} ({files})\n  of {root}\n  in {folder}{more}")
}

pub(crate) fn mapped(memory: &Memory) -> String {
    let folder = memory.folder.as_deref().unwrap_or_default();
    format!(
        "{} is {} here ({} on the shared side); the next sync brings both together\n",
        escape(&memory.name),
        escape(folder),
        count(memory.file_count)
    )
}

pub(crate) fn unmapped(name: &str, unmapped: &UnmapMemoryResponse) -> String {
    let (name, folder) = (escape(name), escape(&unmapped.folder));
    format!("{name} has no folder here any more; what is in {folder} stays\n")
}

fn count(files: u64) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(state: MemoryState) -> Memory {
        Memory {
            name: "no\ntes".to_owned(),
            root: Some("/code\u{1b}".to_owned()),
            folder: Some("/h/memory".to_owned()),
            file_count: 1,
            state: state.into(),
        }
    }

    fn listed(state: MemoryState) -> String {
        list(&ListMemoriesResponse { memories: vec![sample(state)] }, Paint::PLAIN)
    }

    #[test]
    fn each_memory_says_whose_it_is_and_where() {
        let text = listed(MemoryState::Mapped);
        assert_eq!(text, "no\\ntes (1 file)\n  of /code\\u{1b}\n  in /h/memory\n");
        assert!(listed(MemoryState::Unmapped).ends_with("not mapped here\n"));
        for state in [MemoryState::Missing, MemoryState::Replaced] {
            assert!(listed(state).contains("`mirrorctl memory map /code\\u{1b} no\\ntes`"));
        }
        let none = list(&ListMemoriesResponse::default(), Paint::PLAIN);
        assert!(none.contains("memory map DIR NAME"), "{none}");
    }

    #[test]
    fn what_was_done_is_said_in_one_line() {
        let text = mapped(&sample(MemoryState::Mapped));
        assert!(text.starts_with("no\\ntes is /h/memory here (1 file on"), "{text}");
        let text = unmapped("a\tb", &UnmapMemoryResponse { folder: "/h/x".to_owned() });
        assert_eq!(text, "a\\tb has no folder here any more; what is in /h/x stays\n");
    }
}
