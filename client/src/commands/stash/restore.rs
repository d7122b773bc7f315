//! `mirrorctl stash restore`: a version that was set aside comes back.

use clap::Args;
use mirror_proto::v1::RestoreStashRequest;

use crate::commands::restore::say_how_to_publish;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow;
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// As `stash list` names it; its beginning is enough
    id: String,

    /// Write it there and leave the project as it is
    #[arg(long, value_name = "DIR")]
    output: Option<String>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: &RestoreArgs, context: &Context) -> Result<Reported, Failure> {
    let output = args.output.as_deref().map(paths::absolute).transpose()?;
    let request = RestoreStashRequest {
        project: Some(context.project()?),
        id: args.id.clone(),
        dry_run: args.dry_run,
        output: output.unwrap_or_default(),
    };
    let daemon = context.daemon().await?;
    let events = daemon.stash().restore_stash(request).await?.into_inner();
    let finished = follow::to_end(context, &daemon, events).await?;
    let reported = follow::report(context, &finished, true)?;
    if args.output.is_none() {
        say_how_to_publish(context, &finished)?;
    }
    Ok(reported)
}
