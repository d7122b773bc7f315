//! `mirrorctl remove`: this machine forgets a project.

use clap::Args;
use mirror_proto::v1::RemoveProjectRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The project's name on this machine
    name: String,

    /// Drop stashed versions, queued pushes and conflicts with it, for good
    #[arg(long)]
    discard: bool,
}

pub(crate) async fn run(args: &RemoveArgs, context: &Context) -> Result<Reported, Failure> {
    let request = RemoveProjectRequest { name: args.name.clone(), discard: args.discard };
    let daemon = context.daemon().await?;
    let removed = daemon.project().remove_project(request).await?.into_inner();
    let dropped = removed.discarded.unwrap_or_default();
    let told = context.output.confirm(
        || json::kept::removed(&dropped),
        |_| text::stash::removed(&args.name, &dropped),
    )?;
    Ok(Reported::done(told))
}
