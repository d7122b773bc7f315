//! Status and differences.

use std::collections::BTreeSet;
use std::path::Path;

use mirror_core::Digest;
use mirror_core::reconcile::FileState;
use mirror_engine::{
    FileDiff, FileStatus, JobProgress, Phase, QueuedKind, QueuedWork, SkipReason, StatusReport,
};
use mirror_proto::v1;

use super::fault::{file_fault, project_fault};
use crate::backends::PRIMARY;
use crate::config::{AutoMode, ProjectConfig};
use crate::folders::with_tilde;
use crate::projects::View;

/// How a project stands. One that a person paused still runs what it is asked for.
pub(in crate::server) fn project_state(
    phase: &Phase,
    config: Option<&ProjectConfig>,
) -> v1::ProjectState {
    match phase {
        Phase::Idle if is_paused(config) => v1::ProjectState::Paused,
        Phase::Idle => v1::ProjectState::Idle,
        Phase::Busy(_) => v1::ProjectState::Busy,
        Phase::Stopped { .. } => v1::ProjectState::Stopped,
    }
}

/// The same where deletions may wait for a person.
pub(in crate::server) fn standing(
    phase: &Phase,
    config: Option<&ProjectConfig>,
    deletions_wait: bool,
) -> v1::ProjectState {
    // A person's own jobs ask by themselves.
    let asks = config.is_some_and(|config| config.auto.mode() != AutoMode::Off);
    match project_state(phase, config) {
        v1::ProjectState::Idle if asks && deletions_wait => v1::ProjectState::Consent,
        state => state,
    }
}

/// The same of one that is listed among others, some of which wait for a person.
pub(in crate::server) fn listed_state(view: &View, waiting: &BTreeSet<String>) -> v1::ProjectState {
    match project_state(&view.phase, view.config.as_ref()) {
        v1::ProjectState::Idle if waiting.contains(&view.name) => v1::ProjectState::Consent,
        state => state,
    }
}

/// Why one that is listed does less than it could.
pub(in crate::server) fn listed_reason(
    view: &View,
    waiting: &BTreeSet<String>,
    home: &Path,
) -> Option<String> {
    match listed_state(view, waiting) {
        v1::ProjectState::Consent => {
            Some("deletions wait for you, `mirrorctl sync` asks for them".to_owned())
        }
        _ => state_reason(&view.phase, view.config.as_ref(), home),
    }
}

fn is_paused(config: Option<&ProjectConfig>) -> bool {
    config.is_some_and(|config| config.auto.is_paused)
}

/// Why it does nothing by itself, or nothing at all.
pub(in crate::server) fn state_reason(
    phase: &Phase,
    config: Option<&ProjectConfig>,
    home: &Path,
) -> Option<String> {
    match phase {
        Phase::Idle if is_paused(config) => Some("`mirrorctl resume` ends that".to_owned()),
        phase => stop_reason(phase, home),
    }
}

fn stop_reason(phase: &Phase, home: &Path) -> Option<String> {
    match phase {
        Phase::Idle | Phase::Busy(_) => None,
        Phase::Stopped { reason, .. } => Some(with_tilde(reason, home)),
    }
}

pub(in crate::server) fn status_report(
    config: &ProjectConfig,
    report: &StatusReport,
    leave_out_in_sync: bool,
    home: &Path,
) -> v1::StatusReport {
    let is_listed = |file: &&FileStatus| !leave_out_in_sync || file.state != FileState::InSync;
    let files: Vec<_> = report.files.iter().filter(is_listed).map(file_status).collect();
    // A person's own jobs ask by themselves.
    let waiting = match config.auto.mode() {
        AutoMode::Off => &[][..],
        _ => &report.waiting_deletions[..],
    };
    let state = match project_state(&report.phase, Some(config)) {
        v1::ProjectState::Idle if !waiting.is_empty() => v1::ProjectState::Consent,
        state => state,
    };
    v1::StatusReport {
        project: config.name.clone(),
        root: config.root.display().to_string(),
        backend: PRIMARY.to_owned(),
        head: report.head,
        read_up_to: report.read_up_to,
        checked_at: report.checked_at.map(|time| time.to_string()),
        offline: report.offline,
        state: state.into(),
        reason: state_reason(&report.phase, Some(config), home),
        waiting_deletions: waiting.iter().map(|path| path.as_str().to_owned()).collect(),
        auto: config.auto.mode().word().to_owned(),
        bytes_up: report.bytes_up,
        bytes_down: report.bytes_down,
        in_sync_count: (report.files.len() - files.len()) as u64,
        files,
        queue: report.queue.iter().map(|queued| queued_work(queued, home)).collect(),
        skipped: report
            .skipped
            .iter()
            .map(|skipped| v1::SkippedFile {
                path: skipped.path.clone(),
                reason: skip_reason(skipped.reason).into(),
            })
            .collect(),
        job: report.job.as_ref().map(job_progress),
        fault: report.fault.as_ref().map(|fault| project_fault(fault, home)),
        files_unknown: !report.files_known,
    }
}

fn job_progress(job: &JobProgress) -> v1::JobProgress {
    let so_far = &job.progress;
    v1::JobProgress {
        kind: job.kind.to_owned(),
        phase: so_far.step.to_owned(),
        done_file_count: so_far.done_files,
        total_file_count: so_far.total_files,
        done_bytes: so_far.done_bytes,
        total_bytes: so_far.total_bytes,
    }
}

/// What is known of a project that doesn't run, and of which this machine has read
/// nothing, or can't look at it.
pub(in crate::server) fn closed_report(view: &View, home: &Path) -> v1::StatusReport {
    let config = view.config.as_ref();
    let told = v1::StatusReport {
        project: view.name.clone(),
        root: config.map(|config| config.root.display().to_string()).unwrap_or_default(),
        backend: PRIMARY.to_owned(),
        files_unknown: true,
        ..v1::StatusReport::default()
    };
    of_closed(told, view, home)
}

/// The same with why it doesn't run: that comes before anything else that is wrong.
pub(in crate::server) fn of_closed(
    told: v1::StatusReport,
    view: &View,
    home: &Path,
) -> v1::StatusReport {
    let config = view.config.as_ref();
    let fault = view.fault.as_ref().map(|fault| project_fault(fault, home));
    v1::StatusReport {
        offline: true,
        state: project_state(&view.phase, config).into(),
        reason: state_reason(&view.phase, config, home),
        auto: config.map(|config| config.auto.mode().word().to_owned()).unwrap_or_default(),
        fault: fault.or(told.fault),
        ..told
    }
}

fn file_status(file: &FileStatus) -> v1::FileStatus {
    let shown = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
    v1::FileStatus {
        path: file.path.as_str().to_owned(),
        state: file_state(file.state).into(),
        base: shown(file.base),
        local: shown(file.local),
        remote: shown(file.remote),
        size_bytes: file.size,
        held: file.held,
    }
}

pub(in crate::server) fn file_diff(file: &FileDiff, home: &Path) -> v1::FileDiff {
    v1::FileDiff {
        path: file.path.as_str().to_owned(),
        state: file_state(file.state).into(),
        binary: file.binary,
        unified: file.unified.clone(),
        fault: file.fault.as_ref().map(|fault| file_fault(fault, home)),
        from: file.from.clone(),
        to: file.to.clone(),
    }
}

fn file_state(state: FileState) -> v1::FileState {
    match state {
        FileState::InSync => v1::FileState::InSync,
        FileState::LocalAhead => v1::FileState::LocalAhead,
        FileState::RemoteAhead => v1::FileState::RemoteAhead,
        FileState::Diverged => v1::FileState::Diverged,
        FileState::Conflict => v1::FileState::Conflict,
        FileState::NewLocal => v1::FileState::NewLocal,
        FileState::NewRemote => v1::FileState::NewRemote,
        FileState::DeletedLocal => v1::FileState::DeletedLocal,
        FileState::DeletedRemote => v1::FileState::DeletedRemote,
    }
}

pub(in crate::server) fn queued_work(queued: &QueuedWork, home: &Path) -> v1::QueuedWork {
    v1::QueuedWork {
        backend: PRIMARY.to_owned(),
        kind: queued_kind(queued.kind).into(),
        since: queued.since.to_string(),
        attempt_count: queued.attempts,
        next_at: queued.next_at.to_string(),
        fault: Some(file_fault(&queued.fault, home)),
    }
}

fn queued_kind(kind: QueuedKind) -> v1::QueuedKind {
    match kind {
        QueuedKind::Push => v1::QueuedKind::Push,
        QueuedKind::View => v1::QueuedKind::View,
    }
}

fn skip_reason(reason: SkipReason) -> v1::SkipReason {
    match reason {
        SkipReason::NotUtf8 => v1::SkipReason::NotUtf8,
        SkipReason::NameNotAllowed => v1::SkipReason::NameNotAllowed,
        SkipReason::Unreadable => v1::SkipReason::Unreadable,
        SkipReason::SymlinkOutside => v1::SkipReason::SymlinkOutside,
        SkipReason::NameClash => v1::SkipReason::NameClash,
        SkipReason::SpecialFile => v1::SkipReason::SpecialFile,
        SkipReason::RulesUnusable => v1::SkipReason::RulesUnusable,
        SkipReason::Own => v1::SkipReason::Own,
        SkipReason::NotMounted => v1::SkipReason::NotMounted,
    }
}
