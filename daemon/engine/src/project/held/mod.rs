//! What others may make this machine run waits until somebody here agrees (B16).
//!
//! A version that was sent from here, or chosen here by name, was agreed to by that:
//! who made a commit is never believed, as anybody can write any name into one.

use std::collections::BTreeMap;

use mirror_core::plan::news;
use mirror_core::reconcile::{Facts, Sighted, Verdict, decide};
use mirror_core::{Kind, RelPath, State};

use crate::api::{EngineResult, HeldFile, NoticeKind};
use crate::data::agreements::Said;
use crate::planted;
use crate::planted::Rule;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

/// The paths whose version at the head waits, by path.
#[derive(Debug, Default)]
pub(crate) struct Held(BTreeMap<RelPath, Waiting>);

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    /// The version that waits.
    pub(crate) remote: Sighted,
    /// What this machine keeps instead.
    pub(crate) local: Option<State>,
    /// Both sides changed: it waits as a conflict.
    is_diverged: bool,
    /// Somebody here has said no.
    pub(crate) is_refused: bool,
}

impl Held {
    pub(crate) fn has(&self, path: &RelPath) -> bool {
        self.0.contains_key(path)
    }

    /// Whether it would come here.
    pub(crate) fn is_coming(&self, path: &RelPath) -> bool {
        self.0.get(path).is_some_and(|waiting| !waiting.is_diverged)
    }

    /// Those that would come here.
    pub(crate) fn coming(&self) -> impl Iterator<Item = (&RelPath, &Waiting)> {
        self.0.iter().filter(|(_, waiting)| !waiting.is_diverged)
    }

    /// Those that nobody has decided about.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&RelPath, &Waiting)> {
        self.coming().filter(|(_, waiting)| !waiting.is_refused)
    }
}

impl Worker {
    pub(crate) fn held(&self, facts: &BTreeMap<RelPath, Facts>) -> Held {
        let waiting = facts.iter().filter_map(|(path, facts)| {
            let remote = news(facts).filter(|it| self.is_to_be_held(path, it.state))?;
            let is_diverged = decide(facts) == Verdict::Diverged;
            let is_refused = self.agreements.has(Said::Refused, path, remote.state);
            let waiting = Waiting { remote, local: facts.local, is_diverged, is_refused };
            Some((path.clone(), waiting))
        });
        Held(waiting.collect())
    }

    /// Whether a version may only be written here once somebody has agreed to it.
    pub(crate) fn is_to_be_held(&self, path: &RelPath, state: State) -> bool {
        self.spec.hold
            && planted::stands(Rule::B16)
            && self.coverage.as_ref().is_some_and(|coverage| coverage.runs_code(path))
            && !self.agreements.has(Said::Agreed, path, state)
    }

    /// Somebody here chose these versions, or sent them.
    pub(crate) async fn agree_to(&mut self, versions: Vec<(RelPath, State)>) -> EngineResult<()> {
        self.say(Said::Agreed, versions).await
    }

    /// Keeps what is said, of versions that would be held if nothing were.
    pub(crate) async fn say(
        &mut self,
        said: Said,
        mut versions: Vec<(RelPath, State)>,
    ) -> EngineResult<()> {
        let Some(coverage) = self.coverage.clone() else { return Ok(()) };
        versions.retain(|(path, _)| coverage.runs_code(path));
        let place = (&self.parts.data, &self.parts.outside);
        Ok(self.agreements.say(said, versions, place).await?)
    }

    /// Names what waits to those who don't read a job's report, each version once.
    pub(crate) async fn tell_held(&mut self, held: &Held, reporter: &mut Reporter) {
        let is_news = |(path, waiting): &(&RelPath, &Waiting)| {
            !self.agreements.has(Said::Told, path, waiting.remote.state)
        };
        let news: Vec<_> = held.open().filter(is_news).collect();
        for (path, _) in &news {
            let message = format!(
                "{path} can make an agent run programs, and was changed elsewhere: it is held, and \
                 `mirrorctl held show {path}` shows it"
            );
            reporter.notice(NoticeKind::Held, Some(path), message, self.now());
        }
        let told = news.into_iter().map(|(path, waiting)| (path.clone(), waiting.remote.state));
        let told = told.collect();
        if let Err(error) = self.say(Said::Told, told).await {
            tracing::warn!(%error, "what is held will be told of again");
        }
    }

    /// What waits, with who made it.
    pub(crate) async fn held_files(&self, held: &Held) -> EngineResult<Vec<HeldFile>> {
        let mut files = Vec::new();
        for (path, waiting) in held.coming() {
            let Sighted { state, seq } = waiting.remote;
            let commit = self.log.entry(seq).await?.commit;
            let made_by = commit.as_ref().map(|it| (it.user.clone(), it.machine.clone()));
            let (user, machine) = made_by.unwrap_or_default();
            files.push(HeldFile {
                path: path.clone(),
                seq,
                user,
                machine,
                sha256: state.digest,
                is_link: state.kind == Kind::Link,
                refused: waiting.is_refused,
            });
        }
        Ok(files)
    }
}
