//! `mirrorctl memory map`: a folder of this machine stands for a shared one.

use std::env;

use clap::Args;
use mirror_proto::v1::MapMemoryRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct MapArgs {
    /// The folder that you work in; a repository's main one counts
    #[arg(value_name = "DIR")]
    root: String,

    /// What its memory is called on all machines [default: as the mirrored project, or as
    /// the repository's origin]
    name: Option<String>,

    /// Where the agent keeps it [default: where Claude Code does]
    #[arg(long, value_name = "DIR")]
    folder: Option<String>,
}

pub(crate) async fn run(args: &MapArgs, context: &Context) -> Result<Reported, Failure> {
    let request = MapMemoryRequest {
        project: context.named_project()?,
        root: paths::absolute(&args.root)?,
        name: args.name.clone(),
        folder: args.folder.as_deref().map(paths::absolute).transpose()?,
        dir_name: dir_name(),
    };
    let daemon = context.daemon().await?;
    let mapped = daemon.memories().map_memory(request).await?.into_inner();
    let told =
        context.output.confirm(|| json::memory::one(&mapped), |_| text::memory::mapped(&mapped))?;
    Ok(Reported::done(told))
}

/// What sessions in this environment call the folder of their project. Claude Code
/// heeds it only beside a configuration folder of its own.
fn dir_name() -> Option<String> {
    let is_set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    is_set("CLAUDE_CONFIG_DIR").and_then(|_| is_set("CLAUDE_CODE_PROJECT_DIR_NAME"))
}
