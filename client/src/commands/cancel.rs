//! `mirrorctl cancel`: ends what runs, at its next safe point.

use clap::Args;
use mirror_proto::v1::cancel_request::Which;
use mirror_proto::v1::{CancelRequest, CancelResponse};

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// Whatever runs in any project
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

pub(crate) async fn run(args: &CancelArgs, context: &Context) -> Result<Reported, Failure> {
    let which = if args.all { Which::All(true) } else { Which::Project(context.project()?) };
    let response = match context.running_daemon().await? {
        Some(daemon) => {
            daemon.sync().cancel(CancelRequest { which: Some(which) }).await?.into_inner()
        }
        // Nothing runs where no daemon does.
        None => CancelResponse::default(),
    };
    let told = context.output.confirm(
        || json::cancel::cancelled(&response),
        |paint| text::cancel::cancelled(&response, paint),
    )?;
    Ok(Reported::done(told))
}
