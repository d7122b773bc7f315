//! What is remembered of the view between two looks at it.
//!
//! In memory alone: whatever is lost here is looked at again.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::{Digest, RelPath, Timestamp};
use mirror_storage::Revision;

use crate::view::machines::{DamagedContent, MachineFile, MachineFiles, Writing};

/// What stood at a place that needs a second look; `None` for nothing.
pub(crate) type Standing = Option<Digest>;

/// What the last looks found that needs another, by place, and when it was
/// first found so.
pub(crate) type Pending = BTreeMap<String, (Standing, Timestamp)>;

/// What is known of the machines' files.
#[derive(Default)]
pub(crate) struct Machines {
    /// This machine's own file has been read since the project was opened.
    pub(crate) recognised: bool,
    /// What it says, as far as this run wrote or read it.
    pub(crate) own: Option<MachineFile>,
    /// Where it was left by a write that is known to be done.
    pub(crate) left_at: Option<Revision>,
    /// What machines said they were writing before this one's pass began.
    pub(crate) noted: Vec<Writing>,
    /// Every machine's file as it was read last.
    pub(crate) read: MachineFiles,
    /// What others said they found damaged, where it lies now (P8).
    pub(crate) damaged: BTreeSet<DamagedContent>,
    /// What of it was looked at and is whole.
    pub(crate) found_whole: BTreeSet<DamagedContent>,
    /// Where files of the view stood that other machines have moved aside.
    pub(crate) aside_elsewhere: BTreeSet<RelPath>,
}
