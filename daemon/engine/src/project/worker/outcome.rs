//! What became of files, in the order in which it came about.

use mirror_core::RelPath;

use crate::api::{EngineResult, FileAction, FileFault, FileReport, Notice};

/// What became of one file.
#[derive(Clone, Debug)]
pub(crate) enum FileOutcome {
    Done(FileReport),
    Failed(FileFault),
    /// Said besides: that this machine leaves it out for good, where a version is now.
    Told(Notice),
}

impl FileOutcome {
    pub(crate) fn done(path: &RelPath, action: FileAction) -> Self {
        Self::Done(FileReport { path: path.clone(), action, from: None })
    }

    /// The file that was dealt with, if it was.
    pub(crate) fn file(&self) -> Option<&FileReport> {
        match self {
            Self::Done(file) => Some(file),
            Self::Failed(_) | Self::Told(_) => None,
        }
    }

    pub(crate) fn into_notice(self) -> Option<Notice> {
        match self {
            Self::Told(notice) => Some(notice),
            Self::Done(_) | Self::Failed(_) => None,
        }
    }

    /// The same under the name of what it was done for.
    #[must_use]
    pub(crate) fn told_as(self, action: impl FnOnce(&RelPath) -> FileAction) -> Self {
        match self {
            Self::Done(file) => {
                Self::Done(FileReport { action: action(&file.path), from: None, ..file })
            }
            other @ (Self::Failed(_) | Self::Told(_)) => other,
        }
    }
}

/// What some steps came to, also where an error ended them early.
#[must_use]
pub(crate) struct Outcomes {
    pub(crate) files: Vec<FileOutcome>,
    pub(crate) ended: EngineResult<()>,
}

impl Outcomes {
    /// Of files that all have the same place in what is told.
    pub(crate) fn told_as(self, action: impl Fn(&RelPath) -> FileAction) -> Self {
        let files = self.files.into_iter().map(|file| file.told_as(&action)).collect();
        Self { files, ended: self.ended }
    }

    /// Keeps the outcomes in `all`, and tells whether to go on.
    pub(crate) fn keep_in(self, all: &mut Vec<FileOutcome>) -> EngineResult<()> {
        all.extend(self.files);
        self.ended
    }
}
