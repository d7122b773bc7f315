//! How many files differ, at once or as it was known last.

use std::sync::{Mutex, PoisonError};

use super::Project;
use super::mailbox::Message;
use super::query::tally::KnownTally;
use crate::api::{EngineResult, Tally};

/// What was counted last, and the turn to count: whoever comes meanwhile waits for the
/// one who does, and finds what is known.
#[derive(Default)]
pub(crate) struct Tallies {
    turn: tokio::sync::Mutex<()>,
    known: Mutex<Option<KnownTally>>,
}

impl Tallies {
    fn known(&self) -> Option<KnownTally> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(KnownTally::kept)
    }

    fn keep(&self, tally: KnownTally) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(tally);
    }
}

impl Project {
    /// How many files differ. Asks no backend, and looks at nothing where nothing
    /// changed since it was asked last.
    pub async fn tally(&self) -> EngineResult<Tally> {
        let _turn = self.tallies.turn.lock().await;
        let question = |reply| Message::Tally { known: self.tallies.known(), reply };
        let counted = self.read(question).await?;
        let tally = counted.tally;
        self.tallies.keep(counted);
        Ok(tally)
    }

    /// The same as it was counted last, if it ever was.
    pub fn last_tally(&self) -> Option<Tally> {
        self.tallies.known().map(|known| known.tally)
    }
}
