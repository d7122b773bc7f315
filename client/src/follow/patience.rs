//! How long a person waits for a job: the first Ctrl-C cancels it, and a
//! second waits for nothing more.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::failure::Failure;
use crate::interrupts::{Interrupts, Listener};

/// The daemon answers within 2 s; one that doesn't by now hangs.
const ANSWER: Duration = Duration::from_secs(4);

#[derive(Debug)]
pub(super) struct Patience {
    interrupts: Listener,
    /// When waiting ends, once the job was to be cancelled.
    end: Option<Instant>,
}

/// What to do with the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Cancel,
    /// Without its result.
    Leave,
}

impl Patience {
    pub(super) fn new(interrupts: &Interrupts) -> Result<Self, Failure> {
        Ok(Self { interrupts: interrupts.listen()?, end: None })
    }

    /// Waits until it is lost. Dropped before, it misses nothing.
    pub(super) async fn is_lost(&mut self) -> Wish {
        if let Some(end) = self.end {
            tokio::select! {
                () = self.interrupts.next() => {}
                () = sleep_until(end) => {}
            }
            return Wish::Leave;
        }
        self.interrupts.next().await;
        self.end = Some(Instant::now() + ANSWER);
        Wish::Cancel
    }
}
