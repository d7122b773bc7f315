//! `mirrorctl delete`: files go here and at the head, in one commit.

use clap::Args;
use mirror_proto::v1::{DeleteRequest, JobScope};

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow::{self, MayAsk};
use crate::paths;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct DeleteArgs {
    /// The files, folders or globs
    #[arg(value_name = "FILES", required = true)]
    paths: Vec<String>,

    /// Keep the files here and ignore them from now on
    #[arg(long)]
    keep_local: bool,

    /// Delete here too: what happens anyway
    #[arg(long, conflicts_with = "keep_local")]
    local: bool,

    /// Delete from the project what is not mirrored here any more; it stays here
    #[arg(long, conflicts_with_all = ["keep_local", "local"])]
    ignored: bool,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Consent to deleting many files
    #[arg(long)]
    allow_deletes: bool,
}

pub(crate) async fn run(args: &DeleteArgs, context: &Context) -> Result<Reported, Failure> {
    let scope = JobScope {
        project: Some(context.project()?),
        paths: args.paths.clone(),
        folder: paths::current()?,
        dry_run: args.dry_run,
        allow_deletes: args.allow_deletes,
    };
    let daemon = context.daemon().await?;
    let finished = follow::with_consent(context, &daemon, scope, MayAsk::Yes, async |scope| {
        let (keep_local, ignored) = (args.keep_local, args.ignored);
        let message = String::new();
        daemon.sync().delete(DeleteRequest { scope, keep_local, message, ignored }).await
    });
    follow::report(context, &finished.await?, true)
}
