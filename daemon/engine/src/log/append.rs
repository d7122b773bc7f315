//! Creating the next entry (L1, L3, L5).

use mirror_core::commit::{Commit, entry_name};
use mirror_storage::{Expect, Guarded, StorageError};

use super::entry::RawEntry;
use super::{Log, LogEntry, own_path, read_entry};
use crate::error::EngineError;
use crate::planted::{self, Rule};
use crate::state::Attempt;

/// How often a reply that contradicts itself is asked again.
const LOOKS: usize = 5;

/// The folder of the log in ours.
const OWN_LOG: &str = "log";

/// How an attempt ended.
#[derive(Debug)]
pub enum Appended {
    /// The entry is ours; it has been applied. It may be void, which its own
    /// writer treats as not pushed.
    Won(LogEntry),
    /// Another entry stands there; it has not been read yet.
    Lost,
}

impl Log {
    /// Creates the entry of a saved attempt on top of the head.
    ///
    /// An error leaves the question open: the attempt must be kept and settled
    /// before the next one (L5).
    pub async fn append(&mut self, attempt: &Attempt) -> Result<Appended, EngineError> {
        debug_assert_eq!(attempt.seq, self.head() + 1, "attempts follow the head");
        // From here on until the outcome is known no cancel is heeded (S6).
        let _shield = self.outside.interrupt.shield();
        let path = own_path(&entry_name(attempt.seq));
        let body = bytes::Bytes::from(attempt.bytes.clone());
        match self.backend.write(&path, body.clone().into(), Expect::Absent).await {
            Ok(Guarded::Done(_)) => self.confirm_stored(attempt, body).await,
            Ok(Guarded::Refused) => match self.find_attempt(attempt).await? {
                Some(appended) => Ok(appended),
                // Kept, and asked again by the next job (L4, L5).
                None => {
                    let cause = format!("entry {} was refused, and yet it is absent", attempt.seq);
                    Err(StorageError::Unreachable(cause.into()).into())
                }
            },
            // The reply may have been lost after the write landed: look.
            Err(error) => match self.find_attempt(attempt).await {
                Ok(Some(appended)) => Ok(appended),
                Ok(None) | Err(_) => Err(error.into()),
            },
        }
    }

    /// Says what became of an attempt by reading the entry at its place and
    /// comparing its id (L5); `None` while nothing stands there.
    pub async fn find_attempt(
        &mut self,
        attempt: &Attempt,
    ) -> Result<Option<Appended>, EngineError> {
        if attempt.seq <= self.head() {
            return Ok(Some(self.settle_read(attempt).await?));
        }
        for _ in 0..LOOKS {
            if let Some(raw) = read_entry(self.backend.as_ref(), attempt.seq).await? {
                return match is_ours(&raw, attempt) {
                    true => Ok(Some(Appended::Won(self.take(attempt.seq, raw).await?))),
                    false => Ok(Some(Appended::Lost)),
                };
            }
        }
        Ok(None)
    }

    /// For an attempt whose place in the log has been read already.
    async fn settle_read(&mut self, attempt: &Attempt) -> Result<Appended, EngineError> {
        let entry = self.entry(attempt.seq).await?;
        let ours = entry.commit.as_ref().is_some_and(|commit| is_of(commit, attempt));
        Ok(if ours { Appended::Won(entry) } else { Appended::Lost })
    }

    /// A service may say that it has stored what it hasn't, or give one name to
    /// two writers: what stands there now is the answer (L10).
    async fn confirm_stored(
        &mut self,
        attempt: &Attempt,
        bytes: bytes::Bytes,
    ) -> Result<Appended, EngineError> {
        for _ in 0..LOOKS {
            let Some(raw) = read_entry(self.backend.as_ref(), attempt.seq).await? else { continue };
            if raw.bytes == bytes {
                return self.take(attempt.seq, raw).await.map(Appended::Won);
            }
            return match is_ours(&raw, attempt) {
                true => Err(self.flawed("it gives another entry back than was stored")),
                // Somebody else was given the same name, and came later.
                false => Ok(Appended::Lost),
            };
        }
        Err(self.flawed("it says that the commit was stored, and it isn't there"))
    }

    /// What a backend did that no log can stand on.
    fn flawed(&self, what: &str) -> EngineError {
        let path = own_path(OWN_LOG);
        let reason = format!("{} can't hold a log: {what}", self.backend.label());
        StorageError::Rejected { path, reason }.into()
    }
}

fn is_ours(raw: &RawEntry, attempt: &Attempt) -> bool {
    Commit::parse(&raw.bytes).is_ok_and(|commit| is_of(&commit, attempt))
}

fn is_of(commit: &Commit, attempt: &Attempt) -> bool {
    let by_machine = || {
        let tried = Commit::parse(&attempt.bytes);
        tried.is_ok_and(|tried| tried.machine_id == commit.machine_id)
    };
    commit.id == attempt.id || (!planted::stands(Rule::L5) && by_machine())
}
