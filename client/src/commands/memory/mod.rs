//! `mirrorctl memory`: what agents remember of a project, on whichever path it lies.

mod list;
mod map;
mod unmap;

use clap::Subcommand;

use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum MemoryCommand {
    /// List what is shared, and which folder stands for it here
    List,
    /// Share the agent's memory of a folder under one name on all machines
    Map(map::MapArgs),
    /// Share it no more from here; all files stay
    Unmap(unmap::UnmapArgs),
}

impl MemoryCommand {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::List => "memory list",
            Self::Map(_) => "memory map",
            Self::Unmap(_) => "memory unmap",
        }
    }
}

pub(crate) async fn run(command: &MemoryCommand, context: &Context) -> Result<Reported, Failure> {
    match command {
        MemoryCommand::List => list::run(context).await,
        MemoryCommand::Map(args) => map::run(args, context).await,
        MemoryCommand::Unmap(args) => unmap::run(args, context).await,
    }
}
