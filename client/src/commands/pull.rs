//! `mirrorctl pull`: what changed elsewhere comes here.

use clap::Args;
use mirror_proto::v1::{JobFinished, JobScope, ProjectRef, PullRequest};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::each_project::{self, Heading, Scope};
use crate::failure::Failure;
use crate::follow::{self, MayAsk};
use crate::output::json;
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// Only these files, folders or globs
    #[arg(value_name = "FILES", conflicts_with = "all")]
    paths: Vec<String>,

    /// Write the files there and leave the project as it is
    #[arg(long, value_name = "DIR", conflicts_with = "all")]
    output: Option<String>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Consent to deleting many files
    #[arg(long)]
    allow_deletes: bool,

    /// Every project on this machine
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

pub(crate) async fn run(args: &PullArgs, context: &Context) -> Result<Reported, Failure> {
    let shape = || json::job::finished(&JobFinished::default());
    let one = async |daemon: &Daemon, project| pull(args, context, daemon, project).await;
    each_project::run(context, Scope::of(args.all, Heading::Name), shape, one).await
}

async fn pull(
    args: &PullArgs,
    context: &Context,
    daemon: &Daemon,
    project: ProjectRef,
) -> Result<Reported, Failure> {
    let output = args.output.as_deref().map(paths::absolute).transpose()?;
    let scope = JobScope {
        project: Some(project),
        paths: args.paths.clone(),
        folder: paths::current()?,
        dry_run: args.dry_run,
        allow_deletes: args.allow_deletes,
    };
    let output = output.unwrap_or_default();
    let finished = follow::with_consent(context, daemon, scope, MayAsk::Yes, async |scope| {
        daemon.sync().pull(PullRequest { scope, output: output.clone() }).await
    });
    follow::report(context, &finished.await?, true)
}
