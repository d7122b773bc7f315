//! Opening a project's log: from this machine's copy, or from the backend.

use futures::TryStreamExt;
use futures::future::{join, join3};
use mirror_core::commit::entry_name;
use mirror_core::{Digest, History, SharedMap};
use mirror_storage::{RemotePath, StorageError};

use super::{
    Log, another_project, fork, nothing_there, own_path, read_entry, share_as_settings_say,
};
use crate::api::{Parts, ProjectFault};
use crate::error::EngineError;

impl Log {
    /// Opens the log. Works while the backend is away once this machine has
    /// read it before; then [`Log::checked_at`] is `None`.
    pub async fn open(parts: &Parts) -> Result<Self, EngineError> {
        let mut log = Self::unread(parts);
        log.load_local().await?;
        let read = log.read_backend().await;
        share_as_settings_say(log.backend.as_ref(), log.history.settings());
        match (log.history.project(), read) {
            (_, Ok(())) => Ok(log),
            (Some(_), Err(EngineError::Storage(error))) if is_away(&error) => {
                tracing::warn!(%error, "the backend is away; going by this machine's copy of the log");
                log.unreached = Some(ProjectFault::of(&error.into()));
                Ok(log)
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// The log as this machine has it, as far as it goes: of a project that can't be
    /// opened. Nobody is asked.
    pub(crate) async fn of_copies(parts: &Parts) -> Self {
        let mut log = Self::unread(parts);
        if let Err(error) = log.load_local().await {
            tracing::info!(%error, "the copy of the log here is read until there");
        }
        log
    }

    fn unread(parts: &Parts) -> Self {
        Self {
            backend: parts.backend.clone(),
            data: parts.data.clone(),
            outside: parts.outside.clone(),
            history: History::new(),
            voids: SharedMap::new(),
            made: None,
            checked_at: None,
            grown: 0,
            pending: 0,
            owed: None,
            unreached: None,
        }
    }

    async fn read_backend(&mut self) -> Result<(), EngineError> {
        let Some(project) = self.history.project() else {
            self.start_from_checkpoint().await?;
            self.catch_up().await?;
            self.check_project()?;
            return self.look_for_copies(&self.newest_folder()).await;
        };
        let (backend, folder) = (self.backend.clone(), self.newest_folder());
        let (confirmed, next, alone) = join3(
            self.confirm_project(project),
            read_entry(backend.as_ref(), self.head() + 1),
            self.look_for_copies(&folder),
        )
        .await;
        confirmed?;
        match next? {
            None => self.at_head().await?,
            Some(raw) => {
                self.take(self.head() + 1, raw).await?;
                self.catch_up().await?;
            }
        }
        self.check_project()?;
        match folder == self.newest_folder() {
            true => alone,
            false => self.look_for_copies(&self.newest_folder()).await,
        }
    }

    fn check_project(&self) -> Result<(), EngineError> {
        if self.head() == 0 {
            return Err(EngineError::NoProject);
        }
        if self.history.settings().is_none() {
            let reason = self.void_reason(1).unwrap_or("it has no settings").to_owned();
            return Err(EngineError::Stopped {
                reason: format!("the first entry of the log is void: {reason}"),
                hint: Some(
                    "this is no project that can be used; make a new one elsewhere".to_owned(),
                ),
            });
        }
        Ok(())
    }

    /// Another entry 1 at the same place is another project (L1).
    async fn confirm_project(&self, project: Digest) -> Result<(), EngineError> {
        let confirmed = self.confirm(self.head(), self.history.head_digest());
        let (first, confirmed) = join(read_entry(self.backend.as_ref(), 1), confirmed).await;
        match first? {
            Some(raw) if raw.digest == project => confirmed,
            Some(_) => Err(another_project()),
            None => Err(nothing_there(self.backend.label())),
        }
    }

    /// Holds the log to an entry that this machine acted on. A loss of power may
    /// have taken the copy of it here; a log without it has forked all the same
    /// (L7). While the backend is away that waits until it is there again.
    pub async fn hold_to(&mut self, seq: u64, digest: Digest) -> Result<(), EngineError> {
        self.owed = Some((seq, digest));
        if self.checked_at.is_none() {
            return Ok(());
        }
        match self.compare_owed().await {
            Err(EngineError::Storage(error)) if is_away(&error) => Ok(()),
            compared => compared,
        }
    }

    /// Where the newest entry stands.
    fn newest_folder(&self) -> RemotePath {
        let name = entry_name(self.head());
        own_path(name.rsplit_once('/').map_or(name.as_str(), |(folder, _)| folder))
    }

    /// Names beside the newest entries that no daemon writes: another program
    /// copies this folder between machines, and its copies fork the log (L7).
    async fn look_for_copies(&self, folder: &RemotePath) -> Result<(), EngineError> {
        let files: Vec<_> = self.backend.list(folder).try_collect().await?;
        match files.iter().find(|file| is_copy(file.path.name())) {
            Some(file) => Err(fork(&format!("{} stands among its entries", file.path))),
            None => Ok(()),
        }
    }
}

/// Whether a name is that of an entry with something added, as programs that
/// copy folders name what they could not reconcile: `0000000042 (conflict).json`.
fn is_copy(name: &str) -> bool {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    digits == 10 && name.len() > digits && name[digits..] != *".json"
}

/// Whether a later try may find the backend there again.
fn is_away(error: &StorageError) -> bool {
    matches!(
        error.class(),
        mirror_storage::FaultClass::Transient | mirror_storage::FaultClass::Auth
    )
}
