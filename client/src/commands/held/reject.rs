//! `mirrorctl held reject`: what is here stays, and nobody asks again.

use clap::Args;
use mirror_proto::v1::{JobScope, RejectHeldRequest};

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow;
use crate::output::{json, text};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct RejectArgs {
    /// The files, folders or globs
    #[arg(value_name = "FILES", required_unless_present = "all", conflicts_with = "all")]
    paths: Vec<String>,

    /// All that is held
    #[arg(long)]
    all: bool,

    /// Make what is here the newest version, for every machine
    #[arg(long)]
    for_everyone: bool,

    /// Only if the SHA-256 of what is held begins so, as `held show` says it
    #[arg(long, value_name = "DIGITS", conflicts_with = "all")]
    sha256: Option<String>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: &RejectArgs, context: &Context) -> Result<Reported, Failure> {
    let scope = JobScope {
        project: Some(context.project()?),
        paths: args.paths.clone(),
        folder: paths::current()?,
        dry_run: args.dry_run,
        allow_deletes: false,
    };
    let for_everyone = args.for_everyone;
    let request =
        RejectHeldRequest { scope: Some(scope), sha256: args.sha256.clone(), for_everyone };
    let daemon = context.daemon().await?;
    let events = daemon.held().reject_held(request).await?.into_inner();
    let finished = follow::to_end(context, &daemon, events).await?;
    if for_everyone {
        return follow::report(context, &finished, true);
    }
    let told = context
        .output
        .confirm(|| json::job::finished(&finished), |_| text::held::rejected(&finished))?;
    Ok(Reported { exit: follow::exit(&finished, true), told })
}
