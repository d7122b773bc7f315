//! `mirrorctl stash drop`: versions go for good, once a person has seen which.

use clap::Args;
use mirror_proto::v1::{DropStashRequest, DropStashResponse};

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow::{About, agreed};
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    /// As `stash list` names them; their beginnings are enough
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,

    /// Every version of the project's
    #[arg(long)]
    all: bool,

    /// Ask nothing
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: &DropArgs, context: &Context) -> Result<Reported, Failure> {
    let daemon = context.daemon().await?;
    let (project, ids, all) = (Some(context.project()?), args.ids.clone(), args.all);
    let mut request = DropStashRequest { project, ids, all, dry_run: true };
    let found = daemon.stash().drop_stash(request.clone()).await?.into_inner();
    if found.versions.is_empty() {
        return told(context, &found);
    }
    if !args.yes {
        let [shown, refusal] = text::stash::to_drop(&found.versions, context.output.paint());
        let about = About { shown: &shown, question: "Drop for good?", refusal: &refusal };
        agreed(context, about).await?;
    }
    // What was seen, and nothing that came since.
    request.ids = found.versions.into_iter().map(|version| version.id).collect();
    (request.all, request.dry_run) = (false, false);
    told(context, &daemon.stash().drop_stash(request).await?.into_inner())
}

fn told(context: &Context, dropped: &DropStashResponse) -> Result<Reported, Failure> {
    let told = context.output.confirm(
        || json::stash::dropped(dropped),
        |_| text::stash::dropped_versions(&dropped.versions),
    )?;
    Ok(Reported::done(told))
}
