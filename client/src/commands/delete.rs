//! `mirrorctl delete`: files go here and at the head, in one commit.

use clap::Args;
use mirror_proto::v1::DeleteRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow::{self, Consent};
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

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Consent to deleting many files
    #[arg(long)]
    allow_deletes: bool,
}

pub(crate) async fn run(args: &DeleteArgs, context: &Context) -> Result<Reported, Failure> {
    let request = DeleteRequest {
        project: Some(context.project()?),
        paths: args.paths.clone(),
        keep_local: args.keep_local,
        dry_run: args.dry_run,
        allow_deletes: args.allow_deletes,
        folder: paths::current()?,
        message: String::new(),
    };
    let daemon = context.daemon().await?;
    let consent = Consent { is_given: args.allow_deletes, may_ask: true };
    let finished = follow::with_consent(context, consent, async |allow_deletes| {
        let request = DeleteRequest { allow_deletes, ..request.clone() };
        daemon.sync().delete(request).await
    });
    follow::report(context, &finished.await?, true)
}
