//! `mirrorctl memory unmap`: a folder stands for a shared one no more.

use clap::Args;
use mirror_proto::v1::UnmapMemoryRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct UnmapArgs {
    /// What the memory is called (see `memory list`)
    name: String,
}

pub(crate) async fn run(args: &UnmapArgs, context: &Context) -> Result<Reported, Failure> {
    let request = UnmapMemoryRequest { project: context.named_project()?, name: args.name.clone() };
    let daemon = context.daemon().await?;
    let unmapped = daemon.memories().unmap_memory(request).await?.into_inner();
    let told = context.output.confirm(
        || json::memory::unmapped(&args.name, &unmapped),
        |_| text::memory::unmapped(&args.name, &unmapped),
    )?;
    Ok(Reported::done(told))
}
