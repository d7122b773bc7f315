//! What a host says of an event: JSON on stdin, of which anything may be missing.

use std::path::Path;

use mirror_proto::v1::{HookEvent, HookKind};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::host::Host;

/// A prompt names no more files than this.
const MOST_MENTIONS: usize = 20;

/// Tools that write the file that they name.
const WRITERS: [&str; 4] = ["Write", "Edit", "MultiEdit", "NotebookEdit"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "they are the host's names")]
struct Input {
    #[serde(deserialize_with = "text")]
    session_id: Option<String>,
    #[serde(deserialize_with = "text")]
    agent_id: Option<String>,
    #[serde(deserialize_with = "text")]
    cwd: Option<String>,
    #[serde(deserialize_with = "text")]
    new_cwd: Option<String>,
    #[serde(deserialize_with = "text")]
    source: Option<String>,
    #[serde(deserialize_with = "text")]
    prompt: Option<String>,
    #[serde(deserialize_with = "text")]
    prompt_id: Option<String>,
    #[serde(deserialize_with = "text")]
    file_path: Option<String>,
    #[serde(deserialize_with = "text")]
    tool_name: Option<String>,
    #[serde(deserialize_with = "text")]
    tool_use_id: Option<String>,
    #[serde(deserialize_with = "used")]
    tool_input: Used,
    #[serde(deserialize_with = "calls")]
    tool_calls: Vec<Call>,
}

/// One use of a tool, of several in a step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Call {
    #[serde(deserialize_with = "text")]
    tool_use_id: Option<String>,
    #[serde(deserialize_with = "used")]
    tool_input: Used,
}

/// What a tool works on, as far as it is a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Used {
    #[serde(deserialize_with = "text")]
    file_path: Option<String>,
    #[serde(deserialize_with = "text")]
    notebook_path: Option<String>,
}

/// A value of the kind that is wanted, or of any other.
#[derive(Deserialize)]
#[serde(untagged)]
enum Any<T> {
    Wanted(T),
    Other(IgnoredAny),
}

impl<T> Any<T> {
    fn wanted(self) -> Option<T> {
        match self {
            Self::Wanted(wanted) => Some(wanted),
            Self::Other(_) => None,
        }
    }
}

fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(Any::deserialize(value)?.wanted())
}

fn used<'de, D: Deserializer<'de>>(value: D) -> Result<Used, D::Error> {
    Ok(Any::deserialize(value)?.wanted().unwrap_or_default())
}

fn calls<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<Call>, D::Error> {
    Ok(Any::deserialize(value)?.wanted().unwrap_or_default())
}

/// What the host's environment says beside it.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) project_folder: Option<String>,
    pub(super) process: Option<u64>,
}

/// The event for the daemon; `None` where there is nothing to be told: no session, a
/// subagent, or no JSON.
pub(super) fn event(
    kind: HookKind,
    host: Host,
    bytes: &[u8],
    around: Surroundings,
) -> Option<HookEvent> {
    let input: Input = serde_json::from_slice(bytes).ok()?;
    if input.agent_id.as_ref().is_some_and(|agent| !agent.is_empty()) {
        return None;
    }
    let occasion = input.occasion();
    let (files, is_write) = input.files(kind);
    let kind = match (kind, input.source.as_deref()) {
        (HookKind::SessionStart, Some("compact")) => HookKind::Compaction,
        _ => kind,
    };
    let mut folders: Vec<String> =
        [input.new_cwd, input.cwd, around.project_folder].into_iter().flatten().collect();
    folders.dedup();
    Some(HookEvent {
        kind: kind.into(),
        session: input.session_id.filter(|session| !session.is_empty())?,
        occasion,
        process: around.process,
        has_steps: host.has_steps(),
        folders,
        files,
        is_write,
        changed_file: input.file_path.filter(|_| kind == HookKind::FileChanged),
        may_wake: host.watches_files() && matches!(kind, HookKind::FileChanged | HookKind::Stop),
        shows_hints: false,
    })
}

impl Input {
    /// The host's own names for this event; two hooks may be called for it.
    fn occasion(&self) -> Option<String> {
        let of_step = self.tool_calls.iter().map(|call| &call.tool_use_id);
        let ids = [&self.prompt_id, &self.tool_use_id].into_iter().chain(of_step);
        let ids: Vec<&str> = ids.filter_map(Option::as_deref).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// The files at hand, and whether a tool has written them.
    fn files(&self, kind: HookKind) -> (Vec<String>, bool) {
        let cwd = self.cwd.as_deref().unwrap_or_default();
        let absolute = |path: &str| {
            let path = Path::new(cwd).join(path);
            path.is_absolute().then(|| path.to_str().map(str::to_owned)).flatten()
        };
        if kind == HookKind::UserPromptSubmit {
            let prompt = self.prompt.as_deref().unwrap_or_default();
            return (mentions(prompt).filter_map(absolute).collect(), false);
        }
        let of_step = self.tool_calls.iter().map(|call| &call.tool_input);
        let used = std::iter::once(&self.tool_input).chain(of_step);
        let path = |used: &Used| {
            let path = used.file_path.as_ref().or(used.notebook_path.as_ref());
            path.and_then(|path| absolute(path))
        };
        let is_write = self.tool_name.as_deref().is_some_and(|name| WRITERS.contains(&name));
        (used.filter_map(path).collect(), is_write && kind == HookKind::PostToolUse)
    }
}

/// Files that a prompt names as `@path`.
fn mentions(prompt: &str) -> impl Iterator<Item = &str> {
    let words = prompt.split_whitespace().filter_map(|word| word.strip_prefix('@'));
    let plain = words.map(|word| word.trim_end_matches([',', '.', ';', ':', ')', '"', '\'']));
    plain.filter(|word| !word.is_empty()).take(MOST_MENTIONS)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(kind: HookKind, input: &Value) -> Option<HookEvent> {
        event(kind, Host::Claude, input.to_string().as_bytes(), Surroundings::default())
    }

    #[test]
    fn event_has_what_the_host_says_of_it() {
        let input = json!({
            "session_id": "s", "cwd": "/w/notes", "hook_event_name": "PreToolUse",
            "prompt_id": "p", "tool_use_id": "t", "tool_name": "Edit",
            "tool_input": {"file_path": "/w/notes/a.md", "old_string": "x"},
            "effort": {"level": 1},
        });
        let found = read(HookKind::PreToolUse, &input).unwrap();
        assert_eq!((found.session.as_str(), found.folders), ("s", vec!["/w/notes".to_owned()]));
        assert_eq!(found.files, ["/w/notes/a.md"]);
        assert_eq!((found.occasion.as_deref(), found.is_write), (Some("p t"), false));
        assert!(read(HookKind::PostToolUse, &input).unwrap().is_write);
    }

    #[test]
    fn files_of_a_step_and_of_a_prompt_are_found() {
        let step = json!({"session_id": "s", "cwd": "/w", "tool_calls": [
            {"tool_name": "Read", "tool_use_id": "1", "tool_input": {"file_path": "/w/a.md"}},
            {"tool_name": "NotebookEdit", "tool_use_id": "2", "tool_input": {"notebook_path": "b"}},
            {"tool_name": "Bash", "tool_use_id": "3", "tool_input": {"command": "ls"}},
        ]});
        let found = read(HookKind::PostToolBatch, &step).unwrap();
        assert_eq!(found.files, ["/w/a.md", "/w/b"]);
        assert_eq!(found.occasion.as_deref(), Some("1 2 3"));
        let prompt =
            json!({"session_id": "s", "cwd": "/w", "prompt": "see @a.md, @/x/b.md @ me@x"});
        assert_eq!(
            read(HookKind::UserPromptSubmit, &prompt).unwrap().files,
            ["/w/a.md", "/x/b.md"]
        );
    }

    #[test]
    fn what_is_of_another_kind_or_missing_is_passed_over() {
        for input in [
            json!({"session_id": "s"}),
            json!({"session_id": "s", "cwd": 7, "tool_input": "text", "tool_calls": {"a": 1}}),
            json!({"session_id": "s", "prompt": ["x"], "tool_input": null, "tool_calls": [1]}),
        ] {
            let found = read(HookKind::PostToolUse, &input);
            assert_eq!(found.unwrap().files, Vec::<String>::new(), "{input}");
        }
    }

    #[test]
    fn subagents_and_what_names_no_session_say_nothing() {
        for input in [
            json!({"session_id": "s", "agent_id": "a1", "cwd": "/w"}),
            json!({"cwd": "/w"}),
            json!({"session_id": ""}),
            json!({"session_id": 7}),
            json!([]),
            json!("x"),
        ] {
            assert!(read(HookKind::UserPromptSubmit, &input).is_none(), "{input}");
        }
        assert!(event(HookKind::Stop, Host::Claude, b"{", Surroundings::default()).is_none());
    }

    #[test]
    fn start_after_a_compaction_is_one() {
        let input = json!({"session_id": "s", "source": "compact"});
        assert_eq!(read(HookKind::SessionStart, &input).unwrap().kind(), HookKind::Compaction);
    }
}
