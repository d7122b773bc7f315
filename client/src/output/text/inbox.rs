//! `inbox`: what others did, oldest first, and what waits below it.

use mirror_proto::v1::Inbox;

use super::history::entry;
use super::job::told;
use super::{bounded, conflicts};
use crate::output::escape::escape;
use crate::output::paint::Paint;

/// `is_all`: of one of several projects, whose name stands above it.
pub(crate) fn report(inbox: &Inbox, is_all: bool, paint: Paint) -> String {
    let commits: Vec<_> = inbox.commits.iter().map(|commit| entry(commit, paint)).collect();
    let notices = inbox.notices.iter().map(|notice| told(notice, paint)).collect();
    let text = commits.join("\n") + &bounded(notices) + &conflicts(&inbox.conflicts, paint);
    let project =
        if is_all { format!(" --project {}", escape(&inbox.project)) } else { String::new() };
    let rest = match inbox.unread_count {
        0 if text.is_empty() => "nothing new\n".to_owned(),
        0 => String::new(),
        count => format!("{count} more: `mirrorctl{project} inbox` again shows them\n"),
    };
    text + &rest
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{CommitSummary, Notice};

    use super::*;

    #[test]
    fn inbox_says_what_is_new_what_waits_and_that_there_is_more() {
        let inbox = Inbox {
            project: "notes".to_owned(),
            commits: vec![CommitSummary {
                seq: 43,
                time: "once".to_owned(),
                user: "ann".to_owned(),
                machine: "desktop".to_owned(),
                action: "push".to_owned(),
                ..CommitSummary::default()
            }],
            conflicts: vec!["b.md".to_owned()],
            notices: vec![Notice { message: "kept\u{1b}".to_owned(), ..Notice::default() }],
            unread_count: 5,
            ..Inbox::default()
        };
        assert_eq!(
            report(&inbox, true, Paint::PLAIN),
            "#43  once  ann on desktop  push\n  note: kept\\u{1b}\n  changed on both sides, left \
             as it is: b.md\n5 more: `mirrorctl --project notes inbox` again shows them\n"
        );
        assert_eq!(report(&Inbox::default(), false, Paint::PLAIN), "nothing new\n");
    }
}
