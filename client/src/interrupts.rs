//! Ctrl-C, as often as a person presses it.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// Where Ctrl-C comes from.
#[derive(Debug)]
pub(crate) enum Interrupts {
    /// The terminal, or whoever sends this process a SIGINT.
    OfProcess,
    /// A test, which shares its process with others.
    #[cfg(test)]
    Played(std::sync::Arc<tokio::sync::Notify>),
}

/// Hears each Ctrl-C from its making on.
#[derive(Debug)]
pub(crate) enum Listener {
    Signals(Signal),
    #[cfg(test)]
    Played(std::sync::Arc<tokio::sync::Notify>),
}

impl Interrupts {
    pub(crate) fn listen(&self) -> Result<Listener, Failure> {
        Ok(match self {
            Self::OfProcess => Listener::Signals(signal(SignalKind::interrupt())?),
            #[cfg(test)]
            Self::Played(presses) => Listener::Played(presses.clone()),
        })
    }
}

impl Listener {
    /// Waits for the next one. Dropped before, it misses none.
    pub(crate) async fn next(&mut self) {
        match self {
            Self::Signals(signals) => drop(signals.recv().await),
            #[cfg(test)]
            Self::Played(presses) => presses.notified().await,
        }
    }
}
