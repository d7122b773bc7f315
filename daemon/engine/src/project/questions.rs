//! What a project is asked without anything being changed.

use std::time::Duration;

use mirror_core::Timestamp;

use super::Project;
use super::mailbox::Message;
use super::query::held::HeldQuestion;
use super::query::look::{Look, no_answer};
use super::versions::path_of;
use crate::api::{
    Conflict, ConflictDetail, DiffQuery, EngineResult, FileDiff, FileVersion, HeldDetail, HeldFile,
    Known, LogPage, LogQuery, Phase, QueueReport, Scope, SharedSettings, Stashed, StatusReport,
    VersionName,
};
use crate::packs::Content;

impl Project {
    /// How things stand. Asks the backend, unless that is not wanted, and waits as
    /// long as that takes.
    pub async fn status(&self, offline: bool) -> EngineResult<StatusReport> {
        let look = if offline { Look::Offline } else { self.look(None).await? };
        self.status_by(look).await
    }

    /// The same for a caller who waits so long for the backend: what is known by
    /// then is the answer, with what is wrong.
    pub async fn status_within(&self, patience: Duration) -> EngineResult<StatusReport> {
        self.status_by(self.look(Some(patience)).await?).await
    }

    async fn status_by(&self, look: Look) -> EngineResult<StatusReport> {
        let mut report = self.read(|reply| Message::Status { look: look.clone(), reply }).await?;
        (report.phase, report.job) = (self.phase(), self.job());
        Ok(report)
    }

    /// What the backend says on behalf of a question.
    pub(super) async fn look(&self, patience: Option<Duration>) -> EngineResult<Look> {
        if matches!(self.phase(), Phase::Stopped { .. }) {
            return Ok(Look::Offline);
        }
        let reader = self.reader()?;
        let Some(patience) = patience else { return Ok(reader.look().await) };
        let mailbox = self.mailbox.downgrade();
        let late = async move |look| {
            if let Some(mailbox) = mailbox.upgrade() {
                // Whoever has closed the project wants to know no more.
                drop(mailbox.send(Message::Learn(look)).await);
            }
        };
        let look = self.looks.within(reader, patience, late).await;
        // Why it is silent may be known from before.
        Ok(look.unwrap_or_else(|| {
            Look::Failed(self.backend_fault().unwrap_or_else(|| no_answer(patience)))
        }))
    }

    pub async fn diff(&self, scope: Scope, context_lines: usize) -> EngineResult<Vec<FileDiff>> {
        self.diff_of(DiffQuery { scope, context_lines, ..DiffQuery::default() }).await
    }

    /// The same between any two versions.
    pub async fn diff_of(&self, query: DiffQuery) -> EngineResult<Vec<FileDiff>> {
        self.read(|reply| Message::Diff { query: query.clone(), reply }).await
    }

    /// What waits for a person, by path.
    pub async fn conflicts(&self) -> EngineResult<Vec<Conflict>> {
        Ok(self.conflicts_by(self.look(None).await?).await?.answer)
    }

    /// The same for a caller who waits so long for the backend.
    pub async fn conflicts_within(&self, patience: Duration) -> EngineResult<Known<Vec<Conflict>>> {
        self.conflicts_by(self.look(Some(patience)).await?).await
    }

    async fn conflicts_by(&self, look: Look) -> EngineResult<Known<Vec<Conflict>>> {
        self.read(|reply| Message::Conflicts { look: look.clone(), reply }).await
    }

    /// One conflict with all that is needed to settle it.
    pub async fn conflict(&self, path: String) -> EngineResult<ConflictDetail> {
        Ok(self.conflict_by(path, self.look(None).await?).await?.answer)
    }

    /// The same for a caller who waits so long for the backend.
    pub async fn conflict_within(
        &self,
        path: String,
        patience: Duration,
    ) -> EngineResult<Known<ConflictDetail>> {
        self.conflict_by(path, self.look(Some(patience)).await?).await
    }

    async fn conflict_by(&self, path: String, look: Look) -> EngineResult<Known<ConflictDetail>> {
        let question = |reply| {
            let (path, look) = (path.clone(), look.clone());
            Message::Conflict { path, look, reply }
        };
        self.read(question).await
    }

    /// What waits until somebody here agrees to it (B16), by path.
    pub async fn held(&self) -> EngineResult<Vec<HeldFile>> {
        Ok(self.held_by(self.look(None).await?).await?.answer)
    }

    /// The same for a caller who waits so long for the backend.
    pub async fn held_within(&self, patience: Duration) -> EngineResult<Known<Vec<HeldFile>>> {
        self.held_by(self.look(Some(patience)).await?).await
    }

    async fn held_by(&self, look: Look) -> EngineResult<Known<Vec<HeldFile>>> {
        let question = |reply| HeldQuestion::List { look: look.clone(), reply };
        self.read(|reply| Message::Held(question(reply))).await
    }

    /// One of them with what it would change here.
    pub async fn held_detail(&self, path: String) -> EngineResult<HeldDetail> {
        Ok(self.held_detail_by(path, self.look(None).await?).await?.answer)
    }

    /// The same for a caller who waits so long for the backend.
    pub async fn held_detail_within(
        &self,
        path: String,
        patience: Duration,
    ) -> EngineResult<Known<HeldDetail>> {
        self.held_detail_by(path, self.look(Some(patience)).await?).await
    }

    async fn held_detail_by(&self, path: String, look: Look) -> EngineResult<Known<HeldDetail>> {
        let question = |reply| {
            let (path, look) = (path.clone(), look.clone());
            HeldQuestion::Detail { path, look, reply }
        };
        self.read(|reply| Message::Held(question(reply))).await
    }

    pub async fn log(&self, query: LogQuery) -> EngineResult<LogPage> {
        self.read(|reply| Message::Log { query: query.clone(), reply }).await
    }

    /// Name, patterns and excludes as the log has them now.
    pub async fn settings(&self) -> EngineResult<SharedSettings> {
        self.read(|reply| Message::Settings { reply }).await
    }

    /// Every version that one file has had, newest first; renames are followed.
    /// Both bounds are inclusive.
    pub async fn versions(
        &self,
        path: String,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> EngineResult<Vec<FileVersion>> {
        self.read(|reply| Message::Versions { path: path.clone(), since, until, reply }).await
    }

    /// One version of a file with its content, whole and verified.
    pub async fn version(
        &self,
        path: String,
        version: VersionName,
    ) -> EngineResult<(FileVersion, Content)> {
        self.read(|reply| Message::Version { path: path.clone(), version: version.clone(), reply })
            .await
    }

    /// Whether something of that name is known, of now or of before.
    pub fn knows(&self, name: &str) -> EngineResult<bool> {
        let reader = self.reader()?;
        Ok(reader.is_known(name) || path_of(name).is_ok_and(|path| reader.has_had(&path)))
    }

    /// The versions that lost their place here, oldest first.
    pub async fn stash(&self) -> EngineResult<Vec<Stashed>> {
        self.read(|reply| Message::Stash { reply }).await
    }

    /// One of them with its content, whole and verified. `id` may be the
    /// beginning of an id, if it is of one only.
    pub async fn stashed(&self, id: String) -> EngineResult<(Stashed, Content)> {
        self.read(|reply| Message::Stashed { id: id.clone(), reply }).await
    }

    /// What waits for the backend.
    pub async fn queue(&self) -> EngineResult<QueueReport> {
        self.read(|reply| Message::Queue { reply }).await
    }
}
