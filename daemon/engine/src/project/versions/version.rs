//! One version of a file, and where its content stands.

use mirror_core::Kind;

use crate::api::FileVersion;
use crate::packs::Wanted;

/// One version, and how its content is to be had.
pub(crate) struct Version {
    pub(crate) told: FileVersion,
    /// `None` where the file was deleted.
    pub(super) source: Option<Source>,
}

/// A content, and what it is as a file.
pub(super) struct Source {
    pub(super) stands: Stands,
    pub(super) kind: Kind,
    /// `None` where nobody noted it.
    pub(super) exec: Option<bool>,
    /// Whether it was for its owner alone (B14), as far as somebody noted it.
    pub(super) private: bool,
}

/// Where a content stands.
pub(super) enum Stands {
    InPacks(Wanted),
    /// In the data folder, by this name.
    Here(String),
}

impl Version {
    pub(super) fn is_here(&self) -> bool {
        matches!(&self.source, Some(Source { stands: Stands::Here(_), .. }))
    }
}
