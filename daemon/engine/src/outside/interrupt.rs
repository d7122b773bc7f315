//! Asking a running job to end (S6).
//!
//! A flag, seen between steps and in every loop over bytes. It never stops
//! anything by itself: what runs ends at the next place where stopping is safe.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Asks one job to end at its next safe point. Clones ask the same job.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The [`Cancel`] of the job that runs in one project, for all that works for
/// it. Nothing is cancelled between jobs.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    cancel: Option<Cancel>,
    shields: usize,
}

impl Interrupt {
    /// From now on `cancel` ends what runs; `None`: nothing does.
    pub fn follow(&self, cancel: Option<Cancel>) {
        self.running().cancel = cancel;
    }

    /// Asks the running job to end; `false` when there is none.
    pub fn cancel(&self) -> bool {
        self.running().cancel.as_ref().inspect(|cancel| cancel.cancel()).is_some()
    }

    pub fn is_cancelled(&self) -> bool {
        let running = self.running();
        running.shields == 0 && running.cancel.as_ref().is_some_and(Cancel::is_cancelled)
    }

    /// Until the guard is dropped nothing is cancelled: an append was sent, and
    /// its outcome is not known yet.
    #[must_use]
    pub fn shield(&self) -> Shield {
        self.running().shields += 1;
        Shield(self.clone())
    }

    /// Reads `source` until the job is cancelled; then reading fails.
    pub fn guard<R: Read>(&self, source: R) -> Guarded<R> {
        Guarded { source, interrupt: self.clone() }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Interrupt::shield`].
#[derive(Debug)]
pub struct Shield(Interrupt);

impl Drop for Shield {
    fn drop(&mut self) {
        self.0.running().shields -= 1;
    }
}

/// See [`Interrupt::guard`].
#[derive(Debug)]
pub struct Guarded<R> {
    source: R,
    interrupt: Interrupt,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.is_cancelled() {
            return Err(io::Error::other("the job was cancelled"));
        }
        self.source.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_followed_job_is_cancelled() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.cancel(), "nothing runs");
        let (first, second) = (Cancel::new(), Cancel::new());
        interrupt.follow(Some(first.clone()));
        second.cancel();
        assert!(!interrupt.is_cancelled());
        first.cancel();
        assert!(interrupt.is_cancelled());
        interrupt.follow(None);
        assert!(!interrupt.is_cancelled(), "the next job was not asked to end");
    }

    #[test]
    fn shield_holds_a_cancel_back_until_it_is_dropped() {
        let interrupt = Interrupt::default();
        interrupt.follow(Some(Cancel::new()));
        let shield = interrupt.shield();
        assert!(interrupt.cancel());
        assert!(!interrupt.is_cancelled());
        drop(shield);
        assert!(interrupt.is_cancelled());
    }

    #[test]
    fn reading_fails_once_the_job_is_cancelled() {
        let interrupt = Interrupt::default();
        interrupt.follow(Some(Cancel::new()));
        let mut source = interrupt.guard(io::repeat(7));
        let mut buffer = [0; 4];
        assert_eq!(source.read(&mut buffer).unwrap(), 4);
        interrupt.cancel();
        assert!(source.read(&mut buffer).is_err());
    }
}
