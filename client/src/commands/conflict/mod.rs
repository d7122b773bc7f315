//! `mirrorctl conflict`: what waits for a person, and how it is settled
//! without asking one.

mod apply;
mod decide;
mod list;
mod show;
mod take;

use clap::Subcommand;

use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum ConflictCommand {
    /// List the files that wait for a decision
    List,
    /// Show what both sides made of one file
    Show(show::ShowArgs),
    /// Settle a file with a result of your own
    Apply(apply::ApplyArgs),
    /// Settle a file with one side's version, byte for byte
    Take(take::TakeArgs),
}

impl ConflictCommand {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::List => "conflict list",
            Self::Show(_) => "conflict show",
            Self::Apply(_) => "conflict apply",
            Self::Take(_) => "conflict take",
        }
    }
}

pub(crate) async fn run(command: &ConflictCommand, context: &Context) -> Result<Reported, Failure> {
    match command {
        ConflictCommand::List => list::run(context).await,
        ConflictCommand::Show(args) => show::run(args, context).await,
        ConflictCommand::Apply(args) => apply::run(args, context).await,
        ConflictCommand::Take(args) => take::run(args, context).await,
    }
}
