//! `mirrorctl remove`: this machine forgets a project.

use clap::Args;
use mirror_proto::v1::RemoveProjectRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::escape::escape;
use crate::output::json;

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The project's name on this machine
    name: String,
}

pub(crate) async fn run(args: &RemoveArgs, context: &Context) -> Result<Reported, Failure> {
    let request = RemoveProjectRequest { name: args.name.clone() };
    let daemon = context.daemon().await?;
    daemon.project().remove_project(request).await?;
    let told = context.output.confirm(json::done, |_| {
        format!(
            "{} is no longer mirrored here; its files and its backend stay\n",
            escape(&args.name)
        )
    })?;
    Ok(Reported::done(told))
}
