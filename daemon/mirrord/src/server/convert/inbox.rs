//! What a reader has not dealt with, and what it has.

use std::path::Path;

use mirror_core::readers::{Read, Spans};
use mirror_engine::Inbox;
use mirror_proto::v1;

use super::fault::project_fault;
use super::history::commit_summary;
use super::job::notice;

pub(in crate::server) fn inbox(project: &str, inbox: &Inbox, home: &Path) -> v1::Inbox {
    v1::Inbox {
        project: project.to_owned(),
        reader: inbox.reader.clone(),
        commits: inbox.events.iter().map(commit_summary).collect(),
        conflicts: inbox.conflicts.iter().map(|path| path.as_str().to_owned()).collect(),
        notices: inbox.notices.iter().map(|one| notice(one, home)).collect(),
        unread_count: inbox.unread,
        shown: Some(mark(&inbox.shown)),
        fault: inbox.fault.as_ref().map(|fault| project_fault(fault, home)),
    }
}

fn mark(read: &Read) -> v1::ReadMark {
    let spans =
        |spans: &Spans| spans.ranges().map(|(first, last)| v1::Span { first, last }).collect();
    v1::ReadMark { commits: spans(&read.commits), notices: spans(&read.notices) }
}

/// As a client hands it back.
pub(in crate::server) fn read_of(mark: v1::ReadMark) -> Read {
    let spans = |spans: Vec<v1::Span>| {
        Spans::from(spans.into_iter().map(|span| (span.first, span.last)).collect::<Vec<_>>())
    };
    Read { commits: spans(mark.commits), notices: spans(mark.notices) }
}
