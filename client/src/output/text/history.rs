//! `log`: one commit after the other, like git's.

use mirror_proto::v1::{ChangeKind, CommitChange, CommitSummary, ListCommitsResponse};

use super::bounded;
use crate::dates;
use crate::output::escape::escape;
use crate::output::paint::Paint;

pub(crate) fn log(page: &ListCommitsResponse, paint: Paint) -> String {
    if page.commits.is_empty() {
        return "no commits\n".to_owned();
    }
    let entries: Vec<_> = page.commits.iter().map(|commit| entry(commit, paint)).collect();
    entries.join("\n")
}

pub(crate) fn entry(commit: &CommitSummary, paint: Paint) -> String {
    let mut text = format!(
        "{}  {}  {} on {}  {}",
        paint.yellow(&format!("#{}", commit.seq)),
        escape(&dates::local(&commit.time)),
        escape(&commit.user),
        escape(&commit.machine),
        escape(&commit.action),
    );
    if let Some(tag) = &commit.tag {
        text += &paint.cyan(&format!("  ({})", escape(tag)));
    }
    text.push('\n');
    if let Some(message) = &commit.message {
        text += &format!("    {}\n", escape(message));
    }
    if let Some(reason) = &commit.void_reason {
        let line = format!("    void, changes nothing: {}", escape(reason));
        text += &(paint.red(&line) + "\n");
    }
    text + &bounded(commit.changes.iter().map(|change| line(change, paint)).collect())
}

fn line(change: &CommitChange, paint: Paint) -> String {
    let letter = match change.kind() {
        ChangeKind::Added => paint.green("A"),
        ChangeKind::Modified => paint.cyan("M"),
        ChangeKind::Deleted => paint.red("D"),
        ChangeKind::Renamed => paint.cyan("R"),
        ChangeKind::Mode => paint.cyan("X"),
        ChangeKind::Unspecified => "?".to_owned(),
    };
    match &change.from {
        Some(from) => format!("  {letter} {} → {}", escape(from), escape(&change.path)),
        None => format!("  {letter} {}", escape(&change.path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_says_who_did_what_and_escapes_it() {
        let commit = CommitSummary {
            seq: 43,
            time: "once".to_owned(),
            user: "eve\u{1b}".to_owned(),
            machine: "laptop".to_owned(),
            action: "push".to_owned(),
            message: Some("two\nlines".to_owned()),
            changes: vec![CommitChange {
                path: "b.md".to_owned(),
                kind: ChangeKind::Renamed.into(),
                from: Some("a.md".to_owned()),
                ..CommitChange::default()
            }],
            ..CommitSummary::default()
        };
        assert_eq!(
            entry(&commit, Paint::PLAIN),
            "#43  once  eve\\u{1b} on laptop  push\n    two\\nlines\n  R a.md → b.md\n"
        );
    }
}
