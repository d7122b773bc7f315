//! `mirrorctl conflict`: what waits for a person, and how it is settled
//! without asking one.

mod apply;
mod list;
mod show;
mod take;

use clap::Subcommand;
use mirror_proto::v1::resolve_conflict_request::Resolution;

use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{json, text};
use crate::paths;
use crate::settle::{self, Decision};

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

/// Settles one file and says so; exit 3 when a side moved.
async fn decide(
    context: &Context,
    path: &str,
    resolution: Resolution,
    token: Option<&String>,
    no_push: bool,
) -> Result<Reported, Failure> {
    let decision =
        Decision { path, folder: paths::current()?, resolution, token: token.cloned(), no_push };
    let daemon = context.daemon().await?;
    let project = context.project()?;
    let word = settle::word(&decision.resolution);
    match settle::decide(context, &daemon, project, decision).await {
        Ok(settled) => {
            let told = context.output.confirm(
                || json::conflict::settled(path, word, &settled),
                |paint| text::conflict::settled(path, word, &settled, paint),
            )?;
            Ok(Reported { exit: settled.exit(), told })
        }
        // Exit 3 has its result on stdout.
        Err(failure) if failure.exit == Exit::Conflicts && context.output.is_json() => {
            let told = json::conflict::refused(path, &failure.fault);
            Ok(Reported { exit: failure.exit, told: Some(told) })
        }
        Err(failure) => Err(failure),
    }
}
