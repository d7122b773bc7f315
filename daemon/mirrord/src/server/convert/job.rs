//! Jobs: what happens on the way, and how they end.

use std::path::Path;

use mirror_engine::{
    Covered, CoveredFolder, FileAction, FileReport, JobEvent, Notice, NoticeKind, Progress, Report,
};
use mirror_proto::v1;

use super::fault::failed_file;
use crate::folders::with_tilde;
use crate::projects::SetUpOutcome;
use crate::server::job::running::Known;

/// What can be said of a job by a stream of its own.
pub(in crate::server) trait JobStream: Send + 'static {
    fn begun(id: String) -> Self;

    /// How a job ended that goes on without its client.
    fn cut_off(known: Known) -> Self;
}

impl JobStream for v1::JobEvent {
    fn begun(id: String) -> Self {
        Self { event: Some(v1::job_event::Event::Begun(v1::JobBegun { id })) }
    }

    fn cut_off(known: Known) -> Self {
        let finished = v1::JobFinished {
            project: known.project,
            commit: known.committed,
            cancelled: true,
            ..v1::JobFinished::default()
        };
        Self { event: Some(v1::job_event::Event::Finished(finished)) }
    }
}

impl JobStream for v1::SetUpEvent {
    fn begun(id: String) -> Self {
        Self { event: Some(v1::set_up_event::Event::Begun(v1::JobBegun { id })) }
    }

    fn cut_off(known: Known) -> Self {
        let project = known.project;
        let finished =
            v1::SetUpFinished { project, cancelled: true, ..v1::SetUpFinished::default() };
        Self { event: Some(v1::set_up_event::Event::Finished(finished)) }
    }
}

pub(in crate::server) fn job_event(event: JobEvent) -> v1::JobEvent {
    let event = match event {
        JobEvent::Progress(so_far) => v1::job_event::Event::Progress(progress(&so_far)),
        // Told of set-ups alone.
        JobEvent::Covered(_) => return v1::JobEvent::default(),
        JobEvent::Committed { seq, id } => {
            v1::job_event::Event::Committed(v1::Committed { seq, id: id.to_string() })
        }
    };
    v1::JobEvent { event: Some(event) }
}

pub(in crate::server) fn progress(progress: &Progress) -> v1::Progress {
    v1::Progress {
        step: progress.step.to_owned(),
        done_file_count: progress.done_files,
        total_file_count: progress.total_files,
        done_bytes: progress.done_bytes,
        total_bytes: progress.total_bytes,
    }
}

pub(in crate::server) fn job_finished(
    project: &str,
    report: &Report,
    home: &Path,
) -> v1::JobFinished {
    let commit = report.commit.as_ref();
    v1::JobFinished {
        project: project.to_owned(),
        commit: commit.map(|(seq, id)| v1::Committed { seq: *seq, id: id.to_string() }),
        files: report.files.iter().map(file_change).collect(),
        conflicts: paths(report),
        failed: report.failed.iter().map(|fault| failed_file(fault, home)).collect(),
        queued: report.queued,
        view_pending: report.view_pending,
        pull_pending: report.pull_pending,
        dry_run: report.dry_run,
        notices: report.notices.iter().map(|one| notice(one, home)).collect(),
        cancelled: report.cancelled,
        skipped_count: report.skipped_count as u64,
        waiting_count: report.waiting_count as u64,
        held: report.held.iter().map(|path| path.as_str().to_owned()).collect(),
    }
}

pub(in crate::server) fn set_up_finished(outcome: &SetUpOutcome, home: &Path) -> v1::SetUpFinished {
    let report = &outcome.report;
    v1::SetUpFinished {
        project: outcome.config.name.clone(),
        project_id: outcome.project_id.clone(),
        root: outcome.config.root.display().to_string(),
        url: outcome.config.url.to_string(),
        joined: outcome.joined,
        commit: outcome.head,
        fetched_file_count: count(report, |action| action == FileAction::Fetched),
        sent_file_count: count(report, |action| action == FileAction::Sent),
        already_there: outcome.already_there,
        shared_mode: outcome.shared_mode.word().to_owned(),
        conflicts: paths(report),
        failed: report.failed.iter().map(|fault| failed_file(fault, home)).collect(),
        cancelled: report.cancelled,
        covered: outcome.covered.as_ref().map(covered),
        notices: report.notices.iter().map(|one| notice(one, home)).collect(),
        held: report.held.iter().map(|path| path.as_str().to_owned()).collect(),
    }
}

pub(in crate::server) fn covered(found: &Covered) -> v1::Covered {
    let folder = |folder: &CoveredFolder| v1::CoveredFolder {
        path: folder.path.clone(),
        file_count: folder.files,
        size_bytes: folder.bytes,
    };
    v1::Covered {
        folders: found.folders.iter().map(folder).collect(),
        exclude: found.exclude.clone(),
    }
}

fn count(report: &Report, wanted: impl Fn(FileAction) -> bool) -> u64 {
    report.files.iter().filter(|file| wanted(file.action)).count() as u64
}

fn paths(report: &Report) -> Vec<String> {
    report.conflicts.iter().map(|path| path.as_str().to_owned()).collect()
}

fn file_change(file: &FileReport) -> v1::FileChange {
    v1::FileChange {
        path: file.path.as_str().to_owned(),
        action: file_action(file.action).into(),
        from: file.from.as_ref().map(|from| from.as_str().to_owned()),
    }
}

fn file_action(action: FileAction) -> v1::FileAction {
    match action {
        FileAction::Sent => v1::FileAction::Sent,
        FileAction::Fetched => v1::FileAction::Fetched,
        FileAction::Merged => v1::FileAction::Merged,
        FileAction::DeletedRemote => v1::FileAction::DeletedRemote,
        FileAction::DeletedLocal => v1::FileAction::DeletedLocal,
        FileAction::Adopted => v1::FileAction::Adopted,
        FileAction::Renamed => v1::FileAction::Renamed,
        FileAction::Restored => v1::FileAction::Restored,
    }
}

pub(in crate::server) fn notice(notice: &Notice, home: &Path) -> v1::Notice {
    v1::Notice {
        kind: notice_kind(notice.kind).into(),
        path: notice.path.as_ref().map(|path| path.as_str().to_owned()),
        backend: None,
        message: with_tilde(&notice.message, home),
        time: notice.time.to_string(),
        stash_id: notice.stash.map(|id| id.to_string()),
    }
}

fn notice_kind(kind: NoticeKind) -> v1::NoticeKind {
    match kind {
        NoticeKind::EditBeatDeletion => v1::NoticeKind::EditBeatDeletion,
        NoticeKind::ViewReverted => v1::NoticeKind::ViewReverted,
        NoticeKind::ViewUnsettled => v1::NoticeKind::ViewUnsettled,
        NoticeKind::AlteredContent => v1::NoticeKind::AlteredContent,
        NoticeKind::KeptUnknown => v1::NoticeKind::KeptUnknown,
        NoticeKind::VoidEntry => v1::NoticeKind::VoidEntry,
        NoticeKind::ContentGivenAgain => v1::NoticeKind::ContentGivenAgain,
        NoticeKind::DroppedPushArrived => v1::NoticeKind::DroppedPushArrived,
        NoticeKind::LinkLeftOut => v1::NoticeKind::LinkLeftOut,
        NoticeKind::ViewUnreadable => v1::NoticeKind::ViewUnreadable,
        NoticeKind::NotSent => v1::NoticeKind::NotSent,
        NoticeKind::Stashed => v1::NoticeKind::Stashed,
        NoticeKind::DeletionsWait => v1::NoticeKind::DeletionsWait,
        NoticeKind::LeftAlone => v1::NoticeKind::LeftAlone,
        NoticeKind::ConsentNeeded => v1::NoticeKind::ConsentNeeded,
        NoticeKind::IndexOverlong => v1::NoticeKind::IndexOverlong,
        NoticeKind::Held => v1::NoticeKind::Held,
    }
}
