//! `mirrorctl sync`: pull and push in one job.

use clap::Args;
use mirror_proto::v1::{JobFinished, ProjectRef, SyncRequest};

use crate::all::{self, Heading, Scope};
use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::job::{self, Consent};
use crate::output::json;
use crate::paths;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct SyncArgs {
    /// Only these files, folders or globs
    #[arg(value_name = "FILES", conflicts_with = "all")]
    paths: Vec<String>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Ask nothing, even at a terminal
    #[arg(long)]
    no_prompt: bool,

    /// Consent to deleting many files
    #[arg(long)]
    allow_deletes: bool,

    /// Every project on this machine
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

pub(crate) async fn run(args: &SyncArgs, context: &Context) -> Result<Reported, Failure> {
    let shape = || json::job::finished(&JobFinished::default());
    let one = async |daemon: &Daemon, project| sync(args, context, daemon, project).await;
    all::run(context, Scope::of(args.all, Heading::Name), shape, one).await
}

async fn sync(
    args: &SyncArgs,
    context: &Context,
    daemon: &Daemon,
    project: ProjectRef,
) -> Result<Reported, Failure> {
    let request = SyncRequest {
        project: Some(project),
        paths: args.paths.clone(),
        dry_run: args.dry_run,
        allow_deletes: args.allow_deletes,
        folder: paths::current()?,
        message: String::new(),
    };
    let consent = Consent { is_given: args.allow_deletes, may_ask: !args.no_prompt };
    let finished = job::run(context, consent, async |allow_deletes| {
        let request = SyncRequest { allow_deletes, ..request.clone() };
        daemon.sync().sync(request).await
    });
    job::report(context, &finished.await?, true)
}
