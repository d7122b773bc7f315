//! Counting what is lost by what is pulled (B12).

use std::collections::BTreeSet;

use mirror_core::RelPath;
use mirror_core::plan::{Fetch, Removal};

use crate::project::worker::Worker;
use crate::project::worker::outcome::{FileOutcome, Outcomes};
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Carries out what is pulled and counts what was lost by it: all before it
    /// begins, so that a crash forgets none, and in the end what came about.
    pub(crate) async fn land_counted(
        &mut self,
        deletions: Vec<Removal>,
        fetches: Vec<Fetch>,
        losses: &BTreeSet<RelPath>,
        reporter: &Reporter,
    ) -> Outcomes {
        let before = self.recent_deletions();
        self.count_or_clear(losses.len(), reporter.consent);
        let landed = self.land(deletions, fetches, reporter).await;
        if !reporter.consent {
            let files = landed.files.iter().filter_map(FileOutcome::file);
            let lost = files.filter(|file| losses.contains(&file.path)).count();
            self.state.set_deletions(before);
            self.count_deletions(lost);
        }
        landed
    }
}
