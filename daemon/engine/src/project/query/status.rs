//! Comparing this machine with the head, changing nothing.

use std::collections::BTreeMap;
use std::iter::Peekable;

use mirror_core::RelPath;
use mirror_core::plan::Root;
use mirror_core::reconcile::{Facts, FileState, Verdict, decide};

use super::look::Look;
use crate::api::{EngineResult, FileStatus, ProjectFault, SkipReason, Skipped, StatusReport};
use crate::project::worker::Worker;

impl Worker {
    /// How things stand, by what a look at the backend found. What is wrong is told
    /// of, not failed on.
    pub(crate) async fn status(&mut self, look: Look) -> EngineResult<StatusReport> {
        let was_asked = !matches!(look, Look::Offline);
        let fault = self.learn(look).await;
        let offline = !was_asked || fault.is_some();
        let (root, _) = self.observe_disk().await?;
        let is_there = root != Root::Missing;
        // Of files that can't be seen nothing is said, not even what was seen last.
        let facts = if is_there { self.all_facts() } else { BTreeMap::new() };
        self.drop_settled(root, &facts).await;
        let mut report = StatusReport {
            head: self.log.head(),
            read_up_to: if is_there { self.read_up_to(&facts) } else { 0 },
            checked_at: self.checked_at(),
            offline,
            fault: fault.or_else(|| (!is_there).then(|| self.fault_of_root())),
            files_known: is_there,
            phase: self.phase(),
            job: None,
            bytes_up: 0,
            bytes_down: 0,
            files: Vec::with_capacity(facts.len()),
            queue: self.queue.work.iter().chain(&self.queued_view).cloned().collect(),
            skipped: if is_there { self.skipped() } else { Vec::new() },
            waiting_deletions: self.waiting_losses(&facts),
        };
        if is_there {
            self.add_files(&facts, &mut report);
            self.count_outside_conflicts(&mut report.files);
        }
        self.save(false).await?;
        Ok(report)
    }

    pub(crate) fn has_waiting_losses(&self, facts: &BTreeMap<RelPath, Facts>) -> bool {
        !self.waiting_losses(facts).is_empty()
    }

    fn fault_of_root(&self) -> ProjectFault {
        ProjectFault::of(&self.root_is_missing())
    }

    fn add_files(&self, facts: &BTreeMap<RelPath, Facts>, report: &mut StatusReport) {
        let held = self.held(facts);
        // Side by side: to look each path up is what a status would wait for.
        let mut here = Along::new(self.index.entries().iter());
        let mut there = Along::new(self.log.history().manifest().iter());
        for (path, facts) in facts {
            let local_size = here.at(path).map(|indexed| indexed.stamp.size);
            let remote_size = there.at(path).map(|placed| placed.entry.size);
            let mut file = self.file_status(path, facts, (local_size, remote_size));
            file.held = held.is_coming(path);
            match decide(facts) {
                Verdict::Send => report.bytes_up += file.size,
                Verdict::Fetch if !file.held => report.bytes_down += file.size,
                _ => {}
            }
            report.files.push(file);
        }
    }

    /// An edit of the view that waits is a conflict of its path, whatever the
    /// working tree has there.
    fn count_outside_conflicts(&self, files: &mut Vec<FileStatus>) {
        let mut others = BTreeMap::new();
        for waiting in self.outside_statuses() {
            match files.binary_search_by(|file| file.path.cmp(&waiting.path)) {
                Ok(found) => files[found].state = FileState::Conflict,
                Err(_) => drop(others.insert(waiting.path.clone(), waiting)),
            }
        }
        files.extend(others.into_values());
        files.sort_by(|one, other| one.path.cmp(&other.path));
    }

    fn file_status(
        &self,
        path: &RelPath,
        facts: &Facts,
        (local_size, remote_size): (Option<u64>, Option<u64>),
    ) -> FileStatus {
        let size = match decide(facts) {
            Verdict::Fetch => remote_size.or(local_size),
            _ => local_size.or(remote_size),
        };
        FileStatus {
            path: path.clone(),
            state: self.state_of(path, facts),
            base: facts.base.state().map(|state| state.digest),
            local: facts.local.map(|state| state.digest).filter(|_| !self.index.is_unread(path)),
            remote: facts.remote.map(|remote| remote.state.digest),
            size: size.unwrap_or(0),
            held: false,
        }
    }

    /// The newest commit whose changes all stand in the working tree.
    fn read_up_to(&self, facts: &BTreeMap<RelPath, Facts>) -> u64 {
        let missing = self.not_here(facts).into_values().min();
        missing.map_or(self.log.head(), |seq| seq - 1)
    }

    /// What the head has and the working tree has not, by path: the commit that
    /// brought it.
    pub(crate) fn not_here(&self, facts: &BTreeMap<RelPath, Facts>) -> BTreeMap<RelPath, u64> {
        let is_behind = |facts: &Facts| {
            matches!(decide(facts), Verdict::Fetch | Verdict::FetchDeletion | Verdict::Diverged)
        };
        let behind = facts.iter().filter(|(_, facts)| is_behind(facts));
        let brought = |path: &RelPath, facts: &Facts| match facts.remote {
            Some(version) => Some(version.seq),
            // The end of a deleted path's newest version is its deletion.
            None => Some(self.log.history().past_of(path).next()?.until),
        };
        behind.filter_map(|(path, facts)| Some((path.clone(), brought(path, facts)?))).collect()
    }

    /// What isn't mirrored though a pattern covers it, and why.
    pub(crate) fn skipped(&self) -> Vec<Skipped> {
        let manifest = self.log.history().manifest();
        let twins = self.index.twins(|path| manifest.contains_key(path));
        let clash = |path: RelPath| Skipped {
            path: path.as_str().to_owned(),
            reason: SkipReason::NameClash,
        };
        let mut skipped: Vec<Skipped> = self.index.skipped().cloned().collect();
        skipped.extend(twins.into_iter().map(clash));
        if let Some(unusable) = &self.rules_unusable {
            // Whatever else is said of that name, this matters more.
            skipped.retain(|skip| skip.path != unusable.file.as_str());
            let (path, reason) = (unusable.file.as_str().to_owned(), SkipReason::RulesUnusable);
            skipped.push(Skipped { path, reason });
        }
        let is_left_out = |(path, seq): &(&RelPath, &u64)| {
            let placed = manifest.get(*path).is_some_and(|placed| placed.seq == **seq);
            placed && self.index.get(path).is_none()
        };
        let left_out = self.state.refused().iter().filter(is_left_out).map(|(path, _)| Skipped {
            path: path.as_str().to_owned(),
            reason: SkipReason::SymlinkOutside,
        });
        skipped.extend(left_out);
        skipped.sort();
        skipped
    }
}

/// Goes along a sorted map in the order of its keys.
struct Along<I: Iterator>(Peekable<I>);

impl<'a, T: 'a, I: Iterator<Item = (&'a RelPath, &'a T)>> Along<I> {
    fn new(entries: I) -> Self {
        Self(entries.peekable())
    }

    /// What stands at a path that comes after those asked for before.
    fn at(&mut self, path: &RelPath) -> Option<&'a T> {
        while self.0.next_if(|(at, _)| *at < path).is_some() {}
        self.0.next_if(|(at, _)| *at == path).map(|(_, value)| value)
    }
}
