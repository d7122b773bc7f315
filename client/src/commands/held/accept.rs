//! `mirrorctl held accept`: what was looked at may come.

use clap::Args;
use mirror_proto::v1::{AcceptHeldRequest, JobScope};

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow;
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// The files, folders or globs
    #[arg(value_name = "FILES", required_unless_present = "all", conflicts_with = "all")]
    paths: Vec<String>,

    /// All that is held and was not rejected
    #[arg(long)]
    all: bool,

    /// Only if the SHA-256 of what is held begins so, as `held show` says it
    #[arg(long, value_name = "DIGITS", conflicts_with = "all")]
    sha256: Option<String>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: &AcceptArgs, context: &Context) -> Result<Reported, Failure> {
    let scope = JobScope {
        project: Some(context.project()?),
        paths: args.paths.clone(),
        folder: paths::current()?,
        dry_run: args.dry_run,
        allow_deletes: false,
    };
    let request = AcceptHeldRequest { scope: Some(scope), sha256: args.sha256.clone() };
    let daemon = context.daemon().await?;
    let events = daemon.held().accept_held(request).await?.into_inner();
    let finished = follow::to_end(context, &daemon, events).await?;
    follow::report(context, &finished, true)
}
