//! Writing here what settled paths have become.
//!
//! A result that a commit of ours brings is written once that commit stands
//! (B4); one that the head has already, once the local version is kept.

use mirror_core::plan::{Fetch, Send};
use mirror_core::reconcile::Sighted;

use crate::api::EngineResult;
use crate::data::stash::StashedCopies;
use crate::project::commit::draft::{ContentSource, Outgoing};
use crate::project::merge::Resolutions;
use crate::project::worker::Worker;
use crate::project::worker::faults::changed_meanwhile;
use crate::project::worker::outcome::{FileOutcome, Outcomes};
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Writes here what the head has already; the local version goes to the
    /// stash first, as no commit keeps it.
    pub(crate) async fn land_arriving(
        &mut self,
        resolutions: &mut Resolutions,
        reason: &'static str,
        reporter: &mut Reporter,
    ) -> Outcomes {
        let mut files = Vec::new();
        let stashed = match self.stash_replaced(resolutions, reason, &mut files, reporter).await {
            Ok(stashed) => stashed,
            Err(error) => return Outcomes { files, ended: Err(error) },
        };
        let landed = self.land_results(resolutions, stashed, reporter).await;
        files.extend(landed.files);
        Outcomes { files, ended: landed.ended }
    }

    /// Gives what may be written, as its local version is kept.
    async fn stash_replaced(
        &mut self,
        resolutions: &mut Resolutions,
        reason: &'static str,
        files: &mut Vec<FileOutcome>,
        reporter: &mut Reporter,
    ) -> EngineResult<Vec<Fetch>> {
        let (mut stashed, arriving) = (Vec::new(), std::mem::take(&mut resolutions.arriving));
        // Read once, as there may be many of both.
        let kept = if arriving.is_empty() { StashedCopies::default() } else { self.kept().await? };
        for fetch in arriving {
            let expected = fetch.expected_local.expect("both sides have a file");
            match self.stash_beside(&kept, &fetch.path, expected, reason).await? {
                Some(id) => {
                    self.tell_stashed(&fetch.path, id, reporter);
                    stashed.push(fetch);
                }
                None => files.push(FileOutcome::Failed(changed_meanwhile(&fetch.path))),
            }
        }
        Ok(stashed)
    }

    /// Writes the results that were appended (B4).
    pub(crate) async fn land_merged(
        &mut self,
        resolutions: &Resolutions,
        reporter: &Reporter,
    ) -> Outcomes {
        for (digest, held) in &resolutions.held {
            if let ContentSource::Bytes(bytes) = held {
                self.fetcher.cache.keep(vec![(*digest, bytes.clone())]).await;
            }
        }
        let (seq, mut results, mut files) = (self.log.head(), Vec::new(), Vec::new());
        for Outgoing { send: Send { path, .. }, .. } in &resolutions.outgoing {
            let way = &resolutions.replacements[path];
            if way.before == way.after {
                files.push(FileOutcome::done(path, way.action()));
                continue;
            }
            results.push(Fetch {
                path: path.clone(),
                remote: Sighted { state: way.after, seq },
                expected_local: Some(way.before),
                replaces: None,
            });
        }
        let landed = self.land_results(resolutions, results, reporter).await;
        files.extend(landed.files);
        Outcomes { files, ended: landed.ended }
    }

    async fn land_results(
        &mut self,
        resolutions: &Resolutions,
        results: Vec<Fetch>,
        reporter: &Reporter,
    ) -> Outcomes {
        let landed = self.land(Vec::new(), results, reporter).await;
        landed.told_as(|path| resolutions.replacements[path].action())
    }
}
