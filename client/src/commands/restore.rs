//! `mirrorctl restore`: earlier versions come back, as local edits.

use clap::Args;
use mirror_proto::v1::{JobFinished, JobScope, RestoreRequest};

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow;
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Only these files, folders or globs [default: all]
    paths: Vec<String>,

    /// The commit to go back to: 42, #42 or latest; or, of one file, 8 digits or more of a
    /// version's SHA-256, as `history` prints them [default: latest]
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,

    /// Write the files there and leave the project as it is
    #[arg(long, value_name = "DIR")]
    output: Option<String>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: &RestoreArgs, context: &Context) -> Result<Reported, Failure> {
    let output = args.output.as_deref().map(paths::absolute).transpose()?;
    let scope = JobScope {
        project: Some(context.project()?),
        paths: args.paths.clone(),
        folder: paths::current()?,
        dry_run: args.dry_run,
        allow_deletes: false,
    };
    let request = RestoreRequest {
        scope: Some(scope),
        from: args.from.clone(),
        output: output.unwrap_or_default(),
    };
    let daemon = context.daemon().await?;
    let events = daemon.versions().restore(request).await?.into_inner();
    let finished = follow::to_end(context, &daemon, events).await?;
    let reported = follow::report(context, &finished, true)?;
    if args.output.is_none() {
        say_how_to_publish(context, &finished)?;
    }
    Ok(reported)
}

/// What came back is a local edit like any other.
pub(crate) fn say_how_to_publish(context: &Context, job: &JobFinished) -> Result<(), Failure> {
    if job.files.is_empty() || job.dry_run {
        return Ok(());
    }
    context.output.say(|_| "`mirrorctl push` publishes what differs from the head now\n".to_owned())
}
