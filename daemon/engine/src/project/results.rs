//! Writing here what settled paths have become.
//!
//! A result that a commit of ours brings is written once that commit stands
//! (B4); one that the head has already, once the local version is kept.

use mirror_core::commit::Strategy;
use mirror_core::plan::{Fetch, Send};
use mirror_core::reconcile::Sighted;

use super::faults::changed_meanwhile;
use super::merging::Settlement;
use super::outgoing::{Held, Outgoing};
use super::worker::{Telling, Worker};
use crate::api::{EngineResult, FileReport};

impl Worker {
    /// Writes here what the head has already; the local version goes to the
    /// stash first, as no commit keeps it.
    pub(super) async fn land_arriving(
        &mut self,
        settlement: &mut Settlement,
        reason: &'static str,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let (mut stashed, arriving) = (Vec::new(), std::mem::take(&mut settlement.arriving));
        // Read once, as there may be many of both.
        let kept = if arriving.is_empty() { Vec::new() } else { self.stash().await? };
        for fetch in arriving {
            let expected = fetch.expected_local.expect("both sides have a file");
            match self.stash_beside(&kept, &fetch.path, expected, reason).await? {
                Some(id) => {
                    // A merge at the head has what this version brought.
                    if settlement.ways[&fetch.path].strategy == Strategy::KeepRemote {
                        self.tell_stashed(&fetch.path, id, telling);
                    }
                    stashed.push(fetch);
                }
                None => telling.report.failed.push(changed_meanwhile(&fetch.path)),
            }
        }
        self.land_results(settlement, stashed, telling).await
    }

    /// Writes the results that were appended (B4).
    pub(super) async fn land_merged(
        &mut self,
        settlement: &Settlement,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        for (digest, held) in &settlement.held {
            if let Held::Bytes(bytes) = held {
                self.fetcher.cache.keep(vec![(*digest, bytes.clone())]).await;
            }
        }
        let (seq, mut results) = (self.log.head(), Vec::new());
        for Outgoing { send: Send { path, .. }, .. } in &settlement.outgoing {
            telling.report.files.retain(|file| file.path != *path);
            let way = &settlement.ways[path];
            if way.before == way.after {
                let (path, action) = (path.clone(), way.action());
                telling.report.files.push(FileReport { path, action, from: None });
                continue;
            }
            results.push(Fetch {
                path: path.clone(),
                remote: Sighted { state: way.after, seq },
                expected_local: Some(way.before),
                replaces: None,
            });
        }
        self.land_results(settlement, results, telling).await
    }

    async fn land_results(
        &mut self,
        settlement: &Settlement,
        results: Vec<Fetch>,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let known = telling.report.files.len();
        self.land(Vec::new(), results, telling).await?;
        for file in &mut telling.report.files[known..] {
            file.action = settlement.ways[&file.path].action();
        }
        Ok(())
    }
}
