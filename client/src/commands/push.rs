//! `mirrorctl push`: what changed here becomes a commit.

use clap::Args;
use mirror_proto::v1::{JobFinished, JobScope, ProjectRef, PushRequest};

use super::status;
use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::each_project::{self, Heading, Scope};
use crate::failure::Failure;
use crate::follow::{self, MayAsk};
use crate::output::json;
use crate::paths;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct PushArgs {
    /// Only these files, folders or globs
    #[arg(value_name = "FILES", conflicts_with = "all")]
    paths: Vec<String>,

    /// What the commit is about
    #[arg(long, short)]
    message: Option<String>,

    /// Where both sides changed, mine is the result
    #[arg(long)]
    force_local: bool,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Return at the commit, before the plain files are written
    #[arg(long)]
    no_wait: bool,

    /// Consent to deleting many files
    #[arg(long)]
    allow_deletes: bool,

    /// Every project on this machine
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

pub(crate) async fn run(args: &PushArgs, context: &Context) -> Result<Reported, Failure> {
    let shape = || json::job::finished(&JobFinished::default());
    let one = async |daemon: &Daemon, project| push(args, context, daemon, project).await;
    each_project::run(context, Scope::of(args.all, Heading::Name), shape, one).await
}

async fn push(
    args: &PushArgs,
    context: &Context,
    daemon: &Daemon,
    project: ProjectRef,
) -> Result<Reported, Failure> {
    let scope = JobScope {
        project: Some(project.clone()),
        paths: args.paths.clone(),
        folder: paths::current()?,
        dry_run: args.dry_run,
        allow_deletes: args.allow_deletes,
    };
    let request = PushRequest {
        scope: None,
        message: args.message.clone().unwrap_or_default(),
        force_local: args.force_local,
        no_wait: args.no_wait,
    };
    let finished = follow::with_consent(context, daemon, scope, MayAsk::Yes, async |scope| {
        daemon.sync().push(PushRequest { scope, ..request.clone() }).await
    });
    let finished = finished.await?;
    let reported = follow::report(context, &finished, !args.no_wait)?;
    if finished.queued {
        status::say_queue(context, daemon, project).await?;
    }
    Ok(reported)
}
