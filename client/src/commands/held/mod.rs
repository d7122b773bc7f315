//! `mirrorctl held`: changes of others that an agent here may run, and that wait until
//! somebody here agrees to them.

mod accept;
mod list;
mod reject;
mod show;

use clap::Subcommand;

use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum HeldCommand {
    /// List the changes that are held
    List,
    /// Show what one of them would change here
    Show(show::ShowArgs),
    /// Agree to them, and bring them
    Accept(accept::AcceptArgs),
    /// Keep what is here instead
    Reject(reject::RejectArgs),
}

impl HeldCommand {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::List => "held list",
            Self::Show(_) => "held show",
            Self::Accept(_) => "held accept",
            Self::Reject(_) => "held reject",
        }
    }
}

pub(crate) async fn run(command: &HeldCommand, context: &Context) -> Result<Reported, Failure> {
    match command {
        HeldCommand::List => list::run(context).await,
        HeldCommand::Show(args) => show::run(args, context).await,
        HeldCommand::Accept(args) => accept::run(args, context).await,
        HeldCommand::Reject(args) => reject::run(args, context).await,
    }
}
