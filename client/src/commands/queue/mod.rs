//! `mirrorctl queue`: what waits for the backend.

mod drop;
mod list;

use clap::Subcommand;

use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List the pushes that wait, and when they are tried again
    List,
    /// Give a push up; its versions go to the stash
    Drop(drop::DropArgs),
}

impl QueueCommand {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::List => "queue list",
            Self::Drop(_) => "queue drop",
        }
    }
}

pub(crate) async fn run(command: &QueueCommand, context: &Context) -> Result<Reported, Failure> {
    match command {
        QueueCommand::List => list::run(context).await,
        QueueCommand::Drop(args) => drop::run(args, context).await,
    }
}
