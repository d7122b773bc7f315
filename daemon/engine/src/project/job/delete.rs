//! Deleting files here and at the head in one commit.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::commit::Action;
use mirror_core::patterns::IGNORE_FILE;
use mirror_core::plan::{Fetch, Guard, Intent, Removal, Root, Selection, Send};
use mirror_core::reconcile::{Facts, Sighted, Verdict, decide};
use mirror_core::{Digest, Kind, RelPath, State};

use crate::api::{EngineResult, FileFault, Scope};
use crate::error::EngineError;
use crate::packs::Content;
use crate::project::commit::append::{CommitOutcome, CommitProgress, report_of_send};
use crate::project::commit::draft::Draft;
use crate::project::plan::report::report_of_removal;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

/// A lost race is progress of somebody else; so many in a row are a fault.
const MOST_TRIES: usize = 1_000;

impl Worker {
    /// Like `git rm`: refuses a file whose local or newer remote version would
    /// be lost sight of.
    pub(crate) async fn delete(
        &mut self,
        scope: &Scope,
        keep_local: bool,
        message: Option<String>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        if scope.names.is_empty() {
            return Err(EngineError::Usage("name the files to delete".to_owned()));
        }
        self.recover_attempt(Some(&mut *reporter)).await?;
        self.catch_up().await?;
        self.recognise().await?;
        if !reporter.dry_run {
            // What was pushed before comes before.
            self.send_queue(reporter).await?;
        }
        let (root, _) = self.observe_disk().await?;
        let selection = Selection::of(&scope.names);
        let facts = self.facts();
        selection.check(facts.keys()).map_err(|error| EngineError::UnknownPaths(error.0))?;
        let chosen = choose(&facts, &selection, reporter);
        let removals = self.agree(&facts, &chosen, root, reporter)?;
        if chosen.is_empty() {
            return Ok(());
        }
        if reporter.dry_run {
            reporter.report.files = self.deletions_of(&chosen).iter().map(report_of_send).collect();
            let here = removals.into_iter().filter(|_| !keep_local);
            reporter.report.files.extend(here.map(|removal| report_of_removal(&removal)));
            return Ok(());
        }
        let ignored = if keep_local { Some(self.ignore(&chosen, reporter).await?) } else { None };
        let committed = self.commit_deletions(&chosen, ignored.is_some(), message, reporter).await;
        if let (Err(_), Some(before)) = (&committed, ignored) {
            // Nothing was deleted, so nothing is ignored either.
            self.write_ignore_file(before, reporter).await?;
        }
        committed?;
        if !keep_local {
            let counted = self.state.deletions().to_vec();
            self.land(removals, Vec::new(), reporter).await?;
            self.state.set_deletions(counted);
        }
        self.finish_view(false, reporter).await
    }

    /// Asks for consent as for any deletions (B12); gives the local removals.
    fn agree(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
        chosen: &BTreeSet<RelPath>,
        root: Root,
        reporter: &mut Reporter,
    ) -> EngineResult<Vec<Removal>> {
        let mut after = facts.clone();
        let mut removals = Vec::new();
        for path in chosen {
            let facts = after.get_mut(path).expect("chosen among these facts");
            if let Some(expected) = facts.local.take() {
                removals.push(Removal { path: path.clone(), expected });
            }
        }
        let guard = Guard {
            covered: facts.values().filter(|facts| facts.base.state().is_some()).count(),
            deletions_last_hour: self.recent_deletions().len(),
            root,
            consent: reporter.consent,
            commits_carry_consent: true,
        };
        let names: Vec<&str> = chosen.iter().map(RelPath::as_str).collect();
        let selection = Selection::of(&names);
        self.plan_with_consent(&after, Intent::Push, &selection, &guard, reporter)?;
        Ok(removals)
    }

    fn deletions_of(&self, chosen: &BTreeSet<RelPath>) -> Vec<Send> {
        let manifest = self.log.history().manifest();
        let deletion = |path: &RelPath| {
            let from = manifest.get(path)?.entry.sha256;
            Some(Send { path: path.clone(), from: Some(from), to: None, renamed_from: None })
        };
        chosen.iter().filter_map(deletion).collect()
    }

    async fn commit_deletions(
        &mut self,
        chosen: &BTreeSet<RelPath>,
        with_ignore_file: bool,
        message: Option<String>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let seqs = |worker: &Self| -> Vec<Option<u64>> {
            let manifest = worker.log.history().manifest();
            chosen.iter().map(|path| manifest.get(path).map(|placed| placed.seq)).collect()
        };
        let agreed = seqs(self);
        let mut progress = CommitProgress::default();
        for _ in 0..MOST_TRIES {
            let mut sends = self.deletions_of(chosen);
            if with_ignore_file {
                sends.push(self.send_of_ignore_file()?);
            }
            let outgoing = sends.into_iter().map(|send| self.outgoing(send)).collect();
            let draft = Draft { outgoing, ..Draft::of(Action::Delete, message.clone()) };
            match self.try_commit(&draft, &mut progress, reporter).await? {
                CommitOutcome::Won | CommitOutcome::Nothing => return Ok(()),
                CommitOutcome::Lost => drop(self.catch_up().await?),
                CommitOutcome::Changed(_) => drop(self.observe_disk().await?),
            }
            // An edit beats a deletion: what moved meanwhile is looked at again.
            if seqs(self) != agreed {
                let what = "a file was changed elsewhere meanwhile; pull it first".to_owned();
                return Err(EngineError::Usage(what));
            }
        }
        Err(EngineError::Internal("the head moved on at every try".to_owned()))
    }

    fn send_of_ignore_file(&self) -> EngineResult<Send> {
        let path = RelPath::new(IGNORE_FILE).expect("our own name is allowed");
        let to = self.index.get(&path).map(|indexed| indexed.state);
        let from = self.log.history().manifest().get(&path).map(|placed| placed.entry.sha256);
        let base = self.facts().get(&path).and_then(|facts| facts.base.state());
        if base.map(|base| base.digest) != from {
            let what = format!("{IGNORE_FILE} was changed elsewhere; pull it first");
            return Err(EngineError::Usage(what));
        }
        Ok(Send { path, from, to, renamed_from: None })
    }

    /// Adds the paths to the ignore file; gives the text it had.
    async fn ignore(
        &mut self,
        chosen: &BTreeSet<RelPath>,
        reporter: &mut Reporter,
    ) -> EngineResult<String> {
        let before = self.read_ignore_file().await?;
        let mut text = before.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        for path in chosen {
            text.push_str(&ignore_line(path));
        }
        self.write_ignore_file(text, reporter).await?;
        self.observe_disk().await?;
        Ok(before)
    }

    /// Brings the ignore file to this text, and says nothing of it: it is a part
    /// of the deletion. One that is nobody's goes when it has no text.
    async fn write_ignore_file(
        &mut self,
        text: String,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let path = RelPath::new(IGNORE_FILE).expect("our own name is allowed");
        let local = self.index.get(&path).map(|indexed| indexed.state);
        let (files, counted) = (reporter.report.files.len(), self.state.deletions().to_vec());
        let base = self.state.bases().get(&path).cloned();
        let is_there = !text.is_empty() || base.is_some();
        if is_there {
            let digest = Digest::of(text.as_bytes());
            let exec = local.is_some_and(|local| local.exec);
            let remote =
                Sighted { state: State { kind: Kind::File, digest, exec }, seq: self.log.head() };
            let edit = Fetch { path, remote, expected_local: local, replaces: None };
            self.land_edit(edit, Content::Bytes(text.into()), base, reporter).await?;
        } else if let Some(expected) = local {
            self.land(vec![Removal { path, expected }], Vec::new(), reporter).await?;
            self.state.set_deletions(counted);
        }
        let is_done = reporter.report.files.len() > files || !is_there && local.is_none();
        reporter.report.files.truncate(files);
        if is_done {
            return Ok(());
        }
        let why = reporter.report.failed.pop().map(|fault| fault.message).unwrap_or_default();
        Err(EngineError::Usage(format!("{IGNORE_FILE} could not be written: {why}")))
    }
}

/// A line of gitignore that means this one path.
fn ignore_line(path: &RelPath) -> String {
    let mut line = String::from("/");
    for letter in path.as_str().chars() {
        if matches!(letter, '*' | '?' | '[' | '\\') {
            line.push('\\');
        }
        line.push(letter);
    }
    if line.ends_with(' ') {
        line.insert(line.len() - 1, '\\');
    }
    line.push('\n');
    line
}

/// The paths that may go; the others are named with the reason.
fn choose(
    facts: &BTreeMap<RelPath, Facts>,
    selection: &Selection,
    reporter: &mut Reporter,
) -> BTreeSet<RelPath> {
    let mut chosen = BTreeSet::new();
    for (path, facts) in facts.iter().filter(|(path, _)| selection.matches(path)) {
        let remote = facts.remote.map(|remote| remote.state);
        let refused = match (facts.local, remote) {
            (_, None) => Some(("is not at the head yet", "remove it here, or push it first")),
            (local, remote) if local == remote => None,
            (None, _) if decide(facts) == Verdict::SendDeletion => None,
            (Some(_), _) if facts.local != facts.base.state() => {
                Some(("has changes that are not pushed", "push them first"))
            }
            _ => Some(("was changed elsewhere", "pull it first")),
        };
        match refused {
            None => drop(chosen.insert(path.clone())),
            Some((why, hint)) => reporter.report.failed.push(FileFault {
                path: path.as_str().to_owned(),
                class: mirror_storage::FaultClass::Rejected,
                message: format!("{path} {why}"),
                hint: Some(hint.to_owned()),
            }),
        }
    }
    chosen
}
