//! The tools: what each is for, and the call that it is.

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::calls::Call;
use crate::schemas::{answer, arguments, flag, job, paths, text};

/// Whose place in the inbox a client of ours moves.
const READER: &str = "mcp";

const NOT_AGREED: &str = "nothing was changed: show the user the merged text and what it takes \
                          from where; when they agree, call this again with `confirm`: true";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Looks,
    /// Nothing that a person has is replaced by it, or only what is kept elsewhere.
    Adds,
    Replaces,
}

pub(crate) struct Verb {
    pub(crate) name: &'static str,
    title: &'static str,
    description: &'static str,
    kind: Kind,
    pub(crate) input: fn() -> Value,
    output: fn() -> Value,
    pub(crate) call: fn(&Arguments) -> Result<Call, String>,
    /// An answer that is of no use in part.
    pub(crate) is_whole: bool,
}

impl Verb {
    pub(crate) fn tool(&self) -> Tool {
        let object =
            |schema: Value| std::sync::Arc::new(schema.as_object().cloned().unwrap_or_default());
        let annotations = ToolAnnotations::from_raw(
            None,
            Some(self.kind == Kind::Looks),
            Some(self.kind == Kind::Replaces),
            Some(self.kind != Kind::Adds),
            Some(false),
        );
        Tool::new(self.name, self.description, object((self.input)()))
            .with_title(self.title)
            .with_raw_output_schema(object((self.output)()))
            .with_annotations(annotations)
    }
}

pub(crate) fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

pub(crate) const VERBS: [Verb; 11] = [
    Verb {
        name: "status",
        title: "What differs between this machine and the others",
        description: "Shows which mirrored files changed here, elsewhere or on both sides, what \
                      waits to be sent, and whether the backend can be reached. Changes nothing.",
        kind: Kind::Looks,
        input: || arguments(&json!({"all_files": flag("also the files that are in sync")}), &[]),
        output: || {
            answer(&[
                ("project", "string"),
                ("root", "string"),
                ("summary", "object"),
                ("files", "array"),
                ("state", "string"),
                ("offline", "boolean"),
            ])
        },
        call: |given| Ok(Call::of(&["status"]).flag("long", given.is_set("all_files")?)),
        is_whole: false,
    },
    Verb {
        name: "inbox",
        title: "What others did since the last look",
        description: "Lists commits, notices and conflicts from other machines and people since \
                      the last call: who changed which files, when, with which message. Changes \
                      no file.",
        kind: Kind::Looks,
        input: || arguments(&json!({"peek": flag("leave everything unread")}), &[]),
        output: || {
            answer(&[
                ("project", "string"),
                ("events", "array"),
                ("conflicts", "array"),
                ("notices", "array"),
                ("unread", "integer"),
            ])
        },
        call: |given| {
            let call = Call::of(&["inbox"]).option("reader", Some(READER));
            Ok(call.flag("peek", given.is_set("peek")?))
        },
        is_whole: false,
    },
    Verb {
        name: "diff",
        title: "The lines that differ",
        description: "Shows unified diffs of mirrored files: from the newest version that all \
                      machines share to this folder, or between any two versions. Changes nothing.",
        kind: Kind::Looks,
        input: || {
            arguments(
                &json!({
                    "paths": paths("files, folders or globs (default: all that differ)"),
                    "from": text("a version: 42, #42, latest (default), or 8 digits or more of a file's SHA-256"),
                    "to": text("a version (default: the folder as it is)"),
                }),
                &[],
            )
        },
        output: || answer(&[("files", "array")]),
        call: |given| {
            let call = Call::of(&["diff"]).option("from", given.text("from")?);
            Ok(call.option("to", given.text("to")?).names(given.texts("paths")?))
        },
        is_whole: false,
    },
    Verb {
        name: "log",
        title: "Who changed what",
        description: "Lists the commits of a project, newest first: who changed which files on \
                      which machine, when, with which message. Changes nothing.",
        kind: Kind::Looks,
        input: || {
            arguments(
                &json!({
                    "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 20},
                    "path": text("only commits that touch this path"),
                    "user": text("only commits of this user"),
                    "since": text("from this date: 2026-04-15, 30d, 2w, yesterday, or RFC 3339"),
                }),
                &[],
            )
        },
        output: || answer(&[("entries", "array")]),
        call: |given| {
            let limit = given.number("limit")?.unwrap_or(20).clamp(1, 200);
            let call = Call::of(&["log"]).option("limit", Some(limit));
            let call = call.option("path", given.text("path")?).option("user", given.text("user")?);
            Ok(call.option("since", given.text("since")?))
        },
        is_whole: false,
    },
    Verb {
        name: "history",
        title: "Every version of one file",
        description: "Lists every version that a file has had, committed, merged or set aside, \
                      with who and when; each can be shown, compared and restored. Changes nothing.",
        kind: Kind::Looks,
        input: || arguments(&json!({"path": text("the file")}), &["path"]),
        output: || answer(&[("path", "string"), ("versions", "array")]),
        call: |given| Ok(Call::of(&["history"]).names(vec![given.needed("path")?])),
        is_whole: false,
    },
    Verb {
        name: "conflict_list",
        title: "The conflicts that wait",
        description: "Lists files that changed on both sides and did not merge: what this folder \
                      has, what the other machine has, and who changed it. Changes nothing.",
        kind: Kind::Looks,
        input: || arguments(&json!({}), &[]),
        output: || answer(&[("conflicts", "array")]),
        call: |_| Ok(Call::of(&["conflict", "list"])),
        is_whole: false,
    },
    Verb {
        name: "conflict_show",
        title: "Both sides of a conflict",
        description: "Shows one conflict: the base, this folder's text (local), the other side's \
                      (remote), and the token that conflict_apply needs. Changes nothing.",
        kind: Kind::Looks,
        input: || arguments(&json!({"path": text("the file that waits")}), &["path"]),
        output: || {
            answer(&[
                ("path", "string"),
                ("token", "string"),
                ("base_text", "string?"),
                ("local_text", "string?"),
                ("remote_text", "string?"),
                ("encoding", "string"),
            ])
        },
        call: |given| {
            let call = Call::of(&["conflict", "show"]).option("format", Some("envelope"));
            Ok(call.names(vec![given.needed("path")?]))
        },
        is_whole: true,
    },
    Verb {
        name: "conflict_apply",
        title: "Settle a conflict with a merged text",
        description: "Settles a conflict by a merged text and commits it for all machines, once \
                      the user has seen and agreed to it (`confirm`). Refused when a side moved \
                      since conflict_show. Both versions stay in the history.",
        kind: Kind::Replaces,
        input: || {
            arguments(
                &json!({
                    "path": text("the file that waits"),
                    "merged": text("the whole text that becomes the file; no conflict markers"),
                    "token": text("the token of conflict_show"),
                    "confirm": flag("true only when the user has agreed to this text"),
                }),
                &["path", "merged", "token"],
            )
        },
        output: || answer(&[("path", "string"), ("resolution", "string"), ("commit", "integer?")]),
        call: |given| {
            let (path, merged) = (given.needed("path")?, given.needed("merged")?);
            let token = given.needed("token")?;
            if !given.is_set("confirm")? {
                return Err(NOT_AGREED.to_owned());
            }
            let call = Call::of(&["conflict", "apply"]).flag("merged-stdin", true);
            let call = call.option("token", Some(token)).names(vec![path]);
            Ok(Call { stdin: Some(merged), ..call })
        },
        is_whole: false,
    },
    Verb {
        name: "pull",
        title: "Fetch what changed elsewhere",
        description: "Fetches what other machines changed into this folder. Without `confirm` it \
                      only shows the plan. Local edits are never overwritten; what many deletions \
                      would need is left to the user.",
        kind: Kind::Adds,
        input: || {
            arguments(
                &json!({
                    "paths": paths("only these files, folders or globs (default: all)"),
                    "confirm": flag("carry the plan out; without it, it is only shown"),
                }),
                &[],
            )
        },
        output: job,
        call: |given| {
            let call = Call::of(&["pull"]).flag("dry-run", !given.is_set("confirm")?);
            Ok(call.names(given.texts("paths")?))
        },
        is_whole: false,
    },
    Verb {
        name: "push",
        title: "Send what changed here",
        description: "Commits and sends what changed in this folder to the other machines, as one \
                      commit. What changed on both sides is merged, or waits as a conflict.",
        kind: Kind::Adds,
        input: || {
            arguments(
                &json!({
                    "paths": paths("only these files, folders or globs (default: all)"),
                    "message": text("what the commit is about"),
                    "dry_run": flag("show the plan and change nothing"),
                }),
                &[],
            )
        },
        output: job,
        call: |given| {
            let call = Call::of(&["push"]).flag("dry-run", given.is_set("dry_run")?);
            let call = call.option("message", given.text("message")?);
            Ok(call.names(given.texts("paths")?))
        },
        is_whole: false,
    },
    Verb {
        name: "restore",
        title: "Bring earlier versions back",
        description: "Restores, recovers or undoes files to an earlier version, as local edits \
                      that a push then sends. Without `confirm` it only shows the plan. Unsent \
                      local versions are set aside first and can be had back.",
        kind: Kind::Replaces,
        input: || {
            arguments(
                &json!({
                    "paths": paths("the files, folders or globs"),
                    "from": text("a version: 42, #42, latest, or 8 digits or more of a file's SHA-256"),
                    "confirm": flag("carry the plan out; without it, it is only shown"),
                }),
                &["paths", "from"],
            )
        },
        output: job,
        call: |given| {
            let (paths, from) = (given.texts("paths")?, given.needed("from")?);
            if paths.is_empty() {
                return Err("`paths` names no file; \".\" is the whole project".to_owned());
            }
            let call = Call::of(&["restore"]).option("from", Some(from));
            Ok(call.flag("dry-run", !given.is_set("confirm")?).names(paths))
        },
        is_whole: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str, given: &Value) -> Result<Vec<String>, String> {
        let verb = find(name).expect("a tool");
        let given = given.as_object().expect("an object").clone();
        let given = Arguments::checked(given, &(verb.input)())?;
        (verb.call)(&given).map(|call| call.words)
    }

    #[track_caller]
    fn check(name: &str, given: &Value, expected: &str) {
        assert_eq!(words(name, given).expect("a call").join(" "), expected);
    }

    #[test]
    fn nothing_that_replaces_files_goes_without_a_word() {
        check("pull", &json!({}), "pull --dry-run");
        check("pull", &json!({"confirm": true, "paths": ["a.md"]}), "pull -- a.md");
        let back = json!({"paths": ["-a.md"], "from": 12});
        check("restore", &back, "restore --from=12 --dry-run -- -a.md");
        let merged = json!({"path": "a.md", "merged": "x", "token": "t"});
        assert_eq!(words("conflict_apply", &merged), Err(NOT_AGREED.to_owned()));
    }

    #[test]
    fn every_schema_names_what_it_needs_and_every_word_is_found_early() {
        for verb in &VERBS {
            let (input, tool) = ((verb.input)(), verb.tool());
            let needed = input["required"].as_array().expect("a list");
            assert!(
                needed.iter().all(|key| input["properties"].get(key.as_str().unwrap()).is_some())
            );
            assert!(verb.description.len() < 400, "{}", verb.name);
            assert!(tool.output_schema.is_some() && tool.annotations.is_some());
        }
        assert!(include_str!("instructions.md").len() <= 2_048);
    }
}
