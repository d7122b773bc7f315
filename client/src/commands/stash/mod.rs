//! `mirrorctl stash`: local versions that lost their place, kept for a person.

mod drop;
mod list;
mod restore;
mod show;

use clap::Subcommand;

use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum StashCommand {
    /// List the versions that were set aside, oldest first
    List(list::ListArgs),
    /// Print one of them, byte for byte
    Show(show::ShowArgs),
    /// Write one of them back to its path
    Restore(restore::RestoreArgs),
    /// Let them go for good
    Drop(drop::DropArgs),
}

impl StashCommand {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::List(_) => "stash list",
            Self::Show(_) => "stash show",
            Self::Restore(_) => "stash restore",
            Self::Drop(_) => "stash drop",
        }
    }
}

pub(crate) async fn run(command: &StashCommand, context: &Context) -> Result<Reported, Failure> {
    match command {
        StashCommand::List(args) => list::run(args, context).await,
        StashCommand::Show(args) => show::run(args, context).await,
        StashCommand::Restore(args) => restore::run(args, context).await,
        StashCommand::Drop(args) => drop::run(args, context).await,
    }
}
