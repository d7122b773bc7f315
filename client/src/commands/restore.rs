//! `mirrorctl restore`: earlier versions come back, as local edits.

use clap::Args;
use mirror_proto::v1::{JobFinished, JobScope, RestoreRequest};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow::{self, About};
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

    /// Restore all files without a question
    #[arg(long)]
    yes: bool,
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
    if args.paths.is_empty() && args.output.is_none() && !args.dry_run && !args.yes {
        ask_about_all(context, &daemon, request.clone()).await?;
    }
    let finished = follow_restore(context, &daemon, request).await?;
    let reported = follow::report(context, &finished, true)?;
    if args.output.is_none() {
        say_how_to_publish(context, &finished)?;
    }
    Ok(reported)
}

async fn follow_restore(
    context: &Context,
    daemon: &Daemon,
    request: RestoreRequest,
) -> Result<JobFinished, Failure> {
    let events = daemon.versions().restore(request).await?.into_inner();
    follow::to_end(context, daemon, events).await
}

/// Without a path every file is meant, which is easily typed by mistake.
async fn ask_about_all(
    context: &Context,
    daemon: &Daemon,
    request: RestoreRequest,
) -> Result<(), Failure> {
    let scope = request.scope.map(|scope| JobScope { dry_run: true, ..scope });
    let plan = follow_restore(context, daemon, RestoreRequest { scope, ..request }).await?;
    if plan.cancelled {
        return Err(Failure::interrupted("interrupted; nothing was changed"));
    }
    let refusal = match plan.files.len() {
        0 => return Ok(()),
        1 => "1 file would change".to_owned(),
        count => format!("{count} files would change"),
    };
    let question = format!("{refusal}. Restore the whole project?");
    let about = About { shown: "", question: &question, refusal: &refusal };
    follow::agreed(context, about).await.map_err(|failure| match context.terminal {
        Some(_) => failure,
        None => failure.with_hint("--yes restores the whole project, --dry-run lists the files"),
    })
}

/// What came back is a local edit like any other.
pub(crate) fn say_how_to_publish(context: &Context, job: &JobFinished) -> Result<(), Failure> {
    if job.files.is_empty() || job.dry_run {
        return Ok(());
    }
    context.output.say(|_| "`mirrorctl push` publishes what differs from the head now\n".to_owned())
}
