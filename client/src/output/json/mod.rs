//! The JSON that `docs/json.md` promises, built from the daemon's messages.
//!
//! One file a noun. Every key of a shape is always there; what is absent is
//! `null`.

pub(crate) mod agents;
pub(crate) mod cancel;
pub(crate) mod config;
pub(crate) mod conflict;
pub(crate) mod daemon;
pub(crate) mod findings;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod inbox;
pub(crate) mod job;
pub(crate) mod kept;
pub(crate) mod memory;
pub(crate) mod project;
pub(crate) mod stash;
pub(crate) mod status;
pub(crate) mod watch;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mirror_proto::v1::{Deletions, Fault, FolderDeletions};
use serde_json::{Value, json};

use super::escape::harmless_json;
use super::words;

const VERSION: u32 = 1;

pub(crate) fn document(command: &str, result: &Value) -> Value {
    json!({"version": VERSION, "command": command, "result": result})
}

/// A failure; without a command when the arguments don't name one.
pub(crate) fn failure(command: Option<&str>, error: &Fault) -> Value {
    json!({"version": VERSION, "command": command, "error": fault(error)})
}

/// The same as it is printed.
pub(crate) fn failure_line(command: Option<&str>, error: &Fault) -> String {
    harmless_json(&format!("{}\n", failure(command, error)))
}

pub(crate) fn fault(fault: &Fault) -> Value {
    json!({
        "class": words::class(fault.class()),
        "message": fault.message,
        "hint": fault.hint,
        "path": fault.path,
        "backend": fault.backend,
        "deletions": fault.deletions.as_ref().map(deletions),
    })
}

fn deletions(deletions: &Deletions) -> Value {
    let folder = |folder: &FolderDeletions| json!({"folder": folder.folder, "count": folder.count});
    json!({
        "count": deletions.count,
        "first": deletions.first_paths,
        "folders": deletions.folders.iter().map(folder).collect::<Vec<_>>(),
    })
}

/// The result of what reports nothing but that it happened.
pub(crate) fn done() -> Value {
    json!({"done": true})
}

/// Contents as JSON holds them: as text when all of them are, else as base64.
fn encoded<const N: usize>(contents: [Option<&[u8]>; N]) -> (&'static str, [Value; N]) {
    let are_text = contents.iter().flatten().all(|bytes| std::str::from_utf8(bytes).is_ok());
    if are_text {
        let text = |bytes| Value::from(String::from_utf8_lossy(bytes));
        ("utf-8", contents.map(|bytes| bytes.map_or(Value::Null, text)))
    } else {
        let text = |bytes| Value::from(BASE64_STANDARD.encode(bytes));
        ("base64", contents.map(|bytes| bytes.map_or(Value::Null, text)))
    }
}

/// Numbers of commits begin at 1: 0 stands for none.
fn commit(seq: u64) -> Value {
    if seq == 0 { Value::Null } else { seq.into() }
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::FaultClass;

    use super::*;

    #[test]
    fn absent_is_null_and_never_missing() {
        let fault = Fault {
            class: FaultClass::NotFound.into(),
            message: "no such file".to_owned(),
            ..Fault::default()
        };
        assert_eq!(
            failure(Some("config show"), &fault),
            json!({"version": 1, "command": "config show", "error": {
                "class": "not_found", "message": "no such file",
                "hint": null, "path": null, "backend": null, "deletions": null,
            }})
        );
    }

    #[test]
    fn document_is_one_line() {
        let text = document("diff", &json!({"files": [{"unified": "a\nb\n"}]})).to_string();
        assert!(!text.contains('\n'));
    }
}
