//! What the session of an agent reads: facts, each on its line, and no more than a model
//! takes in beside its work.
//!
//! Names and messages come from other machines. They are escaped, cut, and never stand
//! where an instruction would.

use std::path::Path;

use mirror_proto::v1::{
    ChangeKind, ChangedBy, CommitChange, CommitSummary, FileNews, FileNewsKind, HookEvent,
    NewsCommit, ProjectNews, Span,
};

use super::history::one_a_file;
use crate::output::escape::{escape, is_hidden};
use crate::shell::quoted;

/// Hosts put longer texts into a file.
const LONGEST: usize = 2_000;

/// So much of it is kept for saying what was left out.
const TAIL: usize = 110;

/// A longer name is cut.
const LONGEST_NAME: usize = 160;

/// A longer message of a commit is cut.
const LONGEST_MESSAGE: usize = 100;

/// So many files of one commit are named.
const MOST_FILES: usize = 8;

/// Empty where there is nothing to say.
pub(crate) fn context(news: &[ProjectNews], event: &HookEvent) -> String {
    let news: Vec<_> = news.iter().filter(|news| has_context(news)).collect();
    let room = LONGEST / news.len().max(1);
    news.into_iter()
        .map(|news| section(news, event, room))
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

/// For the user of a session that is not woken: how much is new, and where it is.
pub(crate) fn hint(news: &[ProjectNews]) -> String {
    let lines = news.iter().filter(|news| news.waiting_count > 0).map(|news| {
        let (count, name) = (news.waiting_count, cut(&escape(&news.project), LONGEST_NAME));
        let changes = if count == 1 { "change" } else { "changes" };
        format!("mirrord: {count} {changes} from elsewhere in {name} (`mirrorctl inbox`)")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn has_context(news: &ProjectNews) -> bool {
    let ProjectNews { commits, earlier, notices, conflicts, files, .. } = news;
    !(commits.is_empty() && notices.is_empty() && conflicts.is_empty() && files.is_empty())
        || earlier.is_some()
}

fn section(news: &ProjectNews, event: &HookEvent, room: usize) -> String {
    let [name, folder] = [&news.project, &news.root].map(|text| cut(&escape(text), LONGEST_NAME));
    let mut text = format!("mirrord, project {name} ({folder}), from other machines:\n");
    for file in &news.files {
        text += &line(&of_file(file, news, event));
    }
    for path in &news.conflicts {
        text += &line(&conflict(path, news, event));
    }
    let mut text = fitting(text, room);
    let mut left: Option<Span> = news.earlier;
    for commit in at_hand_first(news, event) {
        let line = line(&of_commit(commit));
        match fits(&text, &line, room) {
            true => text += &line,
            false => left = Some(with(left, commit.commit.as_ref().map_or(0, |it| it.seq))),
        }
    }
    let mut skipped = 0;
    for notice in &news.notices {
        let line = line(&format!("note: {}", cut(&escape(&notice.message), 2 * LONGEST_NAME)));
        match fits(&text, &line, room) {
            true => text += &line,
            false => skipped += 1,
        }
    }
    text + &left_out(left, skipped)
}

fn line(text: &str) -> String {
    format!("- {text}\n")
}

fn fits(text: &str, line: &str, room: usize) -> bool {
    text.chars().count() + line.chars().count() + TAIL <= room
}

/// What is of single files comes first, and is the last to be cut.
fn fitting(text: String, room: usize) -> String {
    let most = room.saturating_sub(TAIL);
    match text.chars().count() <= most {
        true => text,
        false => {
            let kept: String = text.chars().take(most).collect();
            let whole = kept.rfind('\n').map_or(0, |end| end + 1);
            kept[..whole].to_owned()
        }
    }
}

/// Commits that touch what the event is about come before newer ones.
fn at_hand_first<'a>(news: &'a ProjectNews, event: &HookEvent) -> Vec<&'a NewsCommit> {
    let root = Path::new(&news.root);
    let is_at_hand = |change: &CommitChange| {
        event.files.iter().any(|file| Path::new(file) == root.join(&change.path))
    };
    let touches = |news: &&NewsCommit| {
        news.commit.as_ref().is_some_and(|commit| commit.changes.iter().any(is_at_hand))
    };
    let (first, rest): (Vec<_>, Vec<_>) = news.commits.iter().partition(touches);
    first.into_iter().chain(rest).collect()
}

fn of_commit(news: &NewsCommit) -> String {
    let Some(commit) = &news.commit else { return String::new() };
    let files: Vec<_> = one_a_file(commit).collect();
    let mut changes: Vec<String> =
        files.iter().take(MOST_FILES).map(|change| of_change(change, news)).collect();
    let more = files.len().saturating_sub(MOST_FILES);
    if more > 0 {
        changes.push(format!("and {more} more"));
    }
    let files = match changes.is_empty() {
        true => escape(&commit.action),
        false => changes.join(", "),
    };
    format!("{}: {files}{}", of_author(commit), message(commit))
}

fn of_author(commit: &CommitSummary) -> String {
    format!(
        "#{} by {} on {}, {}",
        commit.seq,
        cut(&escape(&commit.user), 40),
        cut(&escape(&commit.machine), 40),
        minute(&commit.time)
    )
}

fn of_change(change: &CommitChange, news: &NewsCommit) -> String {
    let path = cut(&escape(&change.path), LONGEST_NAME);
    let how = match (change.kind(), &change.from) {
        (ChangeKind::Added, _) => " (new)".to_owned(),
        (ChangeKind::Deleted, _) => " (deleted)".to_owned(),
        (ChangeKind::Renamed, Some(from)) => {
            format!(" (was {})", cut(&escape(from), LONGEST_NAME))
        }
        (
            ChangeKind::Unspecified | ChangeKind::Modified | ChangeKind::Mode | ChangeKind::Renamed,
            _,
        ) => String::new(),
    };
    let is_here = !news.not_here.contains(&change.path);
    format!("{path}{how}{}", if is_here { "" } else { " [not in this folder yet]" })
}

fn message(commit: &CommitSummary) -> String {
    match &commit.message {
        Some(message) => {
            let message = cut(&escape(message), LONGEST_MESSAGE).replace('"', "'");
            format!(" (message: \"{message}\")")
        }
        None => String::new(),
    }
}

fn of_file(file: &FileNews, news: &ProjectNews, event: &HookEvent) -> String {
    let path = cut(&escape(&file.path), LONGEST_NAME);
    let by = file.by.as_ref().map_or_else(String::new, of_maker);
    let typed = typed(&file.path, news, event);
    match file.kind() {
        FileNewsKind::Behind | FileNewsKind::Unspecified => format!(
            "{path}: the project has a newer version{by}, which is not in this folder; \
             `mirrorctl diff{typed}` shows it, `mirrorctl pull{typed}` fetches it"
        ),
        FileNewsKind::DeletedThere => {
            format!("{path} was deleted from the project{by}; it is in this folder still")
        }
        FileNewsKind::Conflict => conflict(&file.path, news, event),
        FileNewsKind::Replaced => {
            let from =
                file.by.as_ref().map_or_else(String::new, |by| format!(" --from {}", by.seq));
            format!(
                "{path}: this write took out lines of the version{by}; `mirrorctl diff{from}{typed}` \
                 shows which"
            )
        }
    }
}

fn of_maker(by: &ChangedBy) -> String {
    let (user, machine) = (cut(&escape(&by.user), 40), cut(&escape(&by.machine), 40));
    format!(" #{} by {user} on {machine}, {}", by.seq, minute(&by.time))
}

fn conflict(path: &str, news: &ProjectNews, event: &HookEvent) -> String {
    let typed = typed(path, news, event);
    let path = cut(&escape(path), LONGEST_NAME);
    format!(
        "{path} was changed here and elsewhere, and waits for a person to decide; \
         `mirrorctl conflict show{typed}` shows both sides"
    )
}

/// A path as a command takes it where the session works; nothing where no command line
/// could show it as it is.
fn typed(path: &str, news: &ProjectNews, event: &HookEvent) -> String {
    let is_plain = !path.chars().any(is_hidden) && path.chars().count() <= LONGEST_NAME;
    let is_at_root = event.folders.first() == Some(&news.root);
    let whole = Path::new(&news.root).join(path);
    match (is_plain, is_at_root) {
        (false, _) => String::new(),
        (true, true) if !path.starts_with('-') => format!(" {}", quoted(path)),
        (true, _) => format!(" {}", quoted(&escape(&whole.to_string_lossy()))),
    }
}

fn left_out(commits: Option<Span>, notices: usize) -> String {
    let commits = commits.map(|span| match span.first == span.last {
        true => format!("commit #{}", span.first),
        false => format!("commits of #{} to #{}", span.first, span.last),
    });
    let notices = (notices > 0).then(|| format!("{notices} notes"));
    let left: Vec<String> = commits.into_iter().chain(notices).collect();
    match left.is_empty() {
        true => String::new(),
        false => {
            line(&format!("besides {}: `mirrorctl log`, `mirrorctl inbox`", left.join(" and ")))
        }
    }
}

fn with(span: Option<Span>, seq: u64) -> Span {
    let (first, last) = span.map_or((seq, seq), |span| (span.first.min(seq), span.last.max(seq)));
    Span { first, last }
}

/// RFC 3339 without what nobody reads.
fn minute(time: &str) -> String {
    match time.is_ascii() && time.len() >= 16 {
        true => format!("{} UTC", escape(&time[..16].replace('T', " "))),
        false => cut(&escape(time), 40),
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.chars().count() <= most {
        true => text.to_owned(),
        false => text.chars().take(most).chain(['…']).collect(),
    }
}
