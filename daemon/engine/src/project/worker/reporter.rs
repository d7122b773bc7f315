//! What a running job tells, and gathers for its report.
//!
//! A report is only ever added to: what is in it has come about. What it says to
//! wait may be settled since.

use std::collections::{BTreeSet, HashSet};

use mirror_core::{RelPath, Timestamp, Ulid};
use tokio::sync::mpsc;

use super::outcome::{FileOutcome, Outcomes};
use super::status::StatusBoard;
use crate::api::{
    EngineResult, FileFault, FileReport, JobEvent, Notice, NoticeKind, Progress, Report,
};
use crate::packs::{Item, Meter};

/// So many events of a job can always be told, however slow the listener is.
const RESERVED_EVENTS: usize = 8;

/// What a running job tells, and gathers for its report.
pub(crate) struct Reporter {
    events: mpsc::Sender<JobEvent>,
    board: Option<StatusBoard>,
    report: Report,
    /// Paths that wait for a person.
    waiting: BTreeSet<RelPath>,
    /// What the report says already, so that nothing is said twice.
    failed: HashSet<FileFault>,
    stashed: HashSet<(RelPath, Ulid)>,
    pub(crate) dry_run: bool,
    pub(crate) consent: bool,
}

impl Reporter {
    /// Of a job that `events` and everybody who looks at the board follow.
    pub(crate) fn new(
        events: mpsc::Sender<JobEvent>,
        board: StatusBoard,
        dry_run: bool,
        consent: bool,
    ) -> Self {
        Self { board: Some(board), dry_run, consent, ..Self::telling(events) }
    }

    /// For work of the daemon's own, which nobody listens to.
    pub(crate) fn unheard() -> Self {
        Self::telling(mpsc::channel(1).0)
    }

    fn telling(events: mpsc::Sender<JobEvent>) -> Self {
        Self {
            events,
            board: None,
            report: Report::default(),
            waiting: BTreeSet::new(),
            failed: HashSet::new(),
            stashed: HashSet::new(),
            dry_run: false,
            consent: false,
        }
    }

    pub(crate) fn progress(&self, progress: &Progress) {
        tell(&self.events, self.board.as_ref(), progress);
    }

    /// Follows these contents through one phase, byte by byte.
    pub(crate) fn meter(&self, step: &'static str, items: &[Item]) -> Meter {
        let total_bytes = items.iter().map(|item| item.size).sum();
        let phase = Progress { step, total_bytes, ..Progress::default() };
        if items.is_empty() {
            return Meter::silent();
        }
        let (events, board) = (self.events.clone(), self.board.clone());
        Meter::new(phase, move |progress| tell(&events, board.as_ref(), progress))
    }

    pub(crate) fn notice(
        &mut self,
        kind: NoticeKind,
        path: Option<&RelPath>,
        message: String,
        time: Timestamp,
    ) {
        self.report.notices.push(Notice { kind, path: path.cloned(), message, time, stash: None });
    }

    /// Says once where a person finds the version that makes way.
    pub(crate) fn stashed(&mut self, path: &RelPath, id: Ulid, time: Timestamp) {
        self.stashed_for(path, id, time, &format!("{path} had changes that were never pushed"));
    }

    /// The same of a version that makes way for another reason.
    pub(crate) fn stashed_for(&mut self, path: &RelPath, id: Ulid, time: Timestamp, why: &str) {
        if self.stashed.insert((path.clone(), id)) {
            self.report.notices.push(stashed_notice(path, id, time, why));
        }
    }

    pub(crate) fn add_notices(&mut self, notices: Vec<Notice>) {
        self.report.notices.extend(notices);
    }

    /// Adds what became of files; the error that ended it, if any, is the caller's.
    pub(crate) fn add(&mut self, outcomes: Outcomes) -> EngineResult<()> {
        self.add_files(outcomes.files);
        outcomes.ended
    }

    pub(crate) fn add_files(&mut self, files: impl IntoIterator<Item = FileOutcome>) {
        for file in files {
            match file {
                FileOutcome::Done(file) => self.report.files.push(file),
                FileOutcome::Failed(fault) => self.fault(fault),
                FileOutcome::Told(notice) => self.report.notices.push(notice),
            }
        }
    }

    pub(crate) fn file(&mut self, file: FileReport) {
        self.report.files.push(file);
    }

    /// Says it once: the next round of a job may meet it again.
    pub(crate) fn fault(&mut self, fault: FileFault) {
        if self.failed.insert(fault.clone()) {
            self.report.failed.push(fault);
        }
    }

    pub(crate) fn add_faults(&mut self, faults: Vec<FileFault>) {
        for fault in faults {
            self.fault(fault);
        }
    }

    /// Paths that wait for a person.
    pub(crate) fn add_conflicts(&mut self, paths: impl IntoIterator<Item = RelPath>) {
        self.waiting.extend(paths);
    }

    /// Paths that wait until somebody here agrees, as of the last round.
    pub(crate) fn set_held(&mut self, paths: Vec<RelPath>) {
        self.report.held = paths;
    }

    /// What waited was settled by the same job.
    pub(crate) fn no_longer_waits(&mut self, path: &RelPath) {
        self.waiting.remove(path);
        self.report.notices.retain(|notice| {
            notice.kind != NoticeKind::ViewUnsettled || notice.path.as_ref() != Some(path)
        });
    }

    /// The commit stands; said at once.
    pub(crate) fn committed(&mut self, seq: u64, id: Ulid) {
        self.report.commit = Some((seq, id));
        if let Some(board) = &self.board {
            board.committed(seq);
        }
        // Not waited for: a caller that reads nothing must not hold us up.
        let _ = self.events.try_send(JobEvent::Committed { seq, id });
    }

    pub(crate) fn queued(&mut self) {
        self.report.queued = true;
    }

    pub(crate) fn view_pending(&mut self) {
        self.report.view_pending = true;
    }

    pub(crate) fn pull_pending(&mut self) {
        self.report.pull_pending = true;
    }

    pub(crate) fn left_for_later(&mut self) {
        self.report.left_for_later = true;
    }

    pub(crate) fn skipped(&mut self, count: usize) {
        self.report.skipped_count = count;
    }

    pub(crate) fn waiting(&mut self, count: usize) {
        self.report.waiting_count = count;
    }

    pub(crate) fn cancelled(&mut self) {
        self.report.cancelled = true;
    }

    /// All that was told, files by path.
    pub(crate) fn into_report(mut self) -> Report {
        self.report.files.sort_by(|one, other| one.path.cmp(&other.path));
        self.report.dry_run = self.dry_run;
        self.report.conflicts = self.waiting.into_iter().collect();
        self.report
    }
}

/// Says where a version of a person's is now.
pub(crate) fn stashed_notice(path: &RelPath, id: Ulid, time: Timestamp, why: &str) -> Notice {
    let message = format!(
        "{why}; that version went to the stash as {id}: `mirrorctl stash restore {id}` brings it \
         back"
    );
    Notice { kind: NoticeKind::Stashed, path: Some(path.clone()), message, time, stash: Some(id) }
}

/// Progress is dropped rather than waited for when nobody reads it.
fn tell(events: &mpsc::Sender<JobEvent>, board: Option<&StatusBoard>, progress: &Progress) {
    if let Some(board) = board {
        board.progress(progress);
    }
    // Room is left for what matters more.
    if events.capacity() > RESERVED_EVENTS {
        let _ = events.try_send(JobEvent::Progress(progress.clone()));
    }
}
