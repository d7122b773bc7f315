//! `mirrorctl queue drop`: gives queued pushes up.

use clap::Args;
use mirror_proto::v1::DropQueuedRequest;
use mirror_proto::v1::drop_queued_request::Which;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    /// The push, by its id or the beginning of it (see `queue list`)
    #[arg(required_unless_present = "all")]
    id: Option<String>,

    /// Every push that waits
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

pub(crate) async fn run(args: &DropArgs, context: &Context) -> Result<Reported, Failure> {
    let which = args.id.clone().map_or(Which::All(true), Which::Id);
    let request = DropQueuedRequest { project: Some(context.project()?), which: Some(which) };
    let daemon = context.daemon().await?;
    let dropped = daemon.queue().drop_queued(request).await?.into_inner();
    let told = context
        .output
        .tell(|| json::kept::dropped(&dropped), |_| text::stash::dropped(&dropped))?;
    Ok(Reported::done(told))
}
