//! What a project is asked to do, and how far it has come.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mirror_core::{RelPath, Ulid};

use super::SharedSettings;
use crate::outside::Tree;

/// Which files a job is about: names, folders or globs relative to the
/// project; empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub names: Vec<String>,
}

/// One trip through the cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Push {
        scope: Scope,
        message: Option<String>,
        force_local: bool,
        no_wait: bool,
    },
    Pull {
        scope: Scope,
    },
    Sync {
        scope: Scope,
        message: Option<String>,
        settle: Settle,
    },
    /// Removes files here and at the head in one commit; `keep_local` keeps
    /// them here and ignores them from then on.
    Delete {
        scope: Scope,
        keep_local: bool,
        message: Option<String>,
    },
    /// Removes at the head what is not mirrored here; what stands here stays.
    DeleteIgnored {
        scope: Scope,
        message: Option<String>,
    },
    /// Changes what all machines share.
    ChangeSettings {
        settings: SharedSettings,
    },
    /// Settles one conflict. Refused when a side is no longer what was shown.
    Resolve {
        path: String,
        resolution: Resolution,
        /// As shown; `None`: both sides as they were recorded last.
        token: Option<String>,
        /// Leaves the commit to the next push.
        no_push: bool,
    },
    /// Writes the files of the head below a folder that is not the project.
    Export {
        scope: Scope,
        output: Arc<OutputTree>,
    },
    /// Writes the files of a commit (`None`: the head) over those here, or
    /// below a folder that is not the project.
    Restore {
        scope: Scope,
        from: Option<u64>,
        output: Option<Arc<OutputTree>>,
    },
    /// Writes the version of one file whose SHA-256 begins so over what is here, or
    /// below a folder that is not the project.
    RestoreVersion {
        path: String,
        digits: String,
        output: Option<Arc<OutputTree>>,
    },
    /// Writes a version of the stash back to its path, or below a folder that is not
    /// the project; the beginning of its id is enough.
    RestoreStash {
        id: String,
        output: Option<Arc<OutputTree>>,
    },
    /// Brings versions that were held here, as somebody has agreed to them (B16).
    AcceptHeld(HeldChoice),
    /// Keeps what this machine has instead of what is held; for everyone, by a
    /// commit.
    RejectHeld {
        choice: HeldChoice,
        for_everyone: bool,
    },
    /// What the daemon does by itself: nobody can answer it, and nobody hears its
    /// report (B12, B17).
    Auto(Auto),
}

/// Which held versions somebody decided about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldChoice {
    pub scope: Scope,
    /// How the digest of the version begins that was looked at.
    pub digits: Option<String>,
}

/// What goes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Pull,
    Push,
    Both,
}

/// A job that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auto {
    pub direction: Direction,
    /// So long a file has to have stood still before it is sent.
    pub quiet: Duration,
    pub overdue: Overdue,
}

/// What was waited for long enough: it goes although it still moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Overdue {
    #[default]
    Nothing,
    /// These, and what lies below them.
    Paths(BTreeSet<RelPath>),
    Everything,
}

impl Overdue {
    pub(crate) fn has(&self, path: &RelPath) -> bool {
        match self {
            Self::Nothing => false,
            Self::Paths(paths) => {
                paths.contains(path) || path.ancestors().any(|above| paths.contains(above))
            }
            Self::Everything => true,
        }
    }
}

impl Job {
    /// Whether somebody reads its report.
    pub(crate) fn is_heard(&self) -> bool {
        !matches!(self, Self::Auto(_) | Self::ChangeSettings { .. })
    }

    /// Whether it writes into a folder that is not the project, and only reads here.
    #[must_use]
    pub fn writes_elsewhere(&self) -> bool {
        matches!(
            self,
            Self::Export { .. }
                | Self::Restore { output: Some(_), .. }
                | Self::RestoreVersion { output: Some(_), .. }
                | Self::RestoreStash { output: Some(_), .. }
        )
    }

    /// Whether it brings back what this machine may have, and commits nothing: a
    /// person may ask for that also where nothing else is written (L7).
    #[must_use]
    pub fn brings_back(&self) -> bool {
        matches!(
            self,
            Self::Restore { output: Some(_), .. }
                | Self::RestoreVersion { .. }
                | Self::RestoreStash { .. }
        )
    }
}

/// Where [`Job::Export`] and [`Job::Restore`] write.
pub struct OutputTree(pub Arc<dyn Tree>);

impl std::fmt::Debug for OutputTree {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OutputTree")
    }
}

impl PartialEq for OutputTree {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OutputTree {}

/// A job with what holds for any job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRequest {
    pub job: Job,
    pub dry_run: bool,
    /// A person agreed to the deletions this job brings.
    pub consent: bool,
}

/// What becomes of files that changed on both sides and don't merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Settle {
    /// They wait for a person.
    #[default]
    Wait,
    KeepLocal,
    KeepRemote,
}

/// How a person or an agent settles one conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// These very bytes are the result.
    Merged(Bytes),
    /// This folder's version.
    Local,
    /// The other side's.
    Remote,
    /// The side of that name: `here`, or what the other is called.
    Side(String),
}

/// How far a job has come. The steps are `hash pack upload commit view download write`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub step: &'static str,
    pub done_files: u64,
    pub total_files: u64,
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// The job that runs in a project, for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobProgress {
    pub kind: &'static str,
    /// The last commit that it has made.
    pub commit: Option<u64>,
    pub progress: Progress,
}

/// What became of a job that somebody else asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    pub kind: &'static str,
    /// `None`: nothing was committed.
    pub commit: Option<u64>,
}

/// What a project takes of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// By path; the files at the root come first, under `""`.
    pub folders: Vec<CoveredFolder>,
    /// What `exclude` says, for who wonders what is missing.
    pub exclude: Vec<String>,
}

/// A folder at the root, with what is taken of all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredFolder {
    pub path: String,
    pub files: u64,
    pub bytes: u64,
}

/// What a caller hears while a job runs.
#[derive(Clone, Debug)]
pub enum JobEvent {
    Progress(Progress),
    /// Of a set-up, before the project is made.
    Covered(Covered),
    /// The commit stands: it is safe and visible to other machines.
    Committed {
        seq: u64,
        id: Ulid,
    },
}
