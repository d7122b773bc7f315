//! `log`: one commit after the other, like git's; `history`: one version a line.

use mirror_proto::v1::{
    ChangeKind, CommitChange, CommitSummary, FileVersion, ListCommitsResponse,
    ListVersionsResponse, ResolvedPath,
};

use super::{bounded, short_digest, table};
use crate::dates;
use crate::output::escape::escape;
use crate::output::measure::bytes;
use crate::output::paint::Paint;

pub(crate) fn log(page: &ListCommitsResponse, paint: Paint) -> String {
    if page.commits.is_empty() {
        return "no commits\n".to_owned();
    }
    let entries: Vec<_> = page.commits.iter().map(|commit| entry(commit, paint)).collect();
    entries.join("\n")
}

pub(crate) fn versions(listed: &ListVersionsResponse, paint: Paint) -> String {
    if listed.versions.is_empty() {
        return format!("no version of {} in that time\n", escape(&listed.path));
    }
    let rows: Vec<_> = listed.versions.iter().map(|version| row(version, &listed.path)).collect();
    // Whole: every version has to be found here.
    let lines = table(&rows).into_iter().map(|line| match line.split_once(' ') {
        Some((seq, rest)) => format!("{} {rest}\n", paint.yellow(seq)),
        None => line + "\n",
    });
    lines.collect()
}

fn row(version: &FileVersion, path: &str) -> [String; 6] {
    let (size, digest) = match &version.sha256 {
        Some(digest) => (bytes(version.size_bytes), short_digest(digest)),
        None => ("deleted".to_owned(), String::new()),
    };
    let other = Some(&version.path).filter(|then| *then != path);
    [
        format!("#{}", version.seq),
        escape(&dates::local(&version.time)),
        format!("{} on {}", escape(&version.user), escape(&version.machine)),
        size,
        digest,
        other.map_or_else(String::new, |then| format!("as {}", escape(then))),
    ]
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
    let changes = bounded(commit.changes.iter().map(|change| line(change, paint)).collect());
    text + &changes + &bounded(commit.resolved.iter().map(settled).collect())
}

/// A file that both sides had changed, and how that ended.
fn settled(resolved: &ResolvedPath) -> String {
    let how = match resolved.strategy.as_str() {
        "merged" => "both sides merged",
        "keep-local" => "the writer's side was kept",
        "keep-remote" => "the other side was kept",
        "edited" => "settled by hand",
        other => other,
    };
    format!("    resolved {}: {}", escape(&resolved.path), escape(how))
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
            resolved: vec![ResolvedPath {
                path: "c\u{1b}.md".to_owned(),
                strategy: "keep-local".to_owned(),
            }],
            ..CommitSummary::default()
        };
        assert_eq!(
            entry(&commit, Paint::PLAIN),
            "#43  once  eve\\u{1b} on laptop  push\n    two\\nlines\n  R a.md → b.md\n    \
             resolved c\\u{1b}.md: the writer's side was kept\n"
        );
    }

    #[test]
    fn versions_are_one_a_line_with_deletions_and_old_names() {
        let version = |seq, sha256: Option<&str>, path: &str| FileVersion {
            seq,
            time: "once".to_owned(),
            user: "u".to_owned(),
            machine: "m".to_owned(),
            sha256: sha256.map(|digest| digest.repeat(64)),
            size_bytes: 10,
            path: path.to_owned(),
        };
        let listed = ListVersionsResponse {
            path: "a.md".to_owned(),
            versions: vec![
                version(12, None, "a.md"),
                version(9, Some("b"), "a.md"),
                version(3, Some("c"), "old.md"),
            ],
        };
        assert_eq!(
            versions(&listed, Paint::PLAIN),
            "#12  once  u on m  deleted\n\
             #9   once  u on m  10 B     bbbbbbbbbbbb\n\
             #3   once  u on m  10 B     cccccccccccc  as old.md\n"
        );
    }
}
