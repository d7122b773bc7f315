//! Asks before a job deletes more than a person is likely to have meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::losses::losses;
use super::{Intent, Plan};
use crate::path::RelPath;
use crate::reconcile::Facts;

/// More losses than this need consent, however many files there are.
const MANY: usize = 100;

/// Fewer losses than this need none, as long as other files are left.
const FEW: usize = 5;

/// What the rule on mass deletion (B12) has to know beside the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard<'a> {
    /// The covered files as last agreed on, before any of this job's deletions.
    pub covered: usize,
    /// Losses of the last hour in this project, whatever brought them.
    pub deletions_last_hour: usize,
    pub root: Root,
    /// A person has agreed to this job's deletions.
    pub consent: bool,
    pub agreed: Agreed<'a>,
    /// Losses that wait for a person already: they go with consent alone, however few
    /// they are by now.
    pub waiting: &'a BTreeSet<RelPath>,
}

/// Nothing waits.
pub const NOTHING: &BTreeSet<RelPath> = &BTreeSet::new();

/// Which of the losses that a job would pull were agreed to where they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed<'a> {
    All,
    Only(&'a BTreeSet<RelPath>),
}

impl Agreed<'_> {
    #[must_use]
    pub fn has(&self, path: &RelPath) -> bool {
        match self {
            Self::All => true,
            Self::Only(paths) => paths.contains(path),
        }
    }
}

/// What became of the project's folder since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    Sound,
    Missing,
    /// It is there and holds no covered file.
    Empty,
    OtherDevice,
}

/// A person has to agree before anything at all is done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NeedsConsent {
    /// What would be lost, here or at the head, sorted: neither renamed files nor
    /// those that somebody agreed to.
    pub losses: Vec<RelPath>,
    /// How many of them would be emptied and not deleted.
    pub emptied: usize,
    pub why: Why,
}

impl fmt::Display for NeedsConsent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(out)?;
        match self.emptied {
            0 => Ok(()),
            1 => out.write_str("; one file is emptied and not deleted"),
            emptied => write!(out, "; {emptied} files are emptied and not deleted"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No consent helps: a missing folder says nothing about its files.
    #[error("the project's folder is missing")]
    RootMissing,
    #[error("the project's folder is empty")]
    RootEmpty,
    #[error("the project's folder is on another device than before")]
    RootOnOtherDevice,
    #[error("this would make deletions that wait for a person, {waiting} of them")]
    Waiting { waiting: usize },
    #[error("this would delete all {covered} files")]
    All { covered: usize },
    #[error("this would make {deleted} deletions within an hour, of {covered} files")]
    TooMany { deleted: usize, covered: usize },
}

impl Guard<'_> {
    pub(super) fn check(
        &self,
        plan: &Plan,
        facts: &BTreeMap<RelPath, Facts>,
        intent: Intent,
    ) -> Result<(), NeedsConsent> {
        if self.root == Root::Missing && intent != Intent::Check {
            return Err(NeedsConsent { losses: vec![], emptied: 0, why: Why::RootMissing });
        }
        if self.consent {
            return Ok(());
        }
        let losses = losses(plan, facts);
        let pulled = losses.here.into_iter().filter(|path| !self.agreed.has(path));
        let mut asked: Vec<RelPath> = losses.at_head.into_iter().chain(pulled).collect();
        asked.sort();
        let doubt = self.doubt_of_root(plan, facts, !asked.is_empty());
        let doubt = doubt.or_else(|| self.doubt_of_number(asked.len(), plan));
        match doubt.or_else(|| self.doubt_of_waiting(&asked)) {
            None => Ok(()),
            Some(why) => Err(NeedsConsent { emptied: emptied(&asked, plan), losses: asked, why }),
        }
    }

    /// A folder that lacks files may be a mount point without its disk, or hold
    /// another disk: what is written there goes to the wrong place, and what is
    /// missing was not deleted. One that has them all is the right one, whatever
    /// number its device goes by today.
    fn doubt_of_root(
        &self,
        plan: &Plan,
        facts: &BTreeMap<RelPath, Facts>,
        deletes: bool,
    ) -> Option<Why> {
        let lacks_files = || {
            let vanished = |facts: &Facts| facts.base.state().is_some() && facts.local.is_none();
            plan.changes_files() && facts.values().any(vanished)
        };
        match self.root {
            Root::Sound | Root::Missing => None,
            Root::OtherDevice => (deletes || lacks_files()).then_some(Why::RootOnOtherDevice),
            // A folder that never held anything is empty and sound.
            Root::Empty => lacks_files().then_some(Why::RootEmpty),
        }
    }

    /// They were gone when the folder was empty or another one, or nobody was there to
    /// be asked; that others are back by now says nothing of these.
    fn doubt_of_waiting(&self, asked: &[RelPath]) -> Option<Why> {
        let waiting = asked.iter().filter(|path| self.waiting.contains(*path)).count();
        (waiting > 0).then_some(Why::Waiting { waiting })
    }

    fn doubt_of_number(&self, now: usize, plan: &Plan) -> Option<Why> {
        let covered = self.covered;
        let deleted = now + self.deletions_last_hour;
        // The last of several files that went one by one, with nothing in its place.
        let is_last = || self.deletions_last_hour > 0 && !plan.brings_files();
        if now == 0 {
            None
        } else if now >= covered && (covered >= 2 || is_last()) {
            Some(Why::All { covered })
        } else if deleted > MANY || (deleted >= FEW && deleted * 4 > covered) {
            Some(Why::TooMany { deleted, covered })
        } else {
            None
        }
    }
}

fn emptied(losses: &[RelPath], plan: &Plan) -> usize {
    let sent = plan.sends.iter().filter(|send| send.to.is_some()).map(|send| &send.path);
    let written = sent.chain(plan.fetches.iter().map(|fetch| &fetch.path));
    written.filter(|path| losses.binary_search(path).is_ok()).count()
}

#[cfg(test)]
mod tests;
