//! Files that change while they are read, over the rounds of one job.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;

use crate::api::FileFault;
use crate::error::EngineError;
use crate::project::worker::READS;
use crate::project::worker::faults::fault;

/// What one job has tried to read in vain.
#[derive(Default)]
pub(crate) struct Rereads {
    reads: BTreeMap<RelPath, usize>,
    /// Paths that this job leaves alone, as they never stand still.
    pub(crate) given_up: BTreeSet<RelPath>,
    pub(crate) failed: Vec<FileFault>,
}

impl Rereads {
    /// Gives a path up for this job after it changed under so many reads, or
    /// could not be read.
    pub(crate) fn count(&mut self, (path, error): (RelPath, Option<EngineError>)) {
        let reads = self.reads.entry(path.clone()).or_insert(0);
        *reads += 1;
        if let Some(error) = error {
            self.failed.push(fault(&path, &error));
            self.given_up.insert(path);
        } else if *reads >= READS {
            self.given_up.insert(path);
        }
    }
}
