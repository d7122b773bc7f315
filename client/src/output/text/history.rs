//! `log`: one commit after the other, like git's; `history`: one version a line.

use std::collections::BTreeSet;

use mirror_proto::v1::{
    ChangeKind, CommitChange, CommitSummary, FileVersion, ListCommitsResponse,
    ListVersionsResponse, ResolvedPath, VersionRole,
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
    let seq = match (version.role(), version.seq) {
        (VersionRole::Queued, _) => "queued".to_owned(),
        (VersionRole::Conflict, _) => "conflict".to_owned(),
        (_, 0) => "stash".to_owned(),
        (_, seq) => format!("#{seq}"),
    };
    [seq, escape(&dates::local(&version.time)), who(version), size, digest, remarks(version, path)]
}

fn who(version: &FileVersion) -> String {
    match version.user.as_str() {
        "" => format!("edited on {}", escape(&version.machine)),
        user => format!("{} on {}", escape(user), escape(&version.machine)),
    }
}

/// What else there is to say of a version.
fn remarks(version: &FileVersion, path: &str) -> String {
    let id = version.queue_id.as_ref().or(version.stash_id.as_ref());
    let id = id.map(|id| escape(id)).unwrap_or_default();
    let kept = match version.role() {
        VersionRole::Input => Some("a side of what that commit settled".to_owned()),
        VersionRole::Stash => Some(format!("set aside here as {id}")),
        VersionRole::Queued => Some(format!("waits here to be pushed, as {id}")),
        VersionRole::Conflict => Some("a side of what waits for you".to_owned()),
        VersionRole::Committed | VersionRole::Unspecified => None,
    };
    let other = Some(&version.path).filter(|then| *then != path);
    let other = other.map(|then| format!("as {}", escape(then)));
    kept.into_iter().chain(other).collect::<Vec<_>>().join(", ")
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
    text + &changes(commit, paint)
        + &bounded(commit.resolved.iter().map(|one| settled(one, commit)).collect())
}

/// What a commit did to each file, a line each.
pub(crate) fn changes(commit: &CommitSummary, paint: Paint) -> String {
    bounded(one_a_file(commit).map(|change| line(change, paint)).collect())
}

/// What a commit changed. A file that was renamed is one, though its old name is deleted
/// as well.
pub(super) fn one_a_file(commit: &CommitSummary) -> impl Iterator<Item = &CommitChange> {
    let old: BTreeSet<&str> =
        commit.changes.iter().filter_map(|change| change.from.as_deref()).collect();
    let is_old_name = move |change: &CommitChange| {
        change.kind() == ChangeKind::Deleted && old.contains(change.path.as_str())
    };
    commit.changes.iter().filter(move |change| !is_old_name(change))
}

/// A file that both sides had changed, and how that ended.
fn settled(resolved: &ResolvedPath, commit: &CommitSummary) -> String {
    let how = match resolved.strategy.as_str() {
        "merged" => "both sides merged".to_owned(),
        "keep-local" => format!("kept as it was on {}", commit.machine),
        "keep-remote" => format!("taken from the other side by {}", commit.machine),
        "edited" => "settled by hand".to_owned(),
        other => other.to_owned(),
    };
    format!("    resolved {}: {}", escape(&resolved.path), escape(&how))
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
             resolved c\\u{1b}.md: kept as it was on laptop\n"
        );
    }

    #[test]
    fn renamed_file_is_one_and_another_that_is_deleted_beside_it_stays() {
        let change = |path: &str, kind: ChangeKind, from: Option<&str>| CommitChange {
            path: path.to_owned(),
            kind: kind.into(),
            from: from.map(str::to_owned),
            ..CommitChange::default()
        };
        let changes = vec![
            change("a.md", ChangeKind::Deleted, None),
            change("b.md", ChangeKind::Renamed, Some("a.md")),
            change("c.md", ChangeKind::Deleted, None),
        ];
        let commit = CommitSummary { changes, ..CommitSummary::default() };
        let told = entry(&commit, Paint::PLAIN);
        assert!(told.ends_with("\n  R a.md → b.md\n  D c.md\n"), "{told}");
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
            role: VersionRole::Committed.into(),
            stash_id: None,
            queue_id: None,
        };
        let input =
            FileVersion { role: VersionRole::Input.into(), ..version(10, Some("d"), "a.md") };
        let stashed = FileVersion {
            role: VersionRole::Stash.into(),
            stash_id: Some("01J".to_owned()),
            ..version(0, Some("e"), "a.md")
        };
        let queued = FileVersion {
            role: VersionRole::Queued.into(),
            queue_id: Some("01K".to_owned()),
            ..version(0, Some("f"), "a.md")
        };
        let edited = FileVersion {
            role: VersionRole::Conflict.into(),
            user: String::new(),
            machine: "primary".to_owned(),
            ..version(0, Some("a"), "a.md")
        };
        let listed = ListVersionsResponse {
            path: "a.md".to_owned(),
            versions: vec![
                queued,
                edited,
                version(12, None, "a.md"),
                stashed,
                input,
                version(9, Some("b"), "a.md"),
                version(3, Some("c"), "old.md"),
            ],
            fault: None,
        };
        assert_eq!(
            versions(&listed, Paint::PLAIN),
            "queued    once  u on m             10 B     ffffffffffff  waits here to be pushed, as 01K\n\
             conflict  once  edited on primary  10 B     aaaaaaaaaaaa  a side of what waits for you\n\
             #12       once  u on m             deleted\n\
             stash     once  u on m             10 B     eeeeeeeeeeee  set aside here as 01J\n\
             #10       once  u on m             10 B     dddddddddddd  a side of what that commit settled\n\
             #9        once  u on m             10 B     bbbbbbbbbbbb\n\
             #3        once  u on m             10 B     cccccccccccc  as old.md\n"
        );
    }
}
