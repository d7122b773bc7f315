//! Deleting files here and at the head in one commit.

mod ignored;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use mirror_core::commit::Action;
use mirror_core::plan::{Agreed, Fetch, Guard, Intent, NOTHING, Removal, Root, Selection, Send};
use mirror_core::reconcile::{Facts, Sighted, Verdict, decide};
use mirror_core::{Digest, Kind, RelPath, State};

use crate::api::{EngineResult, FileFault, Scope};
use crate::error::EngineError;
use crate::packs::Content;
use crate::project::checkout::Edit;
use crate::project::commit::append::report_of_send;
use crate::project::commit::draft::Draft;
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::plan::report::report_of_removal;
use crate::project::rules::IgnoreFile;
use crate::project::worker::Worker;
use crate::project::worker::outcome::FileOutcome;
use crate::project::worker::reporter::Reporter;

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
        let selection = self.begin_deletion(scope, reporter).await?;
        let (root, _) = self.observe_disk().await?;
        let mut facts = self.facts();
        facts.extend(self.unmounted_facts());
        if let Err(unknown) = selection.check(facts.keys()) {
            return Err(self.why_unknown(unknown).await);
        }
        let chosen = choose(&facts, &selection, reporter);
        let is_named = is_each_named(&chosen, scope);
        let removals = self.agree(&facts, &chosen, root, is_named, reporter)?;
        if chosen.is_empty() {
            return Ok(());
        }
        if reporter.dry_run {
            let there = self.deletions_of(&chosen);
            for send in &there {
                reporter.file(report_of_send(send));
            }
            let here = removals.into_iter().filter(|_| !keep_local);
            for removal in here {
                reporter.file(report_of_removal(&removal));
            }
            return Ok(());
        }
        let before = if keep_local { Some(self.text_of_rules().await?) } else { None };
        let agreed = self.seqs_of(&chosen);
        let deletion = |with_ignore_file| Deletion {
            chosen: &chosen,
            agreed,
            with_ignore_file,
            message,
            is_named,
        };
        let committed = match &before {
            Some(before) => match self.ignore(before, &chosen, reporter).await {
                Ok(()) => self.commit_deletions(deletion(true), reporter).await,
                Err(error) => Err(error),
            },
            None => self.commit_deletions(deletion(false), reporter).await,
        };
        if let (Err(_), Some(before)) = (&committed, before) {
            // Nothing was deleted, so nothing is ignored either.
            self.write_ignore_file(before, reporter).await?;
        }
        committed?;
        if !keep_local {
            let landed = self.land(removals, Vec::new(), reporter).await;
            reporter.add(landed)?;
        }
        self.finish_view(false, reporter).await
    }

    /// The log to its head, and what the names say by then.
    pub(crate) async fn begin_deletion(
        &mut self,
        scope: &Scope,
        reporter: &mut Reporter,
    ) -> EngineResult<Selection> {
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
        Ok(self.selection_of(&scope.names).await)
    }

    /// Asks for consent as for any deletions (B12), unless each file was named:
    /// that is consent. Gives the local removals.
    fn agree(
        &mut self,
        facts: &BTreeMap<RelPath, Facts>,
        chosen: &BTreeSet<RelPath>,
        root: Root,
        is_named: bool,
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
            consent: reporter.consent || is_named,
            agreed: Agreed::All,
            waiting: NOTHING,
        };
        let selection = Selection::exactly(chosen);
        self.plan_with_consent(&after, Intent::Push, &selection, &guard, reporter)?;
        Ok(removals)
    }

    pub(crate) fn deletions_of(&self, chosen: &BTreeSet<RelPath>) -> Vec<Send> {
        let manifest = self.log.history().manifest();
        let deletion = |path: &RelPath| {
            let from = manifest.get(path)?.entry.sha256;
            Some(Send { path: path.clone(), from: Some(from), to: None, renamed_from: None })
        };
        chosen.iter().filter_map(deletion).collect()
    }

    pub(crate) async fn commit_deletions(
        &mut self,
        mut deletion: Deletion<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let files = until_won(self, reporter, &mut deletion).await?;
        reporter.add_files(files.into_iter().flatten());
        Ok(())
    }

    /// The commits that set the chosen paths, as the head has them.
    pub(crate) fn seqs_of(&self, chosen: &BTreeSet<RelPath>) -> Vec<Option<u64>> {
        let manifest = self.log.history().manifest();
        chosen.iter().map(|path| manifest.get(path).map(|placed| placed.seq)).collect()
    }

    fn send_of_ignore_file(&self) -> EngineResult<Send> {
        let path = self.file_of_rules();
        let to = self.index.get(&path).map(|indexed| indexed.state);
        let from = self.log.history().manifest().get(&path).map(|placed| placed.entry.sha256);
        let base = self.facts().get(&path).and_then(|facts| facts.base.state());
        if base.map(|base| base.digest) != from {
            let what = format!("{path} was changed elsewhere; pull it first");
            return Err(EngineError::Usage(what));
        }
        Ok(Send { path, from, to, renamed_from: None })
    }

    /// What the ignore file says, which is to say more.
    async fn text_of_rules(&self) -> EngineResult<String> {
        match self.read_ignore_file().await? {
            IgnoreFile::Rules { text, .. } => Ok(text),
            IgnoreFile::Unusable(_) => {
                let fault = self.fault_of_rules();
                Err(EngineError::Usage(fault.map(|fault| fault.message).unwrap_or_default()))
            }
        }
    }

    /// Adds the paths to the ignore file, which had this text before.
    async fn ignore(
        &mut self,
        before: &str,
        chosen: &BTreeSet<RelPath>,
        reporter: &Reporter,
    ) -> EngineResult<()> {
        let mut text = before.to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        for path in chosen {
            text.push_str(&ignore_line(path));
        }
        self.write_ignore_file(text, reporter).await?;
        self.observe_disk().await.map(drop)
    }

    /// Brings the ignore file to this text, and says nothing of it: it is a part
    /// of the deletion. One that is nobody's goes when it has no text.
    async fn write_ignore_file(&mut self, text: String, reporter: &Reporter) -> EngineResult<()> {
        // Also by a job that was cancelled: it must not be left half-said.
        let _shield = self.parts.outside.interrupt.shield();
        let path = self.file_of_rules();
        let local = self.index.get(&path).map(|indexed| indexed.state);
        let base = self.state.bases().get(&path).cloned();
        let is_there = !text.is_empty() || base.is_some();
        let landed = if is_there {
            let digest = Digest::of(text.as_bytes());
            let exec = local.is_some_and(|local| local.exec);
            let remote =
                Sighted { state: State { kind: Kind::File, digest, exec }, seq: self.log.head() };
            let fetch = Fetch { path, remote, expected_local: local, replaces: None };
            let content = Content::Bytes(text.into());
            self.land_edits(vec![Edit { fetch, content, base, private: false }]).await
        } else if let Some(expected) = local {
            self.land(vec![Removal { path, expected }], Vec::new(), reporter).await
        } else {
            return Ok(());
        };
        landed.ended?;
        let why = landed.files.into_iter().find_map(|file| match file {
            FileOutcome::Done(_) | FileOutcome::Told(_) => None,
            FileOutcome::Failed(fault) => Some(fault.message),
        });
        let name = self.file_of_rules();
        why.map_or(Ok(()), |why| {
            Err(EngineError::Usage(format!("{name} could not be written: {why}")))
        })
    }
}

/// Whether a person wrote the name of each of these files: that is consent (B12).
pub(crate) fn is_each_named(chosen: &BTreeSet<RelPath>, scope: &Scope) -> bool {
    let names: BTreeSet<&str> = scope.names.iter().map(String::as_str).collect();
    chosen.iter().all(|path| names.contains(path.as_str()))
}

/// A deletion on its way into the log.
pub(crate) struct Deletion<'a> {
    pub(crate) chosen: &'a BTreeSet<RelPath>,
    /// The commits that set the paths when a person agreed to delete them.
    pub(crate) agreed: Vec<Option<u64>>,
    pub(crate) with_ignore_file: bool,
    pub(crate) message: Option<String>,
    /// A person named each file.
    pub(crate) is_named: bool,
}

#[async_trait]
impl Drafter for Deletion<'_> {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        _reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        // An edit beats a deletion: what moved meanwhile is looked at again.
        if worker.seqs_of(self.chosen) != self.agreed {
            let what = "a file was changed elsewhere meanwhile; pull it first".to_owned();
            return Err(EngineError::Usage(what));
        }
        let mut sends = worker.deletions_of(self.chosen);
        if self.with_ignore_file {
            sends.push(worker.send_of_ignore_file()?);
        }
        let outgoing = sends.into_iter().map(|send| worker.outgoing(send)).collect();
        let is_named = self.is_named;
        let losses = if is_named { 0 } else { self.chosen.len() };
        Ok(Some(Draft {
            outgoing,
            losses,
            is_named,
            ..Draft::of(Action::Delete, self.message.clone())
        }))
    }

    async fn changed(
        &mut self,
        worker: &mut Worker,
        _paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        worker.observe_disk().await.map(drop)
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
            Some((why, hint)) => reporter.fault(FileFault {
                path: path.as_str().to_owned(),
                class: mirror_storage::FaultClass::Rejected,
                message: format!("{path} {why}"),
                hint: Some(hint.to_owned()),
            }),
        }
    }
    chosen
}
