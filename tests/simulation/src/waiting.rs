//! What waits for the scheduler: calls on their way, and offloaded work.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::life::Life;
use crate::op::{Op, Reply};

/// Something of a machine that waits for the scheduler.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: u64,
    pub(crate) machine: usize,
    pub(crate) life: Arc<Life>,
    pub(crate) stage: Stage,
}

/// What a cleaner did to an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swept {
    Not,
    /// Renamed aside as a whole, then deleted.
    Away,
    /// Emptied where it stands.
    Empty,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// Offloaded work of its own.
    Local(oneshot::Sender<()>),
    /// A call that has not reached the service.
    Asked(Op, oneshot::Sender<Reply>),
    /// A file that was uploaded beside its place, and what a cleaner did to it.
    Uploaded(Op, Swept, oneshot::Sender<Reply>),
    /// A file of the view of which the beginning stands there.
    Begun(Op, oneshot::Sender<Reply>),
    /// A reply on its way back.
    Answered(Reply, oneshot::Sender<Reply>),
}
