//! `watch`: one event after the other.

use mirror_proto::v1::watch_event::Event;
use mirror_proto::v1::{CommitSummary, Fault, ProjectState, WatchEvent};

use super::history;
use crate::dates;
use crate::output::escape::escape;
use crate::output::paint::Paint;
use crate::output::words;

/// So many files of a commit have room on its line.
const MOST: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What each commit changed, too.
    Whole,
    /// One line an event.
    Line,
}

/// What `--quiet` leaves out: it is over in a moment, or nobody has to do anything.
pub(crate) fn is_passing(event: &WatchEvent) -> bool {
    matches!(event.event, Some(Event::State(_)))
}

pub(crate) fn event(
    told: &WatchEvent,
    detail: Detail,
    names_project: bool,
    paint: Paint,
) -> String {
    let project = match names_project {
        true => format!("{}  ", paint.bold(&escape(&told.project))),
        false => String::new(),
    };
    let time = paint.dim(&escape(&dates::local(&told.time)));
    let (what, more) = match &told.event {
        Some(Event::Commit(commit)) => match detail {
            Detail::Whole => (head(commit, paint), history::changes(commit, paint)),
            Detail::Line => (head(commit, paint) + &files(commit), String::new()),
        },
        Some(other) => (words_of(other, told.over, paint), String::new()),
        None => return String::new(),
    };
    format!("{time}  {project}{what}\n{more}")
}

fn words_of(event: &Event, is_over: bool, paint: Paint) -> String {
    match event {
        Event::Notice(told) => {
            let message = told.notice.as_ref().map(|notice| escape(&notice.message));
            paint.cyan(&message.unwrap_or_default())
        }
        Event::Conflict(path) if is_over => format!("settled: {}", escape(path)),
        Event::Conflict(path) => {
            let words = format!("conflict: {} changed on both sides and waits", escape(path));
            paint.yellow(&words)
        }
        Event::Held(path) if is_over => format!("held no more: {}", escape(path)),
        Event::Held(path) => {
            let words = format!("held: {} waits until you agree to it", escape(path));
            paint.yellow(&words)
        }
        Event::Fault(_) if is_over => "all is well again".to_owned(),
        Event::Fault(fault) => paint.red(&wrong(fault)),
        Event::State(state) => {
            let state = ProjectState::try_from(*state).unwrap_or_default();
            format!("is {}", words::project_state(state))
        }
        Event::Commit(_) | Event::Begun(_) => String::new(),
    }
}

fn wrong(fault: &Fault) -> String {
    match &fault.hint {
        Some(hint) => format!("{} ({})", escape(&fault.message), escape(hint)),
        None => escape(&fault.message),
    }
}

fn head(commit: &CommitSummary, paint: Paint) -> String {
    let seq = paint.yellow(&format!("#{}", commit.seq));
    let [user, machine, action] =
        [&commit.user, &commit.machine, &commit.action].map(|it| escape(it));
    let message = commit.message.as_ref().map(|it| format!(": {}", escape(it)));
    format!("{seq}  {user} on {machine}  {action}{}", message.unwrap_or_default())
}

/// The first of them, and how many more there are.
fn files(commit: &CommitSummary) -> String {
    let paths: Vec<_> = commit.changes.iter().take(MOST).map(|it| escape(&it.path)).collect();
    let more = commit.changes.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match paths.is_empty() {
        true => String::new(),
        false => format!("  {}{more}", paths.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{ChangeKind, CommitChange};

    use super::*;

    fn said(over: bool, what: Event, detail: Detail) -> String {
        let told = WatchEvent {
            project: "notes".to_owned(),
            time: "once".to_owned(),
            over,
            event: Some(what),
        };
        event(&told, detail, true, Paint::PLAIN)
    }

    fn commit() -> Event {
        let change = |number| CommitChange {
            path: format!("{number}\u{1b}.md"),
            kind: ChangeKind::Modified.into(),
            ..CommitChange::default()
        };
        Event::Commit(CommitSummary {
            seq: 43,
            user: "ann".to_owned(),
            machine: "desk".to_owned(),
            action: "push".to_owned(),
            changes: (1..=5).map(change).collect(),
            ..CommitSummary::default()
        })
    }

    #[test]
    fn commit_has_its_files_on_the_line_or_below_it_and_does_no_harm() {
        assert_eq!(
            said(false, commit(), Detail::Line),
            "once  notes  #43  ann on desk  push  1\\u{1b}.md, 2\\u{1b}.md, 3\\u{1b}.md and 2 more\n"
        );
        let whole = said(false, commit(), Detail::Whole);
        assert!(whole.contains("push\n  M 1\\u{1b}.md\n") && whole.lines().count() == 6, "{whole}");
    }

    #[test]
    fn what_waits_and_what_is_over_read_otherwise() {
        let path = || Event::Conflict("a\u{1b}.md".to_owned());
        assert!(said(false, path(), Detail::Line).contains("conflict: a\\u{1b}.md"));
        assert!(said(true, path(), Detail::Line).contains("settled: a\\u{1b}.md"));
        let fault = Fault { message: "gone\u{1b}".to_owned(), ..Fault::default() };
        assert!(said(false, Event::Fault(fault), Detail::Line).contains("gone\\u{1b}"));
        assert!(said(true, Event::Fault(Fault::default()), Detail::Line).contains("well again"));
    }
}
