//! `mirrorctl clone`: a folder from the project that a backend holds.

use clap::Args;
use mirror_proto::v1::{CloneProjectRequest, Setting};

use super::{init, settings};
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::job;
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct CloneArgs {
    /// Where the history is kept: a folder, or the URL of a service
    url: String,

    /// The folder to make; may be there if it is empty
    #[arg(value_name = "DIR")]
    folder: String,

    /// The project's name on this machine [default: its own]
    #[arg(long)]
    name: Option<String>,

    /// Set a key of the backend; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = settings::parse)]
    settings: Vec<Setting>,

    /// Mirror only these files on this machine; may be repeated
    #[arg(long = "pattern", value_name = "GLOB")]
    patterns: Vec<String>,

    /// Fetch no files yet
    #[arg(long)]
    no_pull: bool,
}

pub(crate) async fn run(args: &CloneArgs, context: &Context) -> Result<Reported, Failure> {
    let request = CloneProjectRequest {
        url: paths::address(&args.url)?,
        folder: paths::absolute(&args.folder)?,
        name: args.name.clone(),
        patterns: args.patterns.clone(),
        settings: args.settings.clone(),
        no_pull: args.no_pull,
    };
    let daemon = context.daemon().await?;
    let events = daemon.project().clone_project(request).await?.into_inner();
    init::report(context, &job::follow(context, events).await?)
}
